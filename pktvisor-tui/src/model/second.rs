//! One second: as charts show it, and as an agent counted it.

use crate::format::permille;

/// One second. Unknown numbers are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondSample {
    /// Packets to HOST.
    pub received: Option<u64>,
    /// Packets from HOST.
    pub sent: Option<u64>,
    /// Packets of unknown direction.
    pub unknown: Option<u64>,
    /// DNS queries.
    pub queries: Option<u64>,
    /// Replies that are neither NOERROR nor NXDOMAIN, in a thousand replies.
    pub errors_permille: Option<u64>,
    /// Queries that timed out, in a thousand that ended.
    pub unanswered_permille: Option<u64>,
    /// The 95th percentile of the transaction times in µs, the larger one of both directions.
    pub p95_us: Option<u64>,
}

/// One second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SecondCounts {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) unknown: u64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) queries: u64,
    pub(super) replies: u64,
    /// Replies that are neither NOERROR nor NXDOMAIN.
    pub(super) errors: u64,
    pub(super) nxdomain: u64,
    pub(super) timed_out: u64,
    pub(super) inbound: DirectionCounts,
    pub(super) outbound: DirectionCounts,
}

/// Transactions of one direction in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DirectionCounts {
    pub(super) total: u64,
    pub(super) p95_us: Option<u64>,
}

impl SecondCounts {
    pub(super) fn sample(&self) -> SecondSample {
        let ended = self.inbound.total.saturating_add(self.outbound.total).saturating_add(self.timed_out);
        SecondSample {
            received: Some(self.received),
            sent: Some(self.sent),
            unknown: Some(self.unknown),
            queries: Some(self.queries),
            errors_permille: permille(self.errors, self.replies),
            unanswered_permille: permille(self.timed_out, ended),
            p95_us: self.inbound.p95_us.max(self.outbound.p95_us),
        }
    }
}
