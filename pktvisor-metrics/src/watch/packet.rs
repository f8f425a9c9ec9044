//! The packet that is being analysed, and the transaction that its message completes.

use pktvisor_analysis::ClientSide;
use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;
use pktvisor_common::packet::Packet;

/// The packet that is being analysed.
#[derive(Clone, Copy, Debug)]
pub struct AnalysedPacket<'a, 'p> {
    /// The packet.
    pub packet: &'a Packet<'p>,
    /// What the classifier found.
    pub class: &'a Class,
    /// Its direction.
    pub direction: Direction,
}

/// A transaction that the response which is being analysed completes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CompletedTransaction {
    pub(super) client: ClientSide,
    pub(super) query_bytes: u32,
    pub(super) response_bytes: u32,
    pub(super) duration_ns: Option<u64>,
}
