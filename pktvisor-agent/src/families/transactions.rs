//! Transactions of the period and since start: how many, and how long they took.

use metric_families::{FamilyKind, MetricFamily, PointValue};
use pktvisor_api::{Quantiles, Transactions};

use super::SinceStart;

/// Those since start, and a histogram of their times. Times of transactions whose direction is unknown
/// are not kept.
pub(super) fn since_start(sums: &SinceStart) -> [MetricFamily; 2] {
    let help = "Answered queries since start by direction.";
    let counts = by_direction("pktvisor_dns_transactions", FamilyKind::Counter, help, &sums.period.dns.xact);
    let help = "Time from query to response since start by direction.";
    let times = MetricFamily::new("pktvisor_dns_transaction_duration_seconds", FamilyKind::Histogram, help)
        .with([("direction", "in")], sums.inbound.clone())
        .with([("direction", "out")], sums.outbound.clone());
    [counts, times]
}

/// Those of the period, and the quantiles of their times.
pub(super) fn of_period(xact: &Transactions) -> [MetricFamily; 2] {
    let help = "Answered queries of the period.";
    let counts = by_direction("pktvisor_period_dns_transactions", FamilyKind::Gauge, help, xact);
    let help = "Time from query to response in the period, by quantile.";
    let mut times =
        MetricFamily::new("pktvisor_period_dns_transaction_time_seconds", FamilyKind::Summary, help);
    for (direction, quantiles) in [("in", &xact.inbound.quantiles_us), ("out", &xact.outbound.quantiles_us)] {
        if let Some(quantiles) = quantiles {
            times.push([("direction", direction)], PointValue::Quantiles(by_quantile(quantiles)));
        }
    }
    [counts, times]
}

/// Answered queries by direction; those of unknown direction are the rest of the total.
fn by_direction(
    name: &'static str,
    kind: FamilyKind,
    help: &'static str,
    xact: &Transactions,
) -> MetricFamily {
    let known = xact.inbound.total + xact.outbound.total;
    MetricFamily::new(name, kind, help)
        .with([("direction", "in")], xact.inbound.total)
        .with([("direction", "out")], xact.outbound.total)
        .with([("direction", "unknown")], xact.counts.total.saturating_sub(known))
}

fn by_quantile(quantiles: &Quantiles) -> Vec<(f64, f64)> {
    let Quantiles { p50, p90, p95, p99 } = *quantiles;
    [(0.5, p50), (0.9, p90), (0.95, p95), (0.99, p99)].map(|(quantile, us)| (quantile, seconds(us))).into()
}

#[expect(clippy::cast_precision_loss, reason = "known to within 0.4 % only")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
