//! The capture thread: sends blocks of packets through the pipeline until it is to stop.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pktvisor_analysis::transactions::OpenQueries;
use pktvisor_capture::FilterError;
use pktvisor_capture::afpacket::{AfPacket, AfPacketError, Block, SocketStatistics};
use pktvisor_capture::hosts::HostSet;
use pktvisor_metrics::Store;

use super::clock::wall_ns;
use crate::pipeline::{Intake, Pipeline};

/// Packets after which the thread releases the store for readers.
const BATCH_PACKETS: usize = 512;

/// Longest wait for packets. A stop is noticed within this time, and the clock moves at least as
/// often.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// The progress of a capture by packet socket.
#[derive(Clone, Copy, Debug)]
pub struct CaptureProgress<'a> {
    /// The packets so far.
    pub intake: &'a Intake,
    /// The kernel's statistics of the socket.
    pub statistics: SocketStatistics,
    /// Queries that wait for their response.
    pub open_queries: OpenQueries,
}

/// The totals of a finished capture.
#[derive(Clone, Debug, Default)]
pub struct CaptureTotals {
    /// The packets so far.
    pub intake: Intake,
    /// The kernel's statistics of the socket.
    pub statistics: SocketStatistics,
}

/// Controls a running capture from another thread.
///
/// The stop flag is an atomic, not a cancellation token, because nothing waits for it: the loop
/// waits for packets.
#[derive(Debug, Default)]
pub struct LoopControl {
    stop: AtomicBool,
    host: Mutex<Option<HostSet>>,
}

impl LoopControl {
    /// Ends the capture.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the capture is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sets the networks that are HOST for the packets that follow.
    pub fn set_host(&self, host: HostSet) {
        *self.host.lock() = Some(host);
    }

    fn take_host(&self) -> Option<HostSet> {
        self.host.lock().take()
    }
}

/// Sends the packets of the socket through the pipeline until it is to stop, including all packets
/// from before the stop. Reports to `progress` a few times a second. Packets move the time of a
/// store with [`Clock::Packets`]. While there are none, this loop moves it by the wall clock, so no
/// other thread needs to.
///
/// [`Clock::Packets`]: pktvisor_metrics::Clock::Packets
///
/// # Errors
///
/// The filter does not compile for the link type of a packet, or the socket fails. The packets
/// before that stay counted. An interface that is gone brings no packets until the socket is
/// [bound](pktvisor_capture::afpacket::Binding) to another one.
pub fn capture(
    socket: &mut AfPacket,
    pipeline: &mut Pipeline,
    store: &Store,
    control: &LoopControl,
    mut progress: impl FnMut(CaptureProgress<'_>),
) -> Result<CaptureTotals, AfPacketError> {
    let outcome = run(socket, pipeline, store, control, &mut progress);
    finish(pipeline, store);
    let statistics = report(socket, pipeline, &mut progress);
    outcome?;
    Ok(CaptureTotals { intake: pipeline.intake.clone(), statistics: statistics? })
}

fn run(
    socket: &mut AfPacket,
    pipeline: &mut Pipeline,
    store: &Store,
    control: &LoopControl,
    progress: &mut impl FnMut(CaptureProgress<'_>),
) -> Result<(), AfPacketError> {
    let mut reported = Instant::now();
    // When the last block with packets from before the stop must have arrived, and the time of the
    // stop.
    let mut end: Option<(Instant, u64)> = None;
    loop {
        if end.is_none() && control.is_stopped() {
            end = Some((Instant::now() + socket.latency_max() + WAIT_MAX, wall_ns()));
        }
        if let Some(host) = control.take_host() {
            pipeline.set_host(host);
        }
        let until_ns = end.map_or(u64::MAX, |(_, at_ns)| at_ns);
        let is_over = read_blocks(socket, pipeline, store, until_ns)?.is_break();
        if is_over || end.is_some_and(|(at, _)| Instant::now() >= at) {
            return Ok(());
        }
        if !socket.has_block() {
            tick(pipeline, store, wall_ns().saturating_sub(lag_ns(socket)));
        }
        if reported.elapsed() >= PROGRESS_INTERVAL {
            reported = Instant::now();
            report(socket, pipeline, progress)?;
            if let Some(geo) = &mut pipeline.geo {
                geo.refresh(reported);
            }
        }
        match socket.poll(WAIT_MAX) {
            // The thread that follows the interfaces may bind the socket to the interface's
            // successor.
            Ok(_) | Err(AfPacketError::Gone { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads all blocks that are ready, at most for the time between two reports of progress. Stops at
/// the first packet after `until_ns` (since 1970).
fn read_blocks(
    socket: &mut AfPacket,
    pipeline: &mut Pipeline,
    store: &Store,
    until_ns: u64,
) -> Result<ControlFlow<()>, FilterError> {
    let began = Instant::now();
    while began.elapsed() < PROGRESS_INTERVAL
        && let Some(mut block) = socket.next_block()
    {
        loop {
            match batch(&mut block, pipeline, store, until_ns)? {
                BatchEnd::Full => {}
                BatchEnd::EndOfBlock => break,
                BatchEnd::End => return Ok(ControlFlow::Break(())),
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Why a batch ended.
enum BatchEnd {
    Full,
    EndOfBlock,
    End,
}

fn batch(
    block: &mut Block<'_>,
    pipeline: &mut Pipeline,
    store: &Store,
    until_ns: u64,
) -> Result<BatchEnd, FilterError> {
    let mut batch = store.batch();
    let mut why = BatchEnd::Full;
    for _ in 0..BATCH_PACKETS {
        let Some((packet, wire)) = block.next_packet() else {
            why = BatchEnd::EndOfBlock;
            break;
        };
        if packet.timestamp_ns > until_ns {
            why = BatchEnd::End;
            break;
        }
        pipeline.frame(&packet, wire.segment_len, &mut batch)?;
    }
    pipeline.analysis.advance(batch.now_ns(), batch.recorder());
    Ok(why)
}

/// Moves the time without a packet: seconds end, periods rotate, queries time out.
fn tick(pipeline: &mut Pipeline, store: &Store, now_ns: u64) {
    let mut batch = store.batch();
    let analysis = &mut pipeline.analysis;
    // Time never moves back behind the newest packet. A clock that jumped back does not affect it.
    if now_ns > batch.now_ns() {
        batch.advance(now_ns, |end_ns, recorder| analysis.advance(end_ns, recorder));
        analysis.advance(now_ns, batch.recorder());
    }
}

/// The greatest age of a packet when it is read. The clock stays this much behind, so that no
/// packet is from the past.
fn lag_ns(socket: &AfPacket) -> u64 {
    u64::try_from((socket.latency_max() + WAIT_MAX).as_nanos()).unwrap_or(u64::MAX)
}

fn finish(pipeline: &mut Pipeline, store: &Store) {
    let mut batch = store.batch();
    let analysis = &mut pipeline.analysis;
    analysis.advance(batch.now_ns(), batch.recorder());
    analysis.finish(batch.recorder());
}

fn report(
    socket: &mut AfPacket,
    pipeline: &Pipeline,
    progress: &mut impl FnMut(CaptureProgress<'_>),
) -> Result<SocketStatistics, AfPacketError> {
    let statistics = socket.statistics()?;
    let open_queries = pipeline.analysis.open_queries();
    progress(CaptureProgress { intake: &pipeline.intake, statistics, open_queries });
    Ok(statistics)
}
