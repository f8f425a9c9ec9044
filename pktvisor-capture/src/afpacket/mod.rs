//! Capture without BPF: a packet socket with a ring of blocks that the kernel fills (`TPACKET_V3`
//! of packet(7)).
//!
//! Every packet crosses into userspace, where the pipeline of the file replay classifies and counts
//! it. The host's traffic is untouched: the kernel copies. Needs CAP_NET_RAW and Linux 4.11;
//! nothing remains when the socket is closed, even by a crash.
//!
//! What the kernel changes before a packet socket sees it is undone: VLAN tags are put back into
//! the frame, and a packet that segmentation or receive offload makes of many says how many it was
//! on the wire. The loopback interface, which shows each packet as it leaves and as it arrives, is
//! heard once.

mod block;
mod bytes;
mod error;
mod frame;
mod offload;
mod ring;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

pub use block::Block;
pub use error::AfPacketError;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};

use crate::packet_socket;
use ring::BlockRing;

/// Bytes of a block: several of the largest packets there are (64 KiB), and a power of two, as the
/// kernel wants it.
const BLOCK_BYTES: usize = 1 << 20;
/// Blocks of the smallest ring: one is filled while the other is read.
const BLOCKS_MIN: usize = 2;
/// Blocks of the largest ring, 4 GiB less one block: what the kernel counts in 32 bits.
const BLOCKS_MAX: usize = 4095;
/// Smallest alignment of frames; the kernel uses no more of it.
const FRAME_BYTES: usize = 1 << 11;
/// Room before a packet for the VLAN tag that is put back.
const RESERVED_BYTES: libc::c_uint = 4;

/// What packet(7) takes for an interface index when a socket listens to all interfaces.
const ALL_INTERFACES: u32 = 0;

/// How to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// Memory for packets that wait, in bytes; rounded down to whole blocks of 1 MiB, 2 to 4095 of
    /// them. Where the kernel has less it is halved until it fits.
    pub ring_bytes: usize,
    /// How long a packet may wait for its block to fill.
    pub block_timeout: Duration,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self { ring_bytes: 64 << 20, block_timeout: Duration::from_millis(20) }
    }
}

/// Whether a virtio header stands before each frame. It says how many packets offload has merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VirtioHeader {
    Present,
    Absent,
}

/// The kernel's statistics of a socket since it was opened, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketStatistics {
    /// Frames that came, with those that were lost. The loopback interface counts twice.
    pub frames: u64,
    /// Frames among them that were lost, most often because the ring was full.
    pub lost: u64,
    /// How often the ring was full.
    pub freezes: u64,
}

/// A packet socket with its ring.
#[derive(Debug)]
pub struct AfPacket {
    // Unmapped before the socket is closed.
    ring: BlockRing,
    fd: OwnedFd,
    ifindex: u32,
    ring_bytes: usize,
    block_timeout: Duration,
    virtio_header: VirtioHeader,
    statistics: SocketStatistics,
}

impl AfPacket {
    /// Listens to the interface `ifindex`, or to all of this network namespace for `None`.
    ///
    /// # Errors
    ///
    /// No CAP_NET_RAW, no such interface, or not even memory for the smallest ring.
    pub fn open(ifindex: Option<u32>, options: &SocketOptions) -> Result<Self, AfPacketError> {
        let fd = packet_socket::open().map_err(AfPacketError::Socket)?;
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        packet_socket::set(&fd, libc::PACKET_VERSION, &version).map_err(refused("PACKET_VERSION"))?;
        packet_socket::set(&fd, libc::PACKET_RESERVE, &RESERVED_BYTES).map_err(refused("PACKET_RESERVE"))?;
        // Without it large packets of offload count as one.
        let virtio_header = match packet_socket::set(&fd, libc::PACKET_VNET_HDR, &1) {
            Ok(()) => VirtioHeader::Present,
            Err(_) => VirtioHeader::Absent,
        };
        let (ring, ring_bytes) = make_ring(&fd, options)?;
        bind(&fd, ifindex)?;
        let ifindex = ifindex.unwrap_or(ALL_INTERFACES);
        Ok(Self {
            ring,
            fd,
            ifindex,
            ring_bytes,
            block_timeout: options.block_timeout,
            virtio_header,
            statistics: SocketStatistics::default(),
        })
    }

    /// A handle that binds the socket to another interface while it is read.
    ///
    /// # Errors
    ///
    /// There are no file descriptors left.
    pub fn binding(&self) -> Result<Binding, AfPacketError> {
        let fd = self.fd.try_clone().map_err(AfPacketError::Socket)?;
        Ok(Binding { fd })
    }

