//! The arrival of segments, and the order in which those of both directions of a connection are
//! taken.

/// The maximum time that a gap waits once the peer has acknowledged it, in nanoseconds of packet
/// time. Captures of several receive queues are out of order by a few milliseconds, seldom more.
pub const REORDERING_NS: u64 = 10_000_000;

/// The arrival of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// By the capture's clock ...
    pub(super) time_ns: u64,
    /// ... and by the table's, which never goes back.
    pub(super) now_ns: u64,
    /// The number of segments so far, including this one.
    pub(super) number: u64,
}

impl Arrival {
    /// The segment's place among those of both directions.
    pub(super) fn order(self) -> Order {
        // A time stamp far in the past comes from a clock that was set back, and does not decide
        // the order.
        let is_usable = self.now_ns.saturating_sub(self.time_ns) <= REORDERING_NS;
        Order { time_ns: if is_usable { self.time_ns } else { self.now_ns }, rank: 2 * self.number }
    }
}

/// By time stamp, then by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    time_ns: u64,
    /// Twice the segment's number, or one less: right before it.
    rank: u64,
}

impl Order {
    /// Right before the segment with this order.
    pub(super) fn just_before(self) -> Self {
        Self { rank: self.rank.saturating_sub(1), ..self }
    }
}
