//! Has an interface take in frames that are not addressed to it, as a mirror port must.

use std::io;
use std::os::fd::OwnedFd;

use crate::packet_socket;

/// The interface is promiscuous as long as this lives. The kernel counts the sockets that want it
/// so, and also stops when the process dies.
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
        // Never bound, so that it receives nothing.
        let socket = packet_socket::open()?;
        packet_socket::join_promiscuous(&socket, ifindex)?;
        Ok(Self { _membership: socket })
    }
}
