//! Why an interface cannot be tapped.

use std::error::Error;
use std::io;

/// Capturing by AF_XDP failed.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The host uses the interface itself.
    #[error(
        "{interface} has {use_}: in tap mode the host would no longer receive anything on it; use --mode inline, or \
         --force to insist"
    )]
    InUse {
        /// Which.
        interface: String,
        /// The address, route or bridge.
        use_: String,
    },
    /// Sockets on a bond are accepted, and receive nothing.
    #[error(
        "cannot tap {interface}, a bond: run one agent for each of its ports (ip link show master {interface})"
    )]
    Bond {
        /// Which.
        interface: String,
    },
    /// The kernel does not describe the interface.
    #[error("cannot read {path}: {reason}")]
    Unknown {
        /// The file that describes it.
        path: String,
        /// Why it cannot be read.
        reason: io::Error,
    },
    /// The interface does not take in frames for others.
    #[error("cannot make {interface} promiscuous: {reason}")]
    Promiscuous {
        /// Which.
        interface: String,
        /// The kernel's error.
        reason: io::Error,
    },
    /// No memory for packets.
    #[error(
        "cannot lock {bytes} bytes of memory for the packets of {interface} queue {queue}: {reason}; raise the limit \
         (LimitMEMLOCK=infinity in the systemd unit, or ulimit -l)"
    )]
    Memory {
        /// Which.
        interface: String,
        /// Number of the receive queue.
        queue: u32,
        /// How much memory.
        bytes: u64,
        /// The kernel's error.
        reason: io::Error,
    },
    /// No socket for a queue.
    #[error("cannot open an AF_XDP socket on {interface} queue {queue}: {reason}")]
    Socket {
        /// Which.
        interface: String,
        /// Number of the receive queue.
        queue: u32,
        /// The kernel's error.
        reason: io::Error,
    },
    /// A socket that no packets can reach.
    #[error("cannot hand the packets of queue {queue} to their socket: {reason}")]
    Insert {
        /// Number of the receive queue.
        queue: u32,
        /// The error of the map.
        reason: Box<dyn Error + Send + Sync>,
    },
}
