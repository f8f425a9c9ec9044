//! The AF_XDP sockets of one receive queue, one for each shard, with the memory that their packets
//! come in.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::socket::{getsockopt, sockopt};
use parking_lot::Mutex;
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::sharding::Shards;
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, TxQueue, Umem};

use super::error::TapError;
use super::frames::Frames;
use super::packet::{Memory, prefetch_record, record, without_record};
use super::socket::{bind, is_zero_copy, memory};
use crate::kernel::{NextRecord, RecordSource};

/// Frames taken at once.
const BURST_FRAMES: usize = 256;

/// Packets lost between the program and the worker thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatistics {
    /// Punted, but no frame was free, or the packet did not fit into one.
    pub lost_no_frame: u64,
    /// Punted, but the worker thread was too slow to take it.
    pub lost_ring_full: u64,
    /// How often the driver found no free frame. In zero-copy mode the card may lose packets for
    /// that, which it counts.
    pub starved: u64,
}

impl QueueStatistics {
    /// Packets that the program counts as delivered, but that did not arrive.
    pub fn lost(&self) -> u64 {
        self.lost_no_frame + self.lost_ring_full
    }
}

/// A socket's statistics, for other threads; who takes its packets brings them up to date.
#[derive(Clone, Debug, Default)]
pub struct StatisticsHandle(Arc<[AtomicU64; 3]>);

impl StatisticsHandle {
    /// As of a moment ago.
    pub fn read(&self) -> QueueStatistics {
        let [lost_no_frame, lost_ring_full, starved] =
            self.0.each_ref().map(|value| value.load(Ordering::Relaxed));
        QueueStatistics { lost_no_frame, lost_ring_full, starved }
    }

    fn write(&self, statistics: &QueueStatistics) {
        let QueueStatistics { lost_no_frame, lost_ring_full, starved } = *statistics;
        for (to, from) in self.0.iter().zip([lost_no_frame, lost_ring_full, starved]) {
            to.store(from, Ordering::Relaxed);
        }
    }
}

/// The packets of one receive queue that one shard is to take: a socket.
#[derive(Debug)]
pub struct TapQueue {
    ifindex: u32,
    number: u32,
    frames: Frames,
    /// How many packets can wait.
    room: u32,
    rx: RxQueue,
    /// The kernel's free frames; the sockets of a queue share them.
    fill: Arc<Mutex<FillQueue>>,
    umem: Umem,
    /// Frames that have come; those before `next` are done with, those from `count` on are none.
    received: Box<[FrameDesc]>,
    next: usize,
    count: usize,
    has_ended: bool,
    is_zero_copy: bool,
    statistics: StatisticsHandle,
    /// A socket has rings for sending, too, and lives while they do.
    _unused: (TxQueue, Option<CompQueue>),
}

