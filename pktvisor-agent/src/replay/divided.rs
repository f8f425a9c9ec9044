//! A replay by two threads: one reads, filters, classifies and counts packets, the other analyses
//! DNS.
//!
//! ```text
//! file ─ records ─ filter ─ classifier ─┬─ counters, addresses, places ─┐
//!                                       └─ batches ─ analysis of DNS ───┴─ end of a second
//! ```
//!
//! The result is that of one thread, to the digit, because each structure sees the same events in
//! the same order. What one thread writes the other does not touch: addresses and counters here,
//! messages there. Both meet at the end of each second, where the rates, the findings and the
//! periods need what both have counted, and a few times more, so that readers of the store see
//! both at one moment. Threads that each analyse a share of the hosts, as those of a live capture
//! do, could not promise this: which items a full list keeps, which transaction is slow compared
//! with all before it, and when a query times out depend on the order of all messages.
//!
//! The reader sends the packets of a second only if it has many: seconds with few packets cost less
//! without a second thread.

use std::panic::resume_unwind;
use std::thread;
use std::time::Instant;

use capture_file::{Capture, ReadError};
use pktvisor_capture::FilterError;
use pktvisor_metrics::{Batch, Store};

use super::analyst::{self, Analyst, AnalystGone};
use super::{BATCH_PACKETS, Next, Replay, ReplayError, ReplayProgress, packet};
use crate::pipeline::PacketSteps;

/// When the work is divided. The result does not depend on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Division {
    /// Packets after which both threads meet, and the store is released for readers.
    pub(super) stretch_packets: u32,
    /// A second is busy after so many packets, and if the one before had twice as many.
    pub(super) busy_packets: u32,
}

impl Default for Division {
    fn default() -> Self {
        Self { stretch_packets: 32 * BATCH_PACKETS, busy_packets: 512 }
    }
}

/// Why a stretch ended early.
enum StretchStop {
    Failed(ReplayError),
    /// The other thread has panicked.
    Gone,
}

impl From<ReadError> for StretchStop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<FilterError> for StretchStop {
    fn from(error: FilterError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<AnalystGone> for StretchStop {
    fn from(_: AnalystGone) -> Self {
        Self::Gone
    }
}

/// Replays all batches of a capture, without the end of the analysis. `None` if there can be no
/// second thread: then nothing was read.
pub(super) fn run(
    replay: &mut Replay,
    division: Division,
    store: &Store,
    progress: &mut impl FnMut(ReplayProgress<'_>) -> bool,
) -> Option<Result<(), ReplayError>> {
    let Replay { capture, pipeline, .. } = replay;
    let (steps, analysis) = pipeline.divided();
    let (analyst, thread) = analyst::ends(analysis, store.message_recorder());
    thread::scope(|scope| {
        let thread =
            thread::Builder::new().name("replay-dns".to_owned()).spawn_scoped(scope, move || thread.run());
        let thread = thread.ok()?;
        let second = SecondLoad::default();
        let mut reader = DividedReader { capture, steps, analyst, division, batched_packets: 0, second };
        let outcome = reader.run(store, progress);
        // The other thread ends when nobody can give it orders.
        drop(reader);
        if let Err(panic) = thread.join() {
            resume_unwind(panic);
        }
        Some(match outcome {
            Err(StretchStop::Failed(error)) => Err(error),
            Ok(()) | Err(StretchStop::Gone) => Ok(()),
        })
    })
}

/// The thread that reads and counts.
struct DividedReader<'a> {
    capture: &'a mut Capture,
    steps: PacketSteps<'a>,
    analyst: Analyst<'a>,
    division: Division,
    /// Packets since the time of the analysis was moved.
    batched_packets: u32,
    second: SecondLoad,
}

/// How many packets the last seconds had.
#[derive(Debug, Default)]
struct SecondLoad {
    packets: u32,
    packets_before: u32,
}

impl SecondLoad {
    fn begin(&mut self) {
        self.packets_before = std::mem::take(&mut self.packets);
    }

    #[inline(always)]
    fn add(&mut self) {
        self.packets = self.packets.saturating_add(1);
    }

    #[inline]
    fn is_busy(&self, division: &Division) -> bool {
        self.packets >= division.busy_packets || self.packets_before / 2 >= division.busy_packets
    }
}

impl DividedReader<'_> {
    fn run(
        &mut self,
        store: &Store,
        progress: &mut impl FnMut(ReplayProgress<'_>) -> bool,
    ) -> Result<(), StretchStop> {
        while progress(self.progress()) {
            if self.stretch(store)? == Next::End {
                break;
            }
            if let Some(geo) = self.steps.geo {
                geo.refresh(Instant::now());
            }
        }
        Ok(())
    }

    fn progress(&mut self) -> ReplayProgress<'_> {
        let open_queries =
            self.analyst.analysis().map(|analysis| analysis.open_queries()).unwrap_or_default();
        ReplayProgress { intake: self.steps.intake, bytes: self.capture.position_bytes(), open_queries }
    }

    /// Takes the next packets. Both threads meet at the end, also of a capture that fails.
    fn stretch(&mut self, store: &Store) -> Result<Next, StretchStop> {
        let mut batch = None;
        let outcome = self.packets(store, &mut batch);
        if let Some(batch) = &mut batch {
            self.analyst.end(batch)?;
        }
        outcome
    }

    fn packets<'s>(&mut self, store: &'s Store, batch: &mut Option<Batch<'s>>) -> Result<Next, StretchStop> {
        let Self { capture, steps, analyst, division, batched_packets, second } = self;
        for _ in 0..division.stretch_packets {
            if let Some(batch) = batch
                && !capture.is_next_at_hand()
            {
                *batched_packets = 0;
                analyst.advance(batch)?;
                break;
            }
            let Some(read) = capture.next_packet()? else { return Ok(Next::End) };
            // The store is locked only after there is a packet, so that readers never wait for a
            // pipe.
            let batch = batch.get_or_insert_with(|| store.batch());
            steps.set_byte_order(read.byte_order);
            let packet = packet(read);
            let mut is_archive_due = false;
            if steps.admits(&packet)? {
                if batch.begins_second(packet.timestamp_ns) {
                    analyst.end(batch)?;
                    second.begin();
                }
                second.add();
                match analyst.analysis() {
                    Some(analysis) => {
                        steps.take(&packet, packet.wire_len, batch, analysis);
                        is_archive_due = batch.is_archive_due();
                    }
                    None => steps.count(&packet, batch, |packet, class| analyst.hold(packet, class)),
                }
            }
            *batched_packets += 1;
            if *batched_packets == BATCH_PACKETS || is_archive_due {
                *batched_packets = 0;
                analyst.advance(batch)?;
                if is_archive_due {
                    break;
                }
            }
            if analyst.is_at_work() {
                analyst.send_if_enough()?;
            } else if second.is_busy(division) && !batch.is_watched() {
                analyst.begin(batch)?;
            }
        }
        Ok(Next::More)
    }
}
