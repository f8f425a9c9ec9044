//! Sending a capture onto an interface.
//!
//! ```text
//! Capture ── which packets fit? ── Timing: when? ── steer: which queue? ── Outlet: AF_XDP │ AF_PACKET ── Report
//! ```
//!
//! Packets leave the machine unchanged, with the addresses of the capture: send onto a mirror port,
//! a veth pair or a network of your own. Nothing is received, and no program is attached to the
//! interface.
//!
//! Packets leave in the order of the capture (over several queues at full speed: in order within
//! each queue), byte for byte as captured. The kernel gets them in batches of `BATCH`, or fewer if
//! they wait for their time.

mod af_packet;
mod af_xdp;
mod error;
mod interface;
mod kept;
mod open;
mod outlet;
mod report;
mod steer;
mod timing;
mod via;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

pub use error::SendError;
pub use report::{NotSent, Report, Unfit};
pub use timing::{PacketRate, ParsePacketRateError, Tempo};
pub use via::Via;

use capture_file::{Capture, Pace, PacketRef};
use interface::OutInterface;
use kept::Kept;
use outlet::Outlet;
use timing::Timing;

/// Packets handed to the kernel at once: one wake-up of an AF_XDP socket in copy mode sends as
/// many.
const BATCH: usize = 32;

/// Where, how and how fast to send.
#[derive(Debug, Clone)]
pub struct SendOptions {
    /// Name of the interface.
    pub interface: String,
    /// The kind of socket; `None` takes AF_XDP if it works, otherwise AF_PACKET.
    pub via: Option<Via>,
    /// Transmit queues to spread flows over, from queue 0 on; 0 counts as 1. More than one needs
    /// AF_XDP.
    pub queues: u32,
    /// When packets are due.
    pub tempo: Tempo,
    /// How often the capture is sent; `None` repeats it until stopped.
    pub rounds: Option<u64>,
}

