//! The agent's numbers as metric families, for all formats that carry them.
//!
//! Every number has two families. Since the start of the agent it is a counter: rates and sums over
//! any time are made of it. Of one period of 60 seconds it is a gauge, named `pktvisor_period_`: of the
//! last closed period, or of the live one before the first rotation.
//! `pktvisor_period_start_timestamp_seconds` identifies the period. Distinct counts and quantiles
//! cannot be summed, so they exist for the period only, as do the top lists. Transaction times are
//! also a histogram since start.
//!
//! ```text
//! declared      families that the declarations of the metrics ask for
//! lists         the top lists of the period
//! transactions  transactions and their times
//! times         a histogram of times, made of a distribution
//! findings      what is wrong now
//! archive       what has become of archived periods
//! cost          what the agent itself costs: CPU time by role of its threads, memory
//! ```

mod archive;
pub mod cost;
mod declared;
mod findings;
mod lists;
mod times;
mod transactions;

use std::time::SystemTime;

use metric_families::{FamilyKind, FamilySnapshot, MetricFamily};
use pktvisor_api::{App, FindingsDocument, Losses, Period, Rates};
use pktvisor_definitions::{GROUPS, LEDGER, RATES};
use serde::Serialize;
use serde_json::Value;

use FamilyKind::{Counter, Gauge};
use cost::AgentCost;
use declared::Naming;
pub use times::since_start as times_since_start;

/// All numbers of one moment, from which the families are made.
#[derive(Debug)]
pub struct Numbers<'a> {
    /// When the agent started.
    pub since: SystemTime,
    /// The moment.
    pub at: SystemTime,
    /// The agent about itself.
    pub app: &'a App,
    /// The last full second.
    pub rates: &'a Rates,
    /// What is wrong.
    pub findings: &'a FindingsDocument,
    /// Counters since start.
    pub sums: &'a SinceStart,
    /// The last closed period, or the live one before the first rotation.
    pub period: Option<&'a Period>,
    /// What the agent costs.
    pub cost: &'a AgentCost,
}

/// What was counted since start.
#[derive(Clone, Debug, Default)]
pub struct SinceStart {
    /// The counters, in the shape of a period. Its lists and distinct counts are empty.
    pub period: Period,
    /// Seconds from query to response, for queries to HOST.
    pub inbound: metric_families::Histogram,
    /// The same for queries from HOST.
    pub outbound: metric_families::Histogram,
}

/// Labels of points whose families the declarations of the metrics do not name.
const OWN_LABELS: [&str; 11] = [
    "version",
    "role",
    "cause",
    "outcome",
    "direction",
    "quantile",
    "name",
    "kind",
    "subject_kind",
    "subject",
    "severity",
];

/// Whether any family has points with this label.
pub fn is_label(name: &str) -> bool {
    OWN_LABELS.contains(&name) || declared::is_label(name)
}

/// The families of all numbers.
pub fn snapshot(numbers: &Numbers<'_>) -> FamilySnapshot {
    let Numbers { app, sums, .. } = numbers;
    let mut families = agent(app);
    families.extend(cost::families(numbers.cost, app.app.ledger.map_or(0, |ledger| ledger.seen)));
    families.extend(declared::families(&[LEDGER], &document(app), Naming::Declared));
    families.extend(app.app.losses.as_ref().map(losses));
    families.extend(app.app.archive.as_ref().into_iter().flat_map(archive::families));
    families.extend(declared::families(&[RATES], &document(numbers.rates), Naming::Declared));
    families.push(findings::family(numbers.findings));
    families.extend(declared::families(GROUPS, &document(&sums.period), Naming::SinceStart));
    families.extend(transactions::since_start(sums));
    if let Some(period) = numbers.period {
        families.extend(span(period));
        let document = document(period);
        families.extend(declared::families(GROUPS, &document, Naming::Declared));
        families.extend(transactions::of_period(&period.dns.xact));
        families.extend(lists::families(GROUPS, &document));
    }
    let labels = app.app.labels.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
    FamilySnapshot { since: numbers.since, at: numbers.at, labels, families }
}

/// The JSON in which the declarations find their values.
fn document(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// A family with a single point and no labels.
fn single(
    name: &'static str,
    kind: FamilyKind,
    help: &'static str,
    value: impl Into<metric_families::PointValue>,
) -> MetricFamily {
    MetricFamily::new(name, kind, help).with([], value)
}

fn agent(app: &App) -> Vec<MetricFamily> {
    let version = [("version", app.app.version.as_str())];
    #[expect(clippy::cast_precision_loss, reason = "at most 100")]
    let ceiling = app.app.deep_sample_rate_pct as f64 / 100.0;
    vec![
        MetricFamily::new("pktvisor_build_info", Gauge, "The agent's version.").with(version, 1),
        single(
            "pktvisor_uptime_seconds",
            Gauge,
            "Seconds since the agent started.",
            app.app.up_time_min * 60.0,
        ),
        single(
            "pktvisor_deep_sample_ceiling_ratio",
            Gauge,
            "Ceiling of the share of DNS flows that are analysed, 0 to 1.",
            ceiling,
        ),
        single(
            "pktvisor_dns_transactions_open",
            Gauge,
            "Queries waiting for their response.",
            app.dns.xact.open,
        ),
        single(
            "pktvisor_dns_queries_waiting",
            Gauge,
            "Queries waiting for their response for longer than a second.",
            app.dns.xact.waiting,
        ),
    ]
}

/// A file loses nothing, so it has no such family.
fn losses(losses: &Losses) -> MetricFamily {
    let Losses { ring_full, no_socket, unreadable, xsk_full, packet_socket, driver } = *losses;
    let help = "Packets lost since start, by the place that lost them.";
    let mut family = MetricFamily::new("pktvisor_lost_packets", Counter, help);
    for (cause, packets) in [
        ("ring_full", ring_full),
        ("no_socket", no_socket),
        ("unreadable", unreadable),
        ("xsk_full", xsk_full),
        ("packet_socket", packet_socket),
        ("driver", driver),
    ] {
        family.push([("cause", cause)], packets);
    }
    family
}

fn span(period: &Period) -> [MetricFamily; 3] {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970, and of a period")]
    let [start, length] = [period.period.start_ts, period.period.length].map(|seconds| seconds as f64);
    let share = "Analysed share of the DNS messages of the period, 0 to 1.";
    [
        single("pktvisor_period_start_timestamp_seconds", Gauge, "When the period began.", start),
        single("pktvisor_period_length_seconds", Gauge, "Length of the period.", length),
        single("pktvisor_period_sampling_ratio", Gauge, share, period.sampling.rate),
    ]
}
