//! Transactions since start: how many, and a histogram of their times.

use super::writer::{Exposition, FamilyKind};
use crate::serve::source::{SinceStart, TimeHistogram};

/// Writes both. Of transactions without a known direction the times are not kept.
pub(super) fn transactions(out: &mut Exposition, sums: &SinceStart) {
    let xact = &sums.period.dns.xact;
    let known = xact.inbound.total + xact.outbound.total;
    out.family(
        "pktvisor_dns_transactions_total",
        FamilyKind::Counter,
        "Answered queries since start by direction.",
    )
    .sample(&[("direction", "in")], xact.inbound.total)
    .sample(&[("direction", "out")], xact.outbound.total)
    .sample(&[("direction", "unknown")], xact.counts.total.saturating_sub(known));
    let help = "Time from query to response since start by direction.";
    let mut family = out.family("pktvisor_dns_transaction_duration_seconds", FamilyKind::Histogram, help);
    for (direction, times) in [("in", &sums.inbound), ("out", &sums.outbound)] {
        for (bound_us, below) in TimeHistogram::bounds_us().into_iter().zip(times.below) {
            let bound_s = seconds(bound_us).to_string();
            family.sample_of("_bucket", &[("direction", direction), ("le", &bound_s)], below);
        }
        family.sample_of("_bucket", &[("direction", direction), ("le", "+Inf")], times.count);
        family.sample_of("_sum", &[("direction", direction)], seconds(times.sum_us));
        family.sample_of("_count", &[("direction", direction)], times.count);
    }
}

#[expect(clippy::cast_precision_loss, reason = "the sum is known to within 0.4 % only")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
