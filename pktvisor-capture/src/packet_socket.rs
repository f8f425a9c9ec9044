//! Packet sockets: the few calls of packet(7), one small function each.
//!
//! They are libc's, because nix can neither build a `sockaddr_ll` nor set an option of
//! `SOL_PACKET`.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::{c_int, c_void, socklen_t};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// A packet socket that receives nothing before it is bound: without a protocol no packet of
/// another interface gets in.
pub(crate) fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    Ok(socket(AddressFamily::Packet, SockType::Raw, flags, None)?)
}

/// Listens to every protocol on the interface, or on all for 0.
pub(crate) fn bind(fd: impl AsFd, ifindex: u32) -> io::Result<()> {
    // SAFETY: a structure of plain integers, of which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = ifindex as c_int;
    // SAFETY: the address is a whole `sockaddr_ll` and its size is given.
    let bound = unsafe {
        libc::bind(
            fd.as_fd().as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as socklen_t,
        )
    };
    check(bound)
}

/// Whether the interface that the socket was bound to has been removed.
pub(crate) fn is_unbound(fd: impl AsFd) -> bool {
    // SAFETY: a structure of plain integers, of which zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_ll>() as socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of
    // integers.
    let got = unsafe { libc::getsockname(fd.as_fd().as_raw_fd(), (&raw mut address).cast(), &raw mut len) };
    got == 0 && address.sll_ifindex == -1
}

/// Makes the interface promiscuous as long as the packet socket lives.
pub(crate) fn join_promiscuous(fd: impl AsFd, ifindex: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: ifindex.cast_signed(),
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    set(fd, libc::PACKET_ADD_MEMBERSHIP, &membership)
}

/// Sets an option of level `SOL_PACKET`.
pub(crate) fn set<T: Copy>(fd: impl AsFd, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes of a live value, and takes what it finds for
    // numbers.
    let set = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            option,
            std::ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    };
    check(set)
}

/// Statistics since the last call: the kernel resets them when they are read.
pub(crate) fn take_statistics(fd: impl AsFd) -> io::Result<libc::tpacket_stats_v3> {
    let mut statistics = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
    let mut len = size_of::<libc::tpacket_stats_v3>() as socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a structure of that size, made of
    // integers.
    let got = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast::<c_void>(),
            &raw mut len,
        )
    };
    check(got).map(|()| statistics)
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
