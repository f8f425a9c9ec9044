//! The text exposition that Prometheus scrapes at `/metrics`.
//!
//! Counts since the start of the agent are counters, named `_total`. Counts of one period of 60
//! seconds are gauges, named `pktvisor_period_`, of the last closed period, or of the live one
//! before the first rotation. `pktvisor_period_start_timestamp_seconds` identifies the period.

mod declared;
mod writer;

use pktvisor_api::{App, Dns, Ledger, Period, Quantiles, Rates};

use writer::Exposition;
use writer::Kind::{Counter, Gauge};

/// The whole exposition.
pub(super) fn exposition(app: &App, rates: &Rates, period: Option<&Period>) -> String {
    let mut out = Exposition::default();
    agent(&mut out, app);
    if let Some(counts) = &app.app.ledger {
        ledger(&mut out, counts);
    }
    last_second(&mut out, rates);
    if let Some(period) = period {
        span(&mut out, period);
        declared::families(&mut out, period);
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

fn ledger(out: &mut Exposition, counts: &Ledger) {
    let counters = [
        ("pktvisor_packets_seen_total", "Packets that reached the agent.", counts.seen),
        ("pktvisor_packets_filtered_total", "Packets that the filter took out.", counts.filtered),
        ("pktvisor_packets_counted_total", "Packets counted.", counts.counted),
        ("pktvisor_dns_packets_total", "Packets counted that may carry DNS.", counts.dns_packets),
        (
            "pktvisor_dns_packets_not_chosen_total",
            "DNS packets whose flow was not sampled for deep analysis.",
            counts.not_chosen,
        ),
        ("pktvisor_dns_packets_delivered_total", "DNS packets that reached deep analysis.", counts.delivered),
        ("pktvisor_dns_packets_lost_total", "DNS packets lost before deep analysis.", counts.lost),
        (
            "pktvisor_dns_packets_analysed_total",
            "Delivered packets that completed a message that parses.",
            counts.analysed,
        ),
        (
            "pktvisor_dns_packets_malformed_total",
            "Delivered packets whose messages do not parse.",
            counts.malformed,
        ),
        (
            "pktvisor_dns_packets_without_message_total",
            "Delivered packets that completed no message.",
            counts.without_message,
        ),
        ("pktvisor_dns_messages_total", "DNS messages counted.", counts.messages),
    ];
    for (name, help, value) in counters {
        out.single(name, Counter, help, value);
    }
}

fn last_second(out: &mut Exposition, rates: &Rates) {
    let rates = &rates.packets;
    out.family("pktvisor_packets_per_second", Gauge, "Packets in the last full second.")
        .sample(&[("direction", "in")], rates.received)
        .sample(&[("direction", "out")], rates.sent)
        .sample(&[("direction", "unknown")], rates.unknown);
    out.family("pktvisor_bytes_per_second", Gauge, "Wire bytes in the last full second.")
        .sample(&[("direction", "in")], rates.bytes_in)
        .sample(&[("direction", "out")], rates.bytes_out);
    out.family("pktvisor_dns_messages_per_second", Gauge, "DNS messages in the last full second.")
        .sample(&[("kind", "query")], rates.dns_queries)
        .sample(&[("kind", "reply")], rates.dns_replies);
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
