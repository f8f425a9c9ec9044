//! The packet socket itself: the few calls of packet(7), one small function each.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::{c_int, c_void, socklen_t};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::error::AfPacketError;

/// A packet socket that hears nothing yet: neither protocol nor interface are chosen, lest packets of others get in
/// before it is bound.
pub(super) fn open() -> Result<OwnedFd, AfPacketError> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket(AddressFamily::Packet, SockType::Raw, flags, None)
        .map_err(|errno| AfPacketError::Socket(errno.into()))
}

/// Listens to every protocol on the interface, or on all for 0.
pub(super) fn bind(fd: impl AsFd, ifindex: u32) -> Result<(), AfPacketError> {
    // SAFETY: a structure of plain integers, of which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = ifindex as c_int;
    // SAFETY: the address is a whole `sockaddr_ll` and its size is told.
    let bound = unsafe {
        libc::bind(
            fd.as_fd().as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as socklen_t,
        )
    };
    match bound {
        0 => Ok(()),
        _ => Err(AfPacketError::Bind { ifindex, reason: io::Error::last_os_error() }),
    }
}

/// Whether the interface that the socket was bound to has been removed.
pub(super) fn is_unbound(fd: impl AsFd) -> bool {
    // SAFETY: a structure of plain integers, of which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_ll>() as socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of integers.
    let got = unsafe { libc::getsockname(fd.as_fd().as_raw_fd(), (&raw mut address).cast(), &raw mut len) };
    got == 0 && address.sll_ifindex == -1
}

/// Sets an option of level `SOL_PACKET`.
pub(super) fn set<T: Copy>(
    fd: impl AsFd,
    option: c_int,
    name: &'static str,
    value: &T,
) -> Result<(), AfPacketError> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes of a live value, and takes what it finds for numbers.
    let set = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            option,
            std::ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    };
    match set {
        0 => Ok(()),
        _ => Err(AfPacketError::Option { option: name, reason: io::Error::last_os_error() }),
    }
}

/// What happened since the last call: the kernel begins anew at each.
pub(super) fn take_statistics(fd: impl AsFd) -> Result<libc::tpacket_stats_v3, AfPacketError> {
    let mut statistics = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let mut len = size_of::<libc::tpacket_stats_v3>() as socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of integers.
    let got = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast::<c_void>(),
            &raw mut len,
        )
    };
    match got {
        0 => Ok(statistics),
        _ => Err(AfPacketError::Option { option: "PACKET_STATISTICS", reason: io::Error::last_os_error() }),
    }
}
