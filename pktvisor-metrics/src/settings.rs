//! The settings of the store: periods, their clock, and how names are cut.

use pktvisor_analysis::public_suffix::NameCut;

/// The clock of the periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The time stamps of the packets, for replayed captures.
    #[default]
    Packets,
    /// The wall clock, by [ticks](crate::Batch::tick), because a quiet interface ages too.
    Wall,
}

/// How the store divides time into periods, and how many it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Periods kept, the live one included; at least 1.
    pub periods: usize,
    /// One period for the whole capture.
    pub summary: bool,
    /// How names are cut for the lists.
    pub name_cut: NameCut,
    /// The clock of the periods.
    pub clock: Clock,
}