    /// The next block of packets, if there is one.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        Block::next_of(&mut self.ring, self.virtio_header)
    }

    /// Whether a block waits to be read.
    pub fn has_block(&self) -> bool {
        self.ring.is_ready()
    }

    /// Waits until there is a block to read; `false`: not within `timeout` (whole milliseconds).
    ///
    /// # Errors
    ///
    /// The interface is gone. One that is only down brings packets again when it is up.
    pub fn poll(&self, timeout: Duration) -> Result<bool, AfPacketError> {
        if self.has_block() {
            return Ok(true);
        }
        let mut fds = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(AfPacketError::Poll(errno.into())),
        }
        let events = fds[0].revents().unwrap_or(PollFlags::empty());
        if events.contains(PollFlags::POLLERR) {
            self.take_error()?;
        }
        Ok(self.has_block())
    }

    /// Statistics since the socket was opened.
    ///
    /// # Errors
    ///
    /// The kernel does not say.
    pub fn statistics(&mut self) -> Result<SocketStatistics, AfPacketError> {
        let new = packet_socket::take_statistics(&self.fd).map_err(refused("PACKET_STATISTICS"))?;
        self.statistics.frames += u64::from(new.tp_packets);
        self.statistics.lost += u64::from(new.tp_drops);
        self.statistics.freezes += u64::from(new.tp_freeze_q_cnt);
        Ok(self.statistics)
    }

    /// Size of the ring, in bytes.
    pub fn ring_bytes(&self) -> usize {
        self.ring_bytes
    }

    /// Whether the kernel says how many packets offload has merged.
    pub fn counts_segments(&self) -> bool {
        self.virtio_header == VirtioHeader::Present
    }

    /// A packet is in a block that was handed over at most this long after it came: the kernel
    /// looks at intervals of the timeout whether a block has been open since the last look.
    pub fn latency_max(&self) -> Duration {
        self.block_timeout * 2
    }

    /// Takes the error of the socket, so that the next poll does not report it again.
    fn take_error(&self) -> Result<(), AfPacketError> {
        let error = getsockopt(&self.fd, sockopt::SocketError).unwrap_or(0);
        if packet_socket::is_unbound(&self.fd) {
            return Err(AfPacketError::Gone { ifindex: self.ifindex });
        }
        match Errno::from_raw(error) {
            // Down, which may pass.
            Errno::ENETDOWN | Errno::UnknownErrno => Ok(()),
            errno => Err(AfPacketError::Poll(errno.into())),
        }
    }
}

/// Binds a packet socket to another interface, from any thread and without a privilege; its ring
/// and its statistics stay.
#[derive(Debug)]
pub struct Binding {
    fd: OwnedFd,
}

impl Binding {
    /// From now on the socket receives from this interface only.
    ///
    /// # Errors
    ///
    /// There is no such interface.
    pub fn bind(&self, ifindex: u32) -> Result<(), AfPacketError> {
        bind(&self.fd, Some(ifindex))
    }

    /// Whether the interface that the socket was bound to has been removed.
    pub fn is_lost(&self) -> bool {
        packet_socket::is_unbound(&self.fd)
    }
}

impl AsFd for AfPacket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Binds a socket to an interface, or to all of them for `None`.
fn bind(fd: &OwnedFd, ifindex: Option<u32>) -> Result<(), AfPacketError> {
    let ifindex = ifindex.unwrap_or(ALL_INTERFACES);
    packet_socket::bind(fd, ifindex).map_err(|reason| AfPacketError::Bind { ifindex, reason })
}

fn refused(option: &'static str) -> impl FnOnce(io::Error) -> AfPacketError {
    move |reason| AfPacketError::Option { option, reason }
}

/// The largest ring, up to the requested size, that the kernel has memory for, and its size.
fn make_ring(fd: &OwnedFd, options: &SocketOptions) -> Result<(BlockRing, usize), AfPacketError> {
    let mut blocks = (options.ring_bytes / BLOCK_BYTES).clamp(BLOCKS_MIN, BLOCKS_MAX);
    while let Err(reason) = packet_socket::set(fd, libc::PACKET_RX_RING, &request(options, blocks)) {
        if blocks == BLOCKS_MIN {
            return Err(refused("PACKET_RX_RING")(reason));
        }
        blocks = (blocks / 2).max(BLOCKS_MIN);
    }
    let bytes = blocks * BLOCK_BYTES;
    let ring = BlockRing::map(fd, BLOCK_BYTES, blocks)
        .map_err(|reason| AfPacketError::BlockRing { bytes, reason })?;
    Ok((ring, bytes))
}

fn request(options: &SocketOptions, blocks: usize) -> libc::tpacket_req3 {
    libc::tpacket_req3 {
        tp_block_size: BLOCK_BYTES as u32,
        tp_block_nr: blocks as u32,
        tp_frame_size: FRAME_BYTES as u32,
        tp_frame_nr: (blocks * (BLOCK_BYTES / FRAME_BYTES)) as u32,
        tp_retire_blk_tov: u32::try_from(options.block_timeout.as_millis()).unwrap_or(u32::MAX).max(1),
        tp_sizeof_priv: 0,
        tp_feature_req_word: 0,
    }
}
