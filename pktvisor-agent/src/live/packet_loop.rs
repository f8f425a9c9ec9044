//! The capture thread: blocks of packets down the pipeline, until told to stop.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pktvisor_capture::FilterError;
use pktvisor_capture::afpacket::{AfPacket, AfPacketError, Block, SocketStatistics};
use pktvisor_capture::hosts::HostSet;
use pktvisor_metrics::Store;

use super::clock::wall_ns;
use crate::pipeline::{Intake, Pipeline};

/// Packets between two looks at whoever waits for the store.
const BATCH_PACKETS: usize = 512;

/// Longest wait for packets: how soon a stop is noticed, and how often a quiet clock moves.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// How far a capture is.
#[derive(Clone, Copy, Debug)]
pub struct CaptureProgress<'a> {
    /// What came in.
    pub intake: &'a Intake,
    /// What the kernel says of the socket.
    pub statistics: SocketStatistics,
    /// Queries that wait for their response.
    pub open_transactions: u64,
}

/// What a capture brought.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// What came in.
    pub intake: Intake,
    /// What the kernel said of the socket.
    pub statistics: SocketStatistics,
}

/// What a capture is told from outside while it runs.
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

    /// Changes which networks are HOST, for packets that are looked at from now on.
    pub fn set_host(&self, host: HostSet) {
        *self.host.lock() = Some(host);
    }

    fn take_host(&self) -> Option<HostSet> {
        self.host.lock().take()
    }
}

/// Sends what the socket hears down the pipeline until told to stop; what was there before that is still taken in.
/// `progress` is told a few times a second. A store whose clock are the packets ([`Clock::Packets`]) is moved by them, and
/// while there are none by the wall clock: nobody else needs to tick.
///
/// [`Clock::Packets`]: pktvisor_metrics::Clock::Packets
///
/// # Errors
///
/// The filter does not fit what the interface brings, or the socket is broken. What was counted stays counted. An interface
/// that is gone brings nothing until the socket is [bound](pktvisor_capture::afpacket::Binding) to another one.
pub fn capture(
    socket: &mut AfPacket,
    pipeline: &mut Pipeline,
    store: &Store,
    control: &LoopControl,
    mut progress: impl FnMut(CaptureProgress<'_>),
) -> Result<Totals, AfPacketError> {
    let outcome = run(socket, pipeline, store, control, &mut progress);
    finish(pipeline, store);
    let statistics = tell(socket, pipeline, &mut progress);
    outcome?;
    Ok(Totals { intake: pipeline.intake.clone(), statistics: statistics? })
}

fn run(
    socket: &mut AfPacket,
    pipeline: &mut Pipeline,
    store: &Store,
    control: &LoopControl,
    progress: &mut impl FnMut(CaptureProgress<'_>),
) -> Result<(), AfPacketError> {
    let mut told = Instant::now();
    // When the last block with packets from before the stop is surely here, and the time of the stop.
    let mut end: Option<(Instant, u64)> = None;
    loop {
        if end.is_none() && control.is_stopped() {
            end = Some((Instant::now() + socket.latency_max() + WAIT_MAX, wall_ns()));
        }
        if let Some(host) = control.take_host() {
            pipeline.set_host(host);
        }
        let until_ns = end.map_or(u64::MAX, |(_, at_ns)| at_ns);
        let is_over = drain(socket, pipeline, store, until_ns)?.is_break();
        if is_over || end.is_some_and(|(at, _)| Instant::now() >= at) {
            return Ok(());
        }
        if !socket.has_block() {
            tick(pipeline, store, wall_ns().saturating_sub(lag_ns(socket)));
        }
        if told.elapsed() >= PROGRESS_INTERVAL {
            told = Instant::now();
            tell(socket, pipeline, progress)?;
            if let Some(geo) = &mut pipeline.geo {
                geo.refresh(told);
            }
        }
        match socket.poll(WAIT_MAX) {
            // The thread that follows the interfaces may bind the socket to the interface's successor.
            Ok(_) | Err(AfPacketError::Gone { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Takes all blocks there are, at most for the time between two tellings of progress. Breaks off at the first packet
/// that came after `until_ns` (since 1970).
fn drain(
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

/// Time passes without packets too: seconds end, periods turn, queries time out.
fn tick(pipeline: &mut Pipeline, store: &Store, now_ns: u64) {
    let mut batch = store.batch();
    let analysis = &mut pipeline.analysis;
    // Behind the newest packet nothing is to be moved, and a clock that went back is none of its business.
    if now_ns > batch.now_ns() {
        batch.advance(now_ns, |end_ns, recorder| analysis.advance(end_ns, recorder));
        analysis.advance(now_ns, batch.recorder());
    }
}

/// How old a packet may be when it is read, beyond which the clock can go without it.
fn lag_ns(socket: &AfPacket) -> u64 {
    u64::try_from((socket.latency_max() + WAIT_MAX).as_nanos()).unwrap_or(u64::MAX)
}

fn finish(pipeline: &mut Pipeline, store: &Store) {
    let mut batch = store.batch();
    let analysis = &mut pipeline.analysis;
    analysis.advance(batch.now_ns(), batch.recorder());
    analysis.finish(batch.recorder());
}

fn tell(
    socket: &mut AfPacket,
    pipeline: &Pipeline,
    progress: &mut impl FnMut(CaptureProgress<'_>),
) -> Result<SocketStatistics, AfPacketError> {
    let statistics = socket.statistics()?;
    let open_transactions = pipeline.analysis.open_transactions() as u64;
    progress(CaptureProgress { intake: &pipeline.intake, statistics, open_transactions });
    Ok(statistics)
}
