//! Replays a capture file through a [`Pipeline`], at the requested pace.

mod analyst;
mod divided;
mod held;

use std::time::Instant;

use capture_file::{Capture, Pacer, PacketRef, ReadError, ReadWarning};
use pktvisor_analysis::transactions::OpenQueries;
use pktvisor_capture::FilterError;
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_metrics::Store;

use crate::pipeline::{Intake, Pipeline};
use divided::Division;

/// Packets after which the replay releases the store for readers, reports progress and checks
/// whether to stop.
const BATCH_PACKETS: u32 = 512;

/// Why a replay ended before the end of its capture.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The rest of the capture cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The filter does not compile for a link type of the capture.
    #[error(transparent)]
    Filter(#[from] FilterError),
}

/// The progress of a replay.
#[derive(Clone, Copy, Debug)]
pub struct ReplayProgress<'a> {
    /// The packets so far.
    pub intake: &'a Intake,
    /// Bytes of the capture file read.
    pub bytes: u64,
    /// Queries that wait for their response.
    pub open_queries: OpenQueries,
}

/// A capture file, and the pipeline that its packets pass.
pub struct Replay {
    /// The capture file.
    pub capture: Capture,
    /// The pace; `None`: as fast as possible.
    pub pacer: Option<Pacer>,
    /// The pipeline.
    pub pipeline: Pipeline,
}

/// How many threads replay a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayThreads {
    /// One does everything.
    One,
    /// One reads and counts packets, one analyses DNS. The result is the same.
    Two,
}

/// Whether there is more to replay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    End,
}

impl Replay {
    /// Runs to the end of the capture, or until `progress` returns false, which is called every few
    /// hundred packets. Returns the reader's warning, if it has one.
    ///
    /// # Errors
    ///
    /// The capture or the filter fails. The packets before that stay counted.
    pub fn run(
        &mut self,
        store: &Store,
        progress: impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<Option<ReadWarning>, ReplayError> {
        self.run_by(ReplayThreads::One, store, progress)
    }

    /// As [`run`](Self::run), by this number of threads. One thread replays at a
    /// [pace](Self::pacer): it waits most of the time.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_by(
        &mut self,
        threads: ReplayThreads,
        store: &Store,
        progress: impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<Option<ReadWarning>, ReplayError> {
        let division = match threads {
            ReplayThreads::Two if self.pacer.is_none() => Some(Division::default()),
            ReplayThreads::One | ReplayThreads::Two => None,
        };
        self.run_divided(division, store, progress)
    }

    fn run_divided(
        &mut self,
        division: Option<Division>,
        store: &Store,
        mut progress: impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<Option<ReadWarning>, ReplayError> {
        let divided = division.and_then(|division| divided::run(self, division, store, &mut progress));
        let outcome = divided.unwrap_or_else(|| self.batches(store, &mut progress));
        self.finish(store);
        progress(self.progress());
        outcome?;
        Ok(self.capture.warning().cloned())
    }

    /// Moves the time to the last packet and ends the analysis there. A batch that ends with the
    /// capture does not do so.
    fn finish(&mut self, store: &Store) {
        let mut batch = store.batch();
        let analysis = &mut self.pipeline.analysis;
        analysis.advance(batch.now_ns(), batch.recorder());
        analysis.finish(batch.recorder());
        batch.finish();
    }

    fn batches(
        &mut self,
        store: &Store,
        progress: &mut impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<(), ReplayError> {
        while progress(self.progress()) {
            let next = match self.pacer {
                None => self.batch(store)?,
                Some(_) => self.paced(store, progress)?,
            };
            if next == Next::End {
                break;
            }
            if let Some(geo) = &mut self.pipeline.geo {
                geo.refresh(Instant::now());
            }
        }
        Ok(())
    }

    /// Takes one batch of packets, or as many as a stream has delivered.
    fn batch(&mut self, store: &Store) -> Result<Next, ReplayError> {
        let mut batch = None;
        for packets in 0..BATCH_PACKETS {
            if packets > 0 && !self.capture.is_next_at_hand() {
                break;
            }
            let Some(read) = self.capture.next_packet()? else { return Ok(Next::End) };
            // The store is locked only after there is a packet, so that readers never wait for a
            // pipe.
            let batch = batch.get_or_insert_with(|| store.batch());
            self.pipeline.set_byte_order(read.byte_order);
            self.pipeline.packet(&packet(read), batch)?;
            if batch.is_archive_due() {
                break;
            }
        }
        if let Some(mut batch) = batch {
            self.pipeline.analysis.advance(batch.now_ns(), batch.recorder());
        }
        Ok(Next::More)
    }

    /// Takes one packet when its time has come.
    fn paced(
        &mut self,
        store: &Store,
        progress: &mut impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<Next, ReplayError> {
        let now = self.progress_numbers();
        let Some(read) = self.capture.next_packet()? else { return Ok(Next::End) };
        let intake = &self.pipeline.intake;
        let (bytes, open_queries) = now;
        let stop = || !progress(ReplayProgress { intake, bytes, open_queries });
        if let Some(pacer) = &mut self.pacer
            && pacer.sleep(read.timestamp_ns, stop).is_break()
        {
            return Ok(Next::End);
        }
        let mut batch = store.batch();
        self.pipeline.set_byte_order(read.byte_order);
        self.pipeline.packet(&packet(read), &mut batch)?;
        self.pipeline.analysis.advance(batch.now_ns(), batch.recorder());
        Ok(Next::More)
    }

    fn progress(&self) -> ReplayProgress<'_> {
        let (bytes, open_queries) = self.progress_numbers();
        ReplayProgress { intake: &self.pipeline.intake, bytes, open_queries }
    }

    fn progress_numbers(&self) -> (u64, OpenQueries) {
        (self.capture.position_bytes(), self.pipeline.analysis.open_queries())
    }
}

pub(crate) fn packet(read: PacketRef<'_>) -> Packet<'_> {
    Packet {
        timestamp_ns: read.timestamp_ns,
        stamp: if read.has_timestamp { Stamp::Own } else { Stamp::Borrowed },
        data: read.data,
        wire_len: read.wire_len,
        link_type: LinkType(read.link_type),
        segments: 1,
    }
}

#[cfg(test)]
mod tests;