/// Sends the capture at `path` until it is done or `stop` is set.
///
/// # Errors
/// The capture cannot be read, the interface is missing, down or not Ethernet, a privilege is
/// missing, or the kernel refuses to send. Packets that cannot be sent are not an error: the report
/// counts them.
pub fn send(path: &Path, options: &SendOptions, stop: &AtomicBool) -> Result<Report, SendError> {
    // Before a socket is opened, which may affect the interface.
    let mut capture = Some(open(path)?);
    let interface = OutInterface::find(&options.interface)?;
    let queues = options.queues.max(1);
    let threads = threads(path, queues, options.tempo);
    let failed = AtomicBool::new(false);
    let mut sendings = Vec::new();
    for number in 0..threads {
        let share = QueueShare { number, threads };
        let (outlet, via) = open::open(&interface, options.via, queues, share)?;
        sendings.push(Sending {
            outlet,
            interface: &interface,
            queues,
            share,
            timing: Timing::new(options.tempo),
            stops: [stop, &failed],
            report: Report::new(via, queues),
        });
    }
    let started = Instant::now();
    let reports = thread::scope(|scope| {
        let spawned: Vec<_> = sendings
            .into_iter()
            .map(|sending| {
                let capture = capture.take();
                scope.spawn(move || sending.run(path, capture, options.rounds, started))
            })
            .collect();
        let joined = spawned.into_iter().map(|thread| thread.join());
        joined.map(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    let mut all: Option<Report> = None;
    for report in reports {
        let report = report?;
        match &mut all {
            Some(all) => all.add(&report),
            None => all = Some(report),
        }
    }
    Ok(all.unwrap_or_else(|| Report::new(Via::AfPacket, queues)))
}

/// The number of sending threads: one for each queue, and no more than can run at once. Each reads
/// the whole capture, which standard input does not allow. At the capture's own pace a single
/// thread keeps the order between queues too.
fn threads(path: &Path, queues: u32, tempo: Tempo) -> u32 {
    let processors =
        thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    let is_paced = matches!(tempo, Tempo::Capture(pace) if pace != Pace::Max);
    if path == Path::new("-") || is_paced { 1 } else { queues.min(processors) }
}

/// The queues of a thread: its own number, and every `threads`-th after it.
#[derive(Debug, Clone, Copy)]
struct QueueShare {
    number: u32,
    threads: u32,
}

impl QueueShare {
    fn has(self, queue: u32) -> bool {
        queue % self.threads == self.number
    }
}

fn open(path: &Path) -> Result<Capture, SendError> {
    let opened =
        if path == Path::new("-") { Capture::from_reader(std::io::stdin()) } else { Capture::open(path) };
    opened.map_err(|error| SendError::read(path, error))
}

/// The work of one thread.
struct Sending<'a> {
    outlet: Box<dyn Outlet + Send>,
    interface: &'a OutInterface,
    queues: u32,
    share: QueueShare,
    timing: Timing,
    /// The caller's flag, and the flag that is set when a thread fails.
    stops: [&'a AtomicBool; 2],
    report: Report,
}

impl Sending<'_> {
    /// Sends its share of the packets. If that fails, the other threads stop as well.
    fn run(
        mut self,
        path: &Path,
        capture: Option<Capture>,
        rounds: Option<u64>,
        started: Instant,
    ) -> Result<Report, SendError> {
        let failed = self.stops[1];
        let capture = capture.map_or_else(|| open(path), Ok);
        let sent = match capture {
            Ok(_) if rounds == Some(0) => Ok(()),
            Ok(capture) => self.send_rounds(path, capture, rounds),
            Err(error) => Err(error),
        };
        let report = sent.and_then(|()| self.finish(started));
        if report.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        report
    }

    /// Sends the capture as often as requested; after the first time from memory, if it fits.
    fn send_rounds(&mut self, path: &Path, capture: Capture, rounds: Option<u64>) -> Result<(), SendError> {
        let mut kept = (rounds != Some(1)).then(Kept::default);
        let mut went_on = self.send_capture(path, capture, kept.as_mut())?;
        let mut round = 1;
        // If a round sends nothing, later rounds send nothing either.
        while went_on.is_continue() && self.report.packets > 0 && rounds.is_none_or(|rounds| round < rounds) {
            went_on = match kept.as_ref().and_then(Kept::packets) {
                Some(packets) => self.send_kept(packets)?,
                None => self.send_capture(path, open(path)?, None)?,
            };
            round += 1;
        }
        Ok(())
    }

    /// Sends the capture once and keeps its packets; [`ControlFlow::Break`] when it must stop.
    fn send_capture(
        &mut self,
        path: &Path,
        mut capture: Capture,
        mut kept: Option<&mut Kept>,
    ) -> Result<ControlFlow<()>, SendError> {
        self.timing.begin_round();
        while let Some(packet) = capture.next_packet().map_err(|error| SendError::read(path, error))? {
            if let Some(kept) = &mut kept {
                kept.add(&packet);
            }
            if self.send_packet(packet)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.report.warning = capture.warning().cloned();
        Ok(ControlFlow::Continue(()))
    }

    fn send_kept<'p>(
        &mut self,
        packets: impl Iterator<Item = PacketRef<'p>>,
    ) -> Result<ControlFlow<()>, SendError> {
        self.timing.begin_round();
        for packet in packets {
            if self.send_packet(packet)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    #[inline]
    fn send_packet(&mut self, packet: PacketRef<'_>) -> Result<ControlFlow<()>, SendError> {
        if timing::is_set(self.stops) {
            return Ok(ControlFlow::Break(()));
        }
        if let Err(reason) = self.interface.takes(&packet) {
            // All threads see it, and one counts it.
            if self.share.has(0) {
                self.report.not_sent.count(reason);
            }
            return Ok(ControlFlow::Continue(()));
        }
        let queue = if self.queues > 1 { steer::queue(packet.data, self.queues) } else { 0 };
        // Also for packets of other threads: the rate is that of all threads together.
        let wait = self.timing.wait(packet.timestamp_ns);
        if !self.share.has(queue) {
            return Ok(ControlFlow::Continue(()));
        }
        if !wait.is_zero() {
            // Packets that are due must not wait for packets that are not.
            self.flush()?;
            if timing::sleep(wait, self.stops).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let interface = self.interface;
        self.outlet.push(packet.data, queue).map_err(|error| interface.refused(error))?;
        self.report.packets += 1;
        self.report.bytes += packet.data.len() as u64;
        self.report.cut_short += u64::from(packet.data.len() < packet.wire_len as usize);
        Ok(ControlFlow::Continue(()))
    }

    fn flush(&mut self) -> Result<(), SendError> {
        self.outlet.flush().map_err(|error| self.interface.refused(error))
    }

    /// Waits until the kernel has taken everything, and returns the report.
    fn finish(mut self, started: Instant) -> Result<Report, SendError> {
        self.flush()?;
        let elapsed = started.elapsed();
        let dropped = self.outlet.dropped();
        Ok(Report { elapsed, dropped, ..self.report })
    }
}
