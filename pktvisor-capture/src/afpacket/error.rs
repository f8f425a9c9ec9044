//! Why a packet socket does not work.

use std::io;

use crate::FilterError;

/// Capturing by a packet socket failed. Each message contains its cause, so no variant has a source
/// that would print it again.
#[derive(Debug, thiserror::Error)]
pub enum AfPacketError {
    /// The kernel does not open one.
    #[error("cannot open a packet socket: {0}; it needs CAP_NET_RAW")]
    Socket(io::Error),
    /// One of its options was refused.
    #[error("cannot set the option {option} of the packet socket: {reason}")]
    Option {
        /// Its name in packet(7).
        option: &'static str,
        /// The kernel's error.
        reason: io::Error,
    },
    /// Its ring cannot be mapped into memory.
    #[error("cannot map the packet socket's ring of {bytes} bytes: {reason}")]
    BlockRing {
        /// Its size.
        bytes: usize,
        /// The kernel's error.
        reason: io::Error,
    },
    /// The interface does not exist, or refuses the socket.
    #[error("cannot capture from interface {ifindex}: {reason}; `ip link` lists the interfaces")]
    Bind {
        /// Which; 0 for all.
        ifindex: u32,
        /// The kernel's error.
        reason: io::Error,
    },
    /// Waiting for packets failed.
    #[error("cannot wait for packets: {0}")]
    Poll(io::Error),
    /// The interface that was listened to has been removed.
    #[error("interface {ifindex} is gone")]
    Gone {
        /// Which.
        ifindex: u32,
    },
    /// The filter does not fit the interface.
    #[error(transparent)]
    Filter(#[from] FilterError),
}
