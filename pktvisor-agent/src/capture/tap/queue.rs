//! The AF_XDP socket of one receive queue, with the memory that its packets come in.

use std::error::Error;
use std::io;
use std::mem::size_of;
use std::num::NonZeroU32;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use pktvisor_common::kernel::record::RecordHeader;
use xsk_rs::config::{BindFlags, FrameSize, LibxdpFlags, QueueSize, SocketConfig, UmemConfig};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem};

use super::TapError;
use super::frames::Frames;
use super::packet::{Memory, expect, record, without_record};
use crate::capture::kernel::Source;

/// Frames taken at once.
const BURST_FRAMES: usize = 256;
/// Entries of the rings that a receiver does not use.
const UNUSED_RING: u32 = 64;

/// What was lost between the program and us, in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Handed over, but no frame was free, or the packet did not fit into one.
    pub lost_no_frame: u64,
    /// Handed over, but we were too slow to take it.
    pub lost_ring_full: u64,
    /// How often the driver found no free frame. In zero-copy mode the card may lose packets for that, which it counts.
    pub starved: u64,
}

impl Statistics {
    /// Packets that the program counts as handed up, and that did not arrive.
    pub fn lost(&self) -> u64 {
        self.lost_no_frame + self.lost_ring_full
    }
}

/// A queue's statistics, for other threads; who takes its packets brings them up to date.
#[derive(Clone, Debug, Default)]
pub struct StatisticsHandle(Arc<[AtomicU64; 3]>);

impl StatisticsHandle {
    /// As of a moment ago.
    pub fn read(&self) -> Statistics {
        let [lost_no_frame, lost_ring_full, starved] =
            self.0.each_ref().map(|value| value.load(Ordering::Relaxed));
        Statistics { lost_no_frame, lost_ring_full, starved }
    }

    fn write(&self, statistics: &Statistics) {
        let Statistics { lost_no_frame, lost_ring_full, starved } = *statistics;
        for (to, from) in self.0.iter().zip([lost_no_frame, lost_ring_full, starved]) {
            to.store(from, Ordering::Relaxed);
        }
    }
}

/// One receive queue's packets.
#[derive(Debug)]
pub struct Queue {
    ifindex: u32,
    number: u32,
    frames: Frames,
    rx: RxQueue,
    fill: FillQueue,
    umem: Umem,
    /// Frames that have come; those before `next` are done with, those from `count` on are none.
    received: Box<[FrameDesc]>,
    next: usize,
    count: usize,
    has_ended: bool,
    is_zero_copy: bool,
    statistics: StatisticsHandle,
    /// A socket has rings for sending, too, and lives while they do.
    _unused: (TxQueue, CompQueue),
}

impl Queue {
    /// Binds a socket with these frames. Without copying where the driver can: the kernel chooses. No packet
    /// reaches it before it is in a program's map of sockets.
    pub(super) fn open(interface: &str, ifindex: u32, number: u32, frames: Frames) -> Result<Self, TapError> {
        let refused = |reason| TapError::Socket { interface: interface.to_owned(), queue: number, reason };
        let (umem, free) = memory(frames).map_err(|reason| match reason.raw_os_error() {
            Some(libc::ENOBUFS | libc::ENOMEM) => TapError::Memory {
                interface: interface.to_owned(),
                queue: number,
                bytes: frames.memory_bytes(),
                reason,
            },
            _ => refused(reason),
        })?;
        let (tx, rx, rings) = bind(interface, number, &umem, frames.count).map_err(refused)?;
        let (mut fill, completions) =
            rings.ok_or_else(|| refused(io::Error::other("the socket came without its rings")))?;
        // SAFETY: frames of this memory that nobody uses; from now on the kernel does.
        unsafe { fill.produce(&free) };
        let is_zero_copy = is_zero_copy(rx.fd().as_raw_fd()).map_err(refused)?;
        Ok(Self {
            ifindex,
            number,
            frames,
            rx,
            fill,
            umem,
            received: vec![FrameDesc::default(); BURST_FRAMES].into(),
            next: 0,
            count: 0,
            has_ended: false,
            is_zero_copy,
            statistics: StatisticsHandle::default(),
            _unused: (tx, completions),
        })
    }

