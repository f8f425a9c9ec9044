//! Has an interface take in frames that are not addressed to it, as a mirror port must.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::socklen_t;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// The interface is promiscuous as long as this lives; the kernel counts who wants it so, and ends it also when the
/// process dies.
#[derive(Debug)]
pub struct Promiscuous {
    _membership: OwnedFd,
}

impl Promiscuous {
    /// Asks the interface with this index.
    ///
    /// # Errors
    ///
    /// No CAP_NET_RAW, or no such interface.
    pub fn on(ifindex: u32) -> io::Result<Self> {
        // Without a protocol: it receives nothing.
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None)?;
        join(&socket, ifindex)?;
        Ok(Self { _membership: socket })
    }
}

/// Makes the interface promiscuous as long as the packet socket lives.
pub(super) fn join(socket: impl AsFd, ifindex: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: ifindex.cast_signed(),
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // SAFETY: the kernel reads one packet_mreq.
    let joined = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            (&raw const membership).cast(),
            size_of::<libc::packet_mreq>() as socklen_t,
        )
    };
    if joined == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
