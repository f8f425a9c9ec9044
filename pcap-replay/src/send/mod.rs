//! Sending a capture onto an interface.
//!
//! ```text
//! Capture ── which packets fit? ── Timing: when? ── steer: which queue? ── Outlet: AF_XDP │ AF_PACKET ── Report
//! ```
//!
//! What is sent leaves the machine as if a host had sent it, addresses and all: send onto a mirror port, a veth pair or a
//! network of your own. Nothing is received, and no program is attached to the interface.
//!
//! Packets go out in the order of the capture, byte for byte, without what the capture did not keep. They are handed to
//! the kernel in batches of [`BATCH`], less when they have to wait for their time.

mod af_packet;
mod af_xdp;
mod error;
mod interface;
mod kept;
mod outlet;
mod report;
mod steer;
mod timing;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

pub use error::SendError;
pub use outlet::Via;
pub use report::{NotSent, Report, Unfit};
pub use timing::{PacketRate, ParsePacketRateError, Tempo};

use crate::read::{Capture, PacketRef};
use interface::Interface;
use kept::Kept;
use outlet::Outlet;
use timing::Timing;

/// Packets handed to the kernel at once: what one wake-up of an AF_XDP socket sends in copy mode.
const BATCH: usize = 32;

/// Where, how and how fast to send.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the interface.
    pub interface: String,
    /// Through which kind of socket; `None` takes AF_XDP where it can be had, else AF_PACKET.
    pub via: Option<Via>,
    /// Transmit queues to spread flows over, from queue 0 on; 0 counts as 1. More than one needs AF_XDP.
    pub queues: u32,
    /// When packets are due.
    pub tempo: Tempo,
    /// How often the capture is sent; `None` for until stopped.
    pub rounds: Option<u64>,
}

/// Sends the capture at `path` until it is done or `stop` is set.
///
/// # Errors
/// The capture cannot be read, the interface is not there, is down or no Ethernet, a privilege is missing, or the kernel
/// refuses to send. Single packets that cannot be sent are no error: the report counts them.
pub fn send(path: &Path, options: &Options, stop: &AtomicBool) -> Result<Report, SendError> {
    // Before anything is opened that could be felt on the interface.
    let capture = open(path)?;
    let interface = Interface::find(&options.interface)?;
    let (outlet, via) = outlet::open(&interface, options.via, options.queues)?;
    let queues = options.queues.max(1);
    let mut sending = Sending {
        outlet,
        interface,
        queues,
        timing: Timing::new(options.tempo),
        stop,
        report: Report::new(via, queues),
    };
    let started = Instant::now();
    if options.rounds != Some(0) {
        sending.send_rounds(path, capture, options.rounds)?;
    }
    sending.finish(started)
}

fn open(path: &Path) -> Result<Capture, SendError> {
    let opened =
        if path == Path::new("-") { Capture::from_reader(std::io::stdin()) } else { Capture::open(path) };
    opened.map_err(|error| SendError::read(path, error))
}

struct Sending<'a> {
    outlet: Box<dyn Outlet>,
    interface: Interface,
    queues: u32,
    timing: Timing,
    stop: &'a AtomicBool,
    report: Report,
}

impl Sending<'_> {
    /// Sends the capture as often as asked for, from memory after the first time where it fits.
    fn send_rounds(&mut self, path: &Path, capture: Capture, rounds: Option<u64>) -> Result<(), SendError> {
        let mut kept = (rounds != Some(1)).then(Kept::default);
        let mut went_on = self.send_capture(path, capture, kept.as_mut())?;
        let mut round = 1;
        // A round in which nothing was sent is like all that would follow.
        while went_on.is_continue() && self.report.packets > 0 && rounds.is_none_or(|rounds| round < rounds) {
            went_on = match kept.as_ref().and_then(Kept::packets) {
                Some(packets) => self.send_kept(packets)?,
                None => self.send_capture(path, open(path)?, None)?,
            };
            round += 1;
        }
        Ok(())
    }

    /// Sends the capture once, keeping what it reads; [`ControlFlow::Break`] when told to stop.
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
        if self.stop.load(Ordering::Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        if let Err(reason) = self.interface.takes(&packet) {
            self.report.not_sent.count(reason);
            return Ok(ControlFlow::Continue(()));
        }
        let wait = self.timing.wait(packet.timestamp_ns);
        if !wait.is_zero() {
            // What is due may not wait for what is not.
            self.flush()?;
            if timing::sleep(wait, self.stop).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let queue = if self.queues > 1 { steer::queue(packet.data, self.queues) } else { 0 };
        let interface = &self.interface;
        self.outlet.push(packet.data, queue).map_err(|error| interface.refused(error))?;
        self.report.packets += 1;
        self.report.bytes += packet.data.len() as u64;
        self.report.cut_short += u64::from(packet.data.len() < packet.wire_len as usize);
        Ok(ControlFlow::Continue(()))
    }

    fn flush(&mut self) -> Result<(), SendError> {
        self.outlet.flush().map_err(|error| self.interface.refused(error))
    }

    /// Waits until the kernel has taken everything, and tells what was done.
    fn finish(mut self, started: Instant) -> Result<Report, SendError> {
        self.flush()?;
        let elapsed = started.elapsed();
        let dropped = self.outlet.dropped();
        Ok(Report { elapsed, dropped, ..self.report })
    }
}
