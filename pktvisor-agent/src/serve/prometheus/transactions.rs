//! Transactions of the period and since start: how many, and how long they took.

use pktvisor_api::{Quantiles, Transactions};

use super::writer::{Exposition, FamilyKind, FamilyWriter};
use crate::serve::source::{SinceStart, TimeHistogram};

/// Writes those since start, and a histogram of their times. Times of transactions whose direction is
/// unknown are not kept.
pub(super) fn since_start(out: &mut Exposition, sums: &SinceStart) {
    let help = "Answered queries since start by direction.";
    let family = out.family("pktvisor_dns_transactions_total", FamilyKind::Counter, help);
    sample_directions(family, &sums.period.dns.xact);
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

#[expect(clippy::cast_precision_loss, reason = "known to within 0.4 % only")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// Writes those of the period, and the quantiles of their times.
pub(super) fn of_period(out: &mut Exposition, xact: &Transactions) {
    let help = "Answered queries of the period.";
    let family = out.family("pktvisor_period_dns_transactions", FamilyKind::Gauge, help);
    sample_directions(family, xact);
    let help = "Time from query to response in the period, by quantile.";
    let mut times = out.family("pktvisor_period_dns_transaction_time_seconds", FamilyKind::Summary, help);
    for (direction, quantiles) in [("in", &xact.inbound.quantiles_us), ("out", &xact.outbound.quantiles_us)] {
        for (quantile, value_us) in quantiles.iter().flat_map(by_quantile) {
            times.sample(&[("direction", direction), ("quantile", quantile)], seconds(value_us));
        }
    }
}

/// Answered queries by direction; those of unknown direction are the rest of the total.
fn sample_directions(mut family: FamilyWriter<'_>, xact: &Transactions) {
    let known = xact.inbound.total + xact.outbound.total;
    family
        .sample(&[("direction", "in")], xact.inbound.total)
        .sample(&[("direction", "out")], xact.outbound.total)
        .sample(&[("direction", "unknown")], xact.counts.total.saturating_sub(known));
}

fn by_quantile(quantiles: &Quantiles) -> [(&'static str, u64); 4] {
    let Quantiles { p50, p90, p95, p99 } = *quantiles;
    [("0.5", p50), ("0.9", p90), ("0.95", p95), ("0.99", p99)]
}
