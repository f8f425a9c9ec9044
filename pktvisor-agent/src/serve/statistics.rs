//! What the server did not grant its clients, since start.

use std::sync::atomic::{AtomicU64, Ordering};

use pktvisor_api::HttpInfo;

/// A count that all connections share.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn record(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counts of one server; [`HttpInfo`] explains each.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) closed_for_others: Count,
    pub(super) refused: Count,
    pub(super) too_slow: Count,
    pub(super) busy: Count,
    pub(super) malformed: Count,
    pub(super) foreign_host: Count,
    pub(super) unauthorized: Count,
    pub(super) tls_failed: Count,
}

impl Statistics {
    /// The counts now.
    pub(super) fn info(&self) -> HttpInfo {
        HttpInfo {
            closed_for_others: self.closed_for_others.get(),
            refused: self.refused.get(),
            too_slow: self.too_slow.get(),
            busy: self.busy.get(),
            malformed: self.malformed.get(),
            foreign_host: self.foreign_host.get(),
            unauthorized: self.unauthorized.get(),
            tls_failed: self.tls_failed.get(),
        }
    }
}
