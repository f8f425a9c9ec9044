//! AF_XDP sockets as the kernel and xsk-rs make them.

use std::error::Error;
use std::io;
use std::mem::size_of;
use std::num::NonZeroU32;

use xsk_rs::config::{BindFlags, FrameSize, LibxdpFlags, QueueSize, SocketConfig, UmemConfig};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem};

use super::frames::Frames;

/// Entries of the rings that a receiver does not use.
const UNUSED_RING: u32 = 64;

/// The ends of a socket's rings; those of the memory come with its first socket.
pub(super) type Rings = (TxQueue, RxQueue, Option<(FillQueue, CompQueue)>);

/// Memory for packets, and its free frames.
pub(super) fn memory(frames: Frames) -> io::Result<(Umem, Vec<FrameDesc>)> {
    let config = UmemConfig::builder()
        .frame_size(FrameSize::new(frames.bytes).map_err(io::Error::other)?)
        .fill_queue_size(ring(frames.count)?)
        .comp_queue_size(ring(UNUSED_RING)?)
        .build()
        .map_err(io::Error::other)?;
    let count = NonZeroU32::new(frames.count).ok_or(io::ErrorKind::InvalidInput)?;
    Umem::new(config, count, false).map_err(cause)
}

/// A socket of a receive queue, with this memory and room for so many packets.
pub(super) fn bind(interface: &str, queue: u32, umem: &Umem, packets: u32) -> io::Result<Rings> {
    let config = SocketConfig::builder()
        .rx_queue_size(ring(packets)?)
        .tx_queue_size(ring(UNUSED_RING)?)
        .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
        .bind_flags(BindFlags::XDP_USE_NEED_WAKEUP)
        .build();
    let name = interface.parse().map_err(io::Error::other)?;
    // SAFETY: loading a program is inhibited, as it must be where sockets share memory and queue.
    unsafe { Socket::new(config, umem, &name, queue) }.map_err(cause)
}

/// Whether a socket shares its memory with the driver.
pub(super) fn is_zero_copy(socket: i32) -> io::Result<bool> {
    let mut options = libc::xdp_options { flags: 0 };
    let mut len = size_of::<libc::xdp_options>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of
    // integers.
    let got = unsafe {
        libc::getsockopt(socket, libc::SOL_XDP, libc::XDP_OPTIONS, (&raw mut options).cast(), &raw mut len)
    };
    match got {
        0 => Ok(options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0),
        _ => Err(io::Error::last_os_error()),
    }
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
