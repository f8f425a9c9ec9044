//! The text exposition that Prometheus scrapes at `/metrics`.
//!
//! Every number has two families. Since the start of the agent it is a counter, named `_total`: rates
//! and sums over any time are made of it. Of one period of 60 seconds it is a gauge, named
//! `pktvisor_period_`: of the last closed period, or of the live one before the first rotation.
//! `pktvisor_period_start_timestamp_seconds` identifies the period. Distinct counts and quantiles
//! cannot be summed, so they exist for the period only, as do the top lists. Transaction times are
//! also a histogram since start.

mod archive;
mod declared;
mod findings;
mod lists;
mod process;
mod transactions;
mod writer;

use pktvisor_api::{App, FindingsDocument, Losses, Period, Rates};
use pktvisor_definitions::{GROUPS, LEDGER, RATES};
use serde::Serialize;
use serde_json::Value;

use super::source::SinceStart;
use declared::Naming;
use writer::Exposition;
use writer::FamilyKind::{Counter, Gauge};

/// The whole exposition.
pub(super) fn exposition(
    app: &App,
    rates: &Rates,
    findings: &FindingsDocument,
    sums: &SinceStart,
    period: Option<&Period>,
) -> String {
    let mut out = Exposition::default();
    agent(&mut out, app);
    process::families(&mut out);
    archive::families(&mut out, app.app.archive.as_ref());
    declared::families(&mut out, &[LEDGER], &document(app), Naming::Declared);
    losses(&mut out, app.app.losses.as_ref());
    declared::families(&mut out, &[RATES], &document(rates), Naming::Declared);
    findings::family(&mut out, findings);
    declared::families(&mut out, GROUPS, &document(&sums.period), Naming::SinceStart);
    transactions::since_start(&mut out, sums);
    if let Some(period) = period {
        span(&mut out, period);
        let document = document(period);
        declared::families(&mut out, GROUPS, &document, Naming::Declared);
        transactions::of_period(&mut out, &period.dns.xact);
        lists::families(&mut out, GROUPS, &document);
    }
    out.finish()
}

/// The JSON in which the declarations find their values.
fn document(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
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
    let help = "Queries waiting for their response for longer than a second.";
    out.single("pktvisor_dns_queries_waiting", Gauge, help, app.dns.xact.waiting);
}

/// A file loses nothing, so it has no such family.
fn losses(out: &mut Exposition, losses: Option<&Losses>) {
    let Some(losses) = losses else { return };
    let Losses { ring_full, no_socket, unreadable, xsk_full, packet_socket, driver } = *losses;
    let help = "Packets lost since start, by the place that lost them.";
    let mut family = out.family("pktvisor_lost_packets_total", Counter, help);
    for (cause, packets) in [
        ("ring_full", ring_full),
        ("no_socket", no_socket),
        ("unreadable", unreadable),
        ("xsk_full", xsk_full),
        ("packet_socket", packet_socket),
        ("driver", driver),
    ] {
        family.sample(&[("cause", cause)], packets);
    }
}

fn span(out: &mut Exposition, period: &Period) {
    let help = "When the period began.";
    out.single("pktvisor_period_start_timestamp_seconds", Gauge, help, period.period.start_ts);
    let help = "Length of the period.";
    out.single("pktvisor_period_length_seconds", Gauge, help, period.period.length);
    let help = "Analysed share of the DNS messages of the period, 0 to 1.";
    out.single("pktvisor_period_sampling_ratio", Gauge, help, period.sampling.rate);
}
