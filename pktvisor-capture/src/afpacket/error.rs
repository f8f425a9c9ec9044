//! Why a packet socket does not work.

use std::io;

use crate::FilterError;

/// Capturing by a packet socket failed.
#[derive(Debug, thiserror::Error)]
pub enum AfPacketError {
    /// There is none to be had.
    #[error("cannot open a packet socket: {0}; it needs CAP_NET_RAW")]
    Socket(#[source] io::Error),
    /// One of its options was refused.
    #[error("cannot set {option} of the packet socket: {reason}")]
    Option {
        /// Its name in packet(7).
        option: &'static str,
        /// What the kernel said.
        reason: io::Error,
    },
    /// Its ring is made, but cannot be reached.
    #[error("cannot map the packet socket's ring of {bytes} bytes: {reason}")]
    Ring {
        /// Its size.
        bytes: usize,
        /// What the kernel said.
        reason: io::Error,
    },
    /// The interface is not there, or does not want to be listened to.
    #[error("cannot listen to interface {ifindex} (see ip link): {reason}")]
    Bind {
        /// Which; 0 for all.
        ifindex: u32,
        /// What the kernel said.
        reason: io::Error,
    },
    /// Waiting for packets failed.
    #[error("cannot wait for packets: {0}")]
    Poll(#[source] io::Error),
    /// The interface that was listened to has been removed.
    #[error("interface {ifindex} has gone")]
    Gone {
        /// Which.
        ifindex: u32,
    },
    /// The filter does not fit the interface.
    #[error(transparent)]
    Filter(#[from] FilterError),
}