impl TapQueue {
    /// Binds a socket for each shard, which share these frames. Without copying if the driver
    /// supports that: the kernel decides. No packet reaches them before they are in a program's map
    /// of sockets.
    pub(super) fn open(
        interface: &str,
        ifindex: u32,
        number: u32,
        frames: Frames,
        shards: Shards,
    ) -> Result<Vec<Self>, TapError> {
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
        let room = frames.share(shards.count());
        let bind = || bind(interface, number, &umem, room).map_err(refused);
        let (tx, rx, rings) = bind()?;
        let (mut fill, completions) =
            rings.ok_or_else(|| refused(io::Error::other("the socket came without its rings")))?;
        // SAFETY: frames of this memory that nobody uses; from now on the kernel does.
        unsafe { fill.produce(&free) };
        let fill = Arc::new(Mutex::new(fill));
        let socket = |(tx, rx, completions): (TxQueue, RxQueue, Option<CompQueue>)| {
            let is_zero_copy = is_zero_copy(rx.fd().as_raw_fd()).map_err(refused)?;
            Ok(Self {
                ifindex,
                number,
                frames,
                room,
                rx,
                fill: Arc::clone(&fill),
                umem: umem.clone(),
                received: vec![FrameDesc::default(); BURST_FRAMES].into(),
                next: 0,
                count: 0,
                has_ended: false,
                is_zero_copy,
                statistics: StatisticsHandle::default(),
                _unused: (tx, completions),
            })
        };
        let first = socket((tx, rx, Some(completions)));
        let further = (1..shards.count()).map(|_| bind().and_then(|(tx, rx, _)| socket((tx, rx, None))));
        std::iter::once(first).chain(further).collect()
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

    /// How many packets can wait.
    pub fn room(&self) -> u32 {
        self.room
    }

    /// A handle for other threads to read the statistics.
    pub fn statistics(&self) -> StatisticsHandle {
        self.statistics.clone()
    }

    /// The next frame. When all have been taken, they are given back, and the frames that have come
    /// since are next.
    #[inline]
    fn next_frame(&mut self) -> Option<&FrameDesc> {
        if self.next == self.count {
            self.give_back();
            // SAFETY: the descriptors are overwritten by those of frames that the kernel has
            // filled, of this socket's memory.
            self.count = unsafe { self.rx.consume(&mut self.received) };
        }
        self.received.get(..self.count)?.get(self.next)
    }

    /// Prefetches a frame that is taken soon.
    #[inline]
    fn prefetch_ahead(&self) {
        const AHEAD: usize = 2;
        let Some(frame) = self.received.get(..self.count).and_then(|frames| frames.get(self.next + AHEAD))
        else {
            return;
        };
        // SAFETY: the kernel has returned this frame of this memory, and has not got it back.
        prefetch_record(unsafe { self.umem.data(frame) }.contents());
    }

    /// Gives the frames back to the kernel once all of them have been taken.
    fn give_back(&mut self) {
        if self.next == self.count && self.count > 0 {
            // SAFETY: nothing refers to the frames any more, since lending one takes `&mut self`;
            // they are given back once. There is room for every frame.
            unsafe { self.fill.lock().produce(&self.received[..self.count]) };
            (self.next, self.count) = (0, 0);
        }
    }

    /// Brings the statistics up to date.
    ///
    /// # Errors
    ///
    /// The interface is gone. The kernel reports that once, and not by poll(2).
    fn update_statistics(&self) -> io::Result<()> {
        let kernel = self.rx.fd().xdp_statistics()?;
        self.statistics.write(&QueueStatistics {
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

impl RecordSource for TapQueue {
    /// The kernel hands packets over together, once the program has seen all that the driver has
    /// for now.
    const DELAY_NS: u64 = 1_000_000;

    #[inline]
    fn next(&mut self) -> Option<NextRecord> {
        let (ifindex, frame_bytes) = (self.ifindex, self.frames.bytes);
        let frame = *self.next_frame()?;
        // SAFETY: the kernel has returned this frame of this memory, and has not got it back.
        let (header, _) = unsafe { record(&Memory { umem: &self.umem, frame_bytes, ifindex }, &frame) };
        Some(header.map_or(NextRecord { timestamp_ns: 0, epoch: NextRecord::NO_EPOCH }, |header| {
            NextRecord { timestamp_ns: header.timestamp_ns, epoch: header.epoch() }
        }))
    }

    #[inline]
    fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
        let (ifindex, frame_bytes) = (self.ifindex, self.frames.bytes);
        let Some(frame) = self.next_frame().copied() else { return };
        self.prefetch_ahead();
        // SAFETY: as in `next`; `packet` is gone before the frame is given back.
        let (header, packet) = unsafe { record(&Memory { umem: &self.umem, frame_bytes, ifindex }, &frame) };
        let header = header.unwrap_or_else(|| without_record(ifindex, packet));
        take(&header, packet);
        self.next += 1;
    }

    fn release(&mut self) {
        self.give_back();
        if self.fill.lock().needs_wakeup() {
            // If the interface is gone, the upkeep reports it.
            let _ = self.rx.poll(0);
        }
    }

    fn fill(&mut self) -> f64 {
        let waiting = self.rx.nb_avail_exact() as usize + self.count - self.next;
        waiting as f64 / f64::from(self.room)
    }

    fn upkeep(&mut self) -> io::Result<()> {
        if self.has_ended {
            return Ok(());
        }
        self.update_statistics().inspect_err(|_| self.has_ended = true)
    }
}
