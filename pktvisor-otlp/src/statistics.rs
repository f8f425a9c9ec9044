//! What became of the requests, as metric families.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use metric_families::{FamilyKind, MetricFamily};

/// Counts since start. The pusher adds, readers read.
#[derive(Debug, Default)]
pub struct PushStatistics {
    accepted: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    rejected_points: AtomicU64,
    given_up_full: AtomicU64,
    given_up_refused: AtomicU64,
    waiting: AtomicU64,
}

impl PushStatistics {
    /// The counts as families.
    pub fn families(&self) -> Vec<MetricFamily> {
        let requests = MetricFamily::new(
            "pktvisor_otlp_requests",
            FamilyKind::Counter,
            "Requests to the OpenTelemetry collector by outcome: accepted, failed and tried again, or refused.",
        )
        .with([("outcome", "accepted")], self.accepted.load(Relaxed))
        .with([("outcome", "failed")], self.failed.load(Relaxed))
        .with([("outcome", "refused")], self.refused.load(Relaxed));
        let given_up = MetricFamily::new(
            "pktvisor_otlp_given_up_snapshots",
            FamilyKind::Counter,
            "Snapshots that the OpenTelemetry collector never got: too many waited for it, or it refused them.",
        )
        .with([("cause", "queue_full")], self.given_up_full.load(Relaxed))
        .with([("cause", "refused")], self.given_up_refused.load(Relaxed));
        let rejected = MetricFamily::new(
            "pktvisor_otlp_rejected_points",
            FamilyKind::Counter,
            "Points that the OpenTelemetry collector rejected in requests that it accepted.",
        )
        .with([], self.rejected_points.load(Relaxed));
        let waiting = MetricFamily::new(
            "pktvisor_otlp_waiting_snapshots",
            FamilyKind::Gauge,
            "Snapshots that wait for the OpenTelemetry collector.",
        )
        .with([], self.waiting.load(Relaxed));
        vec![requests, given_up, rejected, waiting]
    }

    /// Snapshots given up so far.
    pub fn given_up(&self) -> u64 {
        self.given_up_full.load(Relaxed) + self.given_up_refused.load(Relaxed)
    }

    pub(crate) fn count_accepted(&self, rejected_points: u64) {
        self.accepted.fetch_add(1, Relaxed);
        self.rejected_points.fetch_add(rejected_points, Relaxed);
    }

    pub(crate) fn count_failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
        self.given_up_refused.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_given_up(&self, snapshots: u64) {
        self.given_up_full.fetch_add(snapshots, Relaxed);
    }

    pub(crate) fn set_waiting(&self, snapshots: usize) {
        self.waiting.store(snapshots as u64, Relaxed);
    }
}
