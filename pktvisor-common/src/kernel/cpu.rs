//! The value of the map `CPU`: where one processor counts, so that a packet needs a single look-up.
//! There are two copies, one for epochs of even and one for epochs of odd number: the copy that is
//! not live no longer changes while it is read.

use crate::classify::{Class, UnknownEtherTypes};
use crate::counters::Counters;
use crate::wire::Wire;

/// One processor's own. Never reset: the agent subtracts what it has read before.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(8))]
pub struct CpuState {
    /// Counted for every packet.
    pub counters: Counters,
    /// Outcomes of packets for deep analysis.
    pub punted: Punts,
    /// The classification of the running program's packet.
    ///
    /// Not on the stack: the verifier remembers every value on the stack on every path and checks
    /// the rest of the program for each. It forgets values in a map.
    pub class: Class,
    /// See [`MissedHeader`].
    pub missed: MissedHeader,
    /// What the running program's packet is on the wire; here for the same reason as `class`. XDP
    /// has single packets and does without.
    pub wire: Wire,
    /// Frames of EtherTypes that are not understood. Last, since few packets touch it.
    pub ethertypes: UnknownEtherTypes,
}

/// The outcomes of punted DNS packets. Their sum and `dns_not_sampled` is `dns_packets`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Punts {
    /// Handed to the agent.
    pub delivered: u64,
    /// Lost because the ring buffer was full.
    pub lost_ring_full: u64,
    /// Lost because the packet's receive queue has no socket (`tap`).
    pub lost_no_socket: u64,
    /// Lost because the packet's bytes could not be read.
    pub lost_unreadable: u64,
}

impl Punts {
    /// Adds what `other` counted.
    pub fn add(&mut self, other: &Self) {
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.lost_ring_full = self.lost_ring_full.saturating_add(other.lost_ring_full);
        self.lost_no_socket = self.lost_no_socket.saturating_add(other.lost_no_socket);
        self.lost_unreadable = self.lost_unreadable.saturating_add(other.lost_unreadable);
    }

    /// Lost packets, for all causes.
    pub fn lost(&self) -> u64 {
        self.lost_ring_full.saturating_add(self.lost_no_socket).saturating_add(self.lost_unreadable)
    }
}

/// How many directly readable bytes the classifier would have needed for the header that it could
/// not read; 0 if it read all.
pub type MissedHeader = u64;
