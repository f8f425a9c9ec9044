//! Sends through AF_XDP sockets, one for each transmit queue.
//!
//! The sockets use copy mode, which every driver supports: the kernel copies frames when it is
//! woken up, [`BATCH`] at a time, and returns them through the completion ring. Sending needs no
//! XDP program, and none is attached.

use std::error::Error;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::AsRawFd;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use xsk_rs::config::{BindFlags, FrameSize, LibxdpFlags, QueueSize, SocketConfig, UmemConfig};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem};

use super::error::SendError;
use super::interface::OutInterface;
use super::outlet::Outlet;
use super::via::Via;
use super::{BATCH, QueueShare};

/// Frames of a socket: enough to fill some while the kernel sends others.
const FRAMES: NonZeroU32 = NonZeroU32::new(512).expect("not zero");
/// A page: the kernel takes no larger frame.
const FRAME_SIZE: u32 = 4096;
/// Bytes of a frame that xsk-rs leaves free (XDP_PACKET_HEADROOM).
const HEADROOM: u32 = 256;
/// Longest packet, link-layer header included, in bytes.
pub(super) const LONGEST_FRAME: usize = (FRAME_SIZE - HEADROOM) as usize;

/// How long the kernel may take to free a queue whose socket has been closed.
const LONGEST_RELEASE: Duration = Duration::from_secs(1);

/// The queues of a thread.
pub(super) struct XdpOutlet {
    queues: Vec<TransmitQueue>,
    /// The distance from one of its queues to the next.
    stride: u32,
}

impl XdpOutlet {
    pub(super) fn open(interface: &OutInterface, queues: u32, share: QueueShare) -> Result<Self, SendError> {
        let open = |number| {
            let opened = TransmitQueue::open(interface, number);
            opened.map_err(|reason| SendError::open(Via::AfXdp, &interface.name, Some(number), reason))
        };
        let numbers = (0..queues).filter(|queue| share.has(*queue));
        Ok(Self { queues: numbers.map(open).collect::<Result<_, _>>()?, stride: share.threads })
    }
}

impl Outlet for XdpOutlet {
    #[inline]
    fn push(&mut self, frame: &[u8], queue: u32) -> io::Result<()> {
        match self.queues.get_mut((queue / self.stride) as usize) {
            Some(queue) => queue.push(frame),
            None => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.queues.iter_mut().try_for_each(TransmitQueue::flush)
    }

    fn dropped(&self) -> u64 {
        self.queues.iter().map(|queue| queue.dropped).sum()
    }
}

/// One socket, and the memory of its frames.
struct TransmitQueue {
    tx: TxQueue,
    completions: CompQueue,
    umem: Umem,
    /// Unused frames.
    free: Vec<FrameDesc>,
    /// Frames filled, but not yet in the transmit ring; at most [`BATCH`].
    filled: Vec<FrameDesc>,
    dropped: u64,
    /// Keeps the socket open, as the other queues do.
    _unused: (RxQueue, FillQueue),
}

impl TransmitQueue {
    fn open(interface: &OutInterface, number: u32) -> io::Result<Self> {
        let ring = QueueSize::new(FRAMES.get()).map_err(io::Error::other)?;
        let frame_size = FrameSize::new(FRAME_SIZE).map_err(io::Error::other)?;
        let memory = UmemConfig::builder()
            .frame_size(frame_size)
            .fill_queue_size(ring)
            .comp_queue_size(ring)
            .build()
            .map_err(io::Error::other)?;
        let (umem, free) = Umem::new(memory, FRAMES, false).map_err(cause)?;
        let config = SocketConfig::builder()
            .tx_queue_size(ring)
            .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
            .bind_flags(BindFlags::XDP_COPY)
            .build();
        let name = interface.name.parse().map_err(io::Error::other)?;
        let give_up = Instant::now() + LONGEST_RELEASE;
        let (tx, rx, rings) = loop {
            // SAFETY: no other socket shares this memory, and loading a program is inhibited.
            match unsafe { Socket::new(config, &umem, &name, number) }.map_err(cause) {
                Ok(socket) => break socket,
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < give_up => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(error) => return Err(error),
            }
        };
        let (fill, completions) = rings.ok_or_else(|| io::Error::other("the socket has no rings"))?;
        let filled = Vec::with_capacity(BATCH);
        Ok(Self { tx, completions, umem, free, filled, dropped: 0, _unused: (rx, fill) })
    }

    #[inline]
    fn push(&mut self, packet: &[u8]) -> io::Result<()> {
        let mut frame = self.free_frame()?;
        // SAFETY: a free frame of this memory, which neither the kernel nor `filled` refers to.
        let mut data = unsafe { self.umem.data_mut(&mut frame) };
        io::Write::write_all(&mut data.cursor(), packet)?;
        self.filled.push(frame);
        if self.filled.len() == BATCH { self.hand_over() } else { Ok(()) }
    }

    #[inline]
    fn free_frame(&mut self) -> io::Result<FrameDesc> {
        loop {
            if let Some(frame) = self.free.pop() {
                return Ok(frame);
            }
            self.take_back();
            if self.free.is_empty() {
                self.wake()?;
            }
        }
    }

    /// Puts the filled frames into the transmit ring and wakes up the kernel to send a batch.
    fn hand_over(&mut self) -> io::Result<()> {
        // SAFETY: the frames belong to this memory and were removed from `free`; the kernel owns
        // them until they return.
        let taken = unsafe { self.tx.produce(&self.filled) };
        // The ring has room for every frame of the socket, so it takes all.
        debug_assert_eq!(taken, self.filled.len());
        self.filled.clear();
        self.wake()?;
        self.take_back();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.filled.is_empty() {
            self.hand_over()?;
        }
        while self.tx.nb_free_exact() < FRAMES.get() {
            self.wake()?;
            self.take_back();
        }
        Ok(())
    }

    /// Takes back the frames that the kernel has sent.
    fn take_back(&mut self) {
        let mut frames = [FrameDesc::default(); BATCH];
        loop {
            // SAFETY: the descriptors are overwritten by those of frames that this socket has sent.
            let count = unsafe { self.completions.consume(&mut frames) };
            self.free.extend_from_slice(&frames[..count]);
            if count < BATCH {
                return;
            }
        }
    }

    /// Wakes up the kernel to send from the ring.
    fn wake(&mut self) -> io::Result<()> {
        let fd = self.tx.fd().as_raw_fd();
        let room_before = self.tx.nb_free_exact();
        // SAFETY: no bytes and no address are passed, which is how an AF_XDP socket is woken up.
        if unsafe { libc::sendto(fd, ptr::null(), 0, libc::MSG_DONTWAIT, ptr::null(), 0) } >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // The driver dropped the frame; the kernel continues behind it at the next call.
            Some(libc::EBUSY) => self.dropped += 1,
            // The ring holds more than one call sends.
            Some(libc::EAGAIN) if self.tx.nb_free_exact() != room_before => {}
            // The driver's queue is full, or too many frames are in flight: the thread that empties
            // it may need this CPU.
            Some(libc::EAGAIN | libc::ENOBUFS) => thread::yield_now(),
            Some(libc::EINTR) => {}
            _ => return Err(error),
        }
        Ok(())
    }
}

/// The operating system's reason, without the library's text around it.
fn cause(error: impl Error + Send + Sync + 'static) -> io::Error {
    match error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error)
    {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error),
    }
}
