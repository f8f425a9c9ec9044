//! How time is cut, what moves it, and how names are cut.

use pktvisor_analysis::public_suffix::NameCut;

/// What moves the clock of the periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The packets: what is replayed has a time of its own.
    #[default]
    Packets,
    /// Whoever [ticks](crate::Batch::tick): a quiet interface grows older, too.
    Wall,
}

/// How time is cut and how much of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Periods kept, the live one included; at least 1.
    pub periods: usize,
    /// One period for the whole capture.
    pub summary: bool,
    /// How names are cut for the lists.
    pub name_cut: NameCut,
    /// What moves the clock.
    pub clock: Clock,
}
