//! The time of a message.

use pktvisor_common::packet::Stamp;

/// A time stamp, and its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageTime {
    /// Nanoseconds since 1970-01-01 UTC.
    pub ns: u64,
    /// Whether the time stamp is the message's own.
    pub stamp: Stamp,
}

impl From<u64> for MessageTime {
    /// The message's own time stamp.
    fn from(ns: u64) -> Self {
        Self { ns, stamp: Stamp::Own }
    }
}
