//! A packet in userspace, from any source.

use crate::classify::LinkType;

/// Whose time stamp a packet has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// Its own.
    #[default]
    Own,
    /// That of the packet before it, since it was captured without one.
    Borrowed,
}

/// One packet as captured, borrowed from where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When it was captured, in nanoseconds since 1970-01-01 UTC.
    pub timestamp_ns: u64,
    /// Whether that time is its own.
    pub stamp: Stamp,
    /// The captured bytes, beginning with the link-layer header.
    pub data: &'a [u8],
    /// Length on the wire in bytes, of all its segments; more than `data` holds where the capture
    /// was snapped.
    pub wire_len: u32,
    /// The type of the first header in `data`.
    pub link_type: LinkType,
    /// How many packets it was on the wire: 1, or more where the host's segmentation or receive
    /// offload makes one of many.
    pub segments: u16,
}