    /// Number of the receive queue.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The socket, for a program's map.
    pub fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the socket is open as long as `rx` lives, which is borrowed with `self`.
        unsafe { BorrowedFd::borrow_raw(self.rx.fd().as_raw_fd()) }
    }

    /// Whether the driver writes packets where we read them.
    pub fn is_zero_copy(&self) -> bool {
        self.is_zero_copy
    }

    /// Longest that packets may be left alone: the frames hold what comes meanwhile, up to 0.8 million a second.
    pub fn pause_max(&self) -> Duration {
        Duration::from_nanos(u64::from(self.frames.count) * 1200)
    }

    /// What other threads can read the statistics from.
    pub fn statistics(&self) -> StatisticsHandle {
        self.statistics.clone()
    }

    /// The next frame. When all have been taken they are given back, and what has come meanwhile is next.
    #[inline]
    fn next_frame(&mut self) -> Option<&FrameDesc> {
        if self.next == self.count {
            self.give_back();
            // SAFETY: the descriptors are overwritten by those of frames that the kernel has filled, of this socket's memory.
            self.count = unsafe { self.rx.consume(&mut self.received) };
        }
        self.received.get(..self.count)?.get(self.next)
    }

    /// Asks for the beginning of a frame whose turn comes soon.
    #[inline]
    fn expect_ahead(&self) {
        const AHEAD: usize = 2;
        let Some(frame) = self.received.get(..self.count).and_then(|frames| frames.get(self.next + AHEAD))
        else {
            return;
        };
        // SAFETY: the kernel has returned this frame of this memory, and has not got it back.
        expect(unsafe { self.umem.data(frame) }.contents());
    }

    /// Gives the frames back to the kernel once all of them have been taken.
    fn give_back(&mut self) {
        if self.next == self.count && self.count > 0 {
            // SAFETY: nothing refers to the frames any more, since lending one takes `&mut self`; they are given back once.
            // There is room for every frame.
            unsafe { self.fill.produce(&self.received[..self.count]) };
            (self.next, self.count) = (0, 0);
        }
    }

    /// Brings the statistics up to date.
    ///
    /// # Errors
    ///
    /// The interface is gone, which a socket is told once, and which waiting for it does not tell.
    fn update_statistics(&self) -> io::Result<()> {
        let kernel = self.rx.fd().xdp_statistics()?;
        self.statistics.write(&Statistics {
            lost_no_frame: kernel.rx_dropped(),
            lost_ring_full: kernel.rx_ring_full(),
            starved: kernel.rx_fill_ring_empty_descs(),
        });
        match getsockopt(&self.fd(), sockopt::SocketError)? {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }
}

impl Source for Queue {
    /// The kernel hands packets over together, once the program has seen all that the driver has for now.
    const DELAY_NS: u64 = 1_000_000;

    #[inline]
    fn next_ns(&mut self) -> Option<u64> {
        let (ifindex, frame_bytes) = (self.ifindex, self.frames.bytes);
        let frame = *self.next_frame()?;
        // SAFETY: the kernel has returned this frame of this memory, and has not got it back.
        let (header, _) = unsafe { record(&Memory { umem: &self.umem, frame_bytes, ifindex }, &frame) };
        Some(header.map_or(0, |header| header.timestamp_ns))
    }

    #[inline]
    fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
        let (ifindex, frame_bytes) = (self.ifindex, self.frames.bytes);
        let Some(frame) = self.next_frame().copied() else { return };
        self.expect_ahead();
        // SAFETY: as in `next_ns`; `packet` is gone before the frame is given back.
        let (header, packet) = unsafe { record(&Memory { umem: &self.umem, frame_bytes, ifindex }, &frame) };
        let header = header.unwrap_or_else(|| without_record(ifindex, packet));
        take(&header, packet);
        self.next += 1;
    }

    fn release(&mut self) {
        self.give_back();
        if self.fill.needs_wakeup() {
            // Should the interface be gone, the upkeep tells.
            let _ = self.rx.poll(0);
        }
    }

    fn fill(&mut self) -> f64 {
        let waiting = self.rx.nb_avail_exact() as usize + self.count - self.next;
        waiting as f64 / f64::from(self.frames.count)
    }

    fn upkeep(&mut self) -> io::Result<()> {
        if self.has_ended {
            return Ok(());
        }
        self.update_statistics().inspect_err(|_| self.has_ended = true)
    }
}

/// Memory for packets, and its free frames.
fn memory(frames: Frames) -> io::Result<(Umem, Vec<FrameDesc>)> {
    let config = UmemConfig::builder()
        .frame_size(FrameSize::new(frames.bytes).map_err(io::Error::other)?)
        .fill_queue_size(ring(frames.count)?)
        .comp_queue_size(ring(UNUSED_RING)?)
        .build()
        .map_err(io::Error::other)?;
    let count = NonZeroU32::new(frames.count).ok_or(io::ErrorKind::InvalidInput)?;
    Umem::new(config, count, false).map_err(cause)
}

type Rings = (TxQueue, RxQueue, Option<(FillQueue, CompQueue)>);

fn bind(interface: &str, queue: u32, umem: &Umem, frames: u32) -> io::Result<Rings> {
    let config = SocketConfig::builder()
        .rx_queue_size(ring(frames)?)
        .tx_queue_size(ring(UNUSED_RING)?)
        .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
        .bind_flags(BindFlags::XDP_USE_NEED_WAKEUP)
        .build();
    let name = interface.parse().map_err(io::Error::other)?;
    // SAFETY: no other socket shares this memory, and loading a program is inhibited.
    unsafe { Socket::new(config, umem, &name, queue) }.map_err(cause)
}

fn ring(entries: u32) -> io::Result<QueueSize> {
    QueueSize::new(entries).map_err(io::Error::other)
}

/// What the kernel said; xsk-rs keeps it behind words of its own.
fn cause(error: impl Error + Send + Sync + 'static) -> io::Error {
    match error.source().and_then(|source| source.downcast_ref::<io::Error>()?.raw_os_error()) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::other(error),
    }
}

fn is_zero_copy(socket: i32) -> io::Result<bool> {
    let mut options = libc::xdp_options { flags: 0 };
    let mut len = size_of::<libc::xdp_options>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of integers.
    let got = unsafe {
        libc::getsockopt(socket, libc::SOL_XDP, libc::XDP_OPTIONS, (&raw mut options).cast(), &raw mut len)
    };
    match got {
        0 => Ok(options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0),
        _ => Err(io::Error::last_os_error()),
    }
}
