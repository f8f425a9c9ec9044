//! The text exposition that Prometheus scrapes at `/metrics`.
//!
//! Counts since the start of the agent are counters, named `_total`. Counts of one period of 60
//! seconds are gauges, named `pktvisor_period_`, of the last closed period, or of the live one
//! before the first rotation. `pktvisor_period_start_timestamp_seconds` identifies the period.

mod declared;
mod writer;

use pktvisor_api::{App, Dns, Period, Quantiles, Rates};
use pktvisor_definitions::{GROUPS, LEDGER, RATES};

use writer::Exposition;
use writer::Kind::Gauge;

/// The whole exposition.
pub(super) fn exposition(app: &App, rates: &Rates, period: Option<&Period>) -> String {
    let mut out = Exposition::default();
    agent(&mut out, app);
    declared::families(&mut out, &[LEDGER], app);
    declared::families(&mut out, &[RATES], rates);
    if let Some(period) = period {
        span(&mut out, period);
        declared::families(&mut out, GROUPS, period);
        transactions(&mut out, &period.dns);
    }
    out.finish()
}

fn agent(out: &mut Exposition, app: &App) {
    let labels = [("version", app.app.version.as_str())];
    out.family("pktvisor_build_info", Gauge, "The agent's version.").sample(&labels, 1);
    let uptime_s = app.app.up_time_min * 60.0;
    out.single("pktvisor_uptime_seconds", Gauge, "Seconds since the agent started.", uptime_s);
    #[expect(clippy::cast_precision_loss, reason = "at most 100")]
    let ceiling = app.app.deep_sample_rate_pct as f64 / 100.0;
    let help = "Ceiling of the share of DNS flows that are analysed, 0 to 1.";
    out.single("pktvisor_deep_sample_ceiling_ratio", Gauge, help, ceiling);
    let help = "Queries waiting for their response.";
    out.single("pktvisor_dns_transactions_open", Gauge, help, app.dns.xact.open);
}

fn span(out: &mut Exposition, period: &Period) {
    let help = "When the period began.";
    out.single("pktvisor_period_start_timestamp_seconds", Gauge, help, period.period.start_ts);
    let help = "Length of the period.";
    out.single("pktvisor_period_length_seconds", Gauge, help, period.period.length);
    let help = "Analysed share of the DNS messages of the period, 0 to 1.";
    out.single("pktvisor_period_sampling_ratio", Gauge, help, period.sampling.rate);
}

fn transactions(out: &mut Exposition, dns: &Dns) {
    let xact = &dns.xact;
    let counts = &xact.counts;
    out.family("pktvisor_period_dns_transactions", Gauge, "Answered queries of the period.")
        .sample(&[("direction", "in")], xact.inbound.total)
        .sample(&[("direction", "out")], xact.outbound.total)
        .sample(
            &[("direction", "unknown")],
            counts.total.saturating_sub(xact.inbound.total).saturating_sub(xact.outbound.total),
        );
    let help = "Time from query to response in the period, by quantile.";
    let mut times = out.family("pktvisor_period_dns_transaction_time_seconds", Gauge, help);
    for (direction, quantiles) in [("in", &xact.inbound.quantiles_us), ("out", &xact.outbound.quantiles_us)] {
        for (quantile, value_us) in quantiles.iter().flat_map(by_quantile) {
            #[expect(clippy::cast_precision_loss, reason = "microseconds of a few seconds")]
            let value_s = value_us as f64 / 1e6;
            times.sample(&[("direction", direction), ("quantile", quantile)], value_s);
        }
    }
}

fn by_quantile(quantiles: &Quantiles) -> [(&'static str, u64); 4] {
    let Quantiles { p50, p90, p95, p99 } = *quantiles;
    [("0.5", p50), ("0.9", p90), ("0.95", p95), ("0.99", p99)]
}
