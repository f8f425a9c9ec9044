//! Which way a packet goes, seen from HOST.

/// Decided on the outermost IP header: destination in HOST: received; else source in HOST: sent; else unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// Neither end is HOST, or the packet has no (whole) IP header.
    #[default]
    Unknown = 0,
    /// To HOST.
    Received = 1,
    /// From HOST.
    Sent = 2,
}
