//! `docs/metrics.md` and the types of the HTTP JSON name the same keys.

use std::collections::BTreeSet;

use pktvisor_api::{
    App, ArchiveInfo, CaptureInfo, HttpInfo, Ledger, Losses, Period, Quantiles, Rates, SandboxInfo,
    SeriesDocument,
};
use serde_json::Value;

const METRICS: &str = include_str!("../../docs/metrics.md");

#[test]
fn every_key_of_a_period_is_documented_and_no_other() {
    assert_eq!(
        documented(|section| !section.starts_with('/') && !is_of_agent(section)),
        keys(&full_period())
    );
}

#[test]
fn every_key_of_the_agent_is_documented_and_no_other() {
    assert_eq!(documented(is_of_agent), keys(&full_app()));
}

#[test]
fn every_key_of_the_rates_is_documented_and_no_other() {
    let rates = serde_json::to_value(Rates::default()).expect("rates serialise");
    assert_eq!(documented(|section| section == "/api/v1/metrics/rates"), keys(&rates));
}

#[test]
fn every_key_of_the_series_is_documented_and_no_other() {
    let series = serde_json::to_value(SeriesDocument::default()).expect("the series serialises");
    assert_eq!(documented(|section| section == "/api/v1/metrics/series"), keys(&series));
}

/// Whether a section documents the agent's answer, or a part of it.
fn is_of_agent(section: &str) -> bool {
    section == "/api/v1/metrics/app" || section.starts_with("app.")
}

/// A period in which every key that may be absent is present.
fn full_period() -> Value {
    let mut period = Period::default();
    let some = Some(Quantiles::default());
    (period.packets.rates.pps_in, period.packets.rates.pps_out) = (some, some);
    (period.dns.xact.inbound.quantiles_us, period.dns.xact.outbound.quantiles_us) = (some, some);
    period.dns.xact.unknown.quantiles_us = some;
    period.dns.edns.udp_size_bytes = some;
    let (inbound, outbound) = (&mut period.dns.inbound, &mut period.dns.outbound);
    (inbound.query_size_bytes, outbound.query_size_bytes) = (some, some);
    (inbound.response_size_bytes, outbound.response_size_bytes) = (some, some);
    (inbound.size_ratio_pct, outbound.size_ratio_pct) = (some, some);
    serde_json::to_value(period).expect("a period serialises")
}

fn full_app() -> Value {
    let mut app = App::default();
    let capture = CaptureInfo { hook: Some(String::new()), zero_copy: Some(false), ..CaptureInfo::default() };
    (app.app.capture, app.app.ledger) = (Some(capture), Some(Ledger::default()));
    (app.app.deep_sample_rate_now_pct, app.app.losses) = (Some(0.0), Some(Losses::default()));
    (app.app.sandbox, app.app.http) = (Some(SandboxInfo::default()), Some(HttpInfo::default()));
    app.app.archive = Some(ArchiveInfo { last_failure: Some(String::new()), ..ArchiveInfo::default() });
    serde_json::to_value(app).expect("the agent's answer serialises")
}

/// Dotted paths of all values. A list is one value, and so are the quantiles of one distribution and
/// a map with keys of the operator's own, which is empty here.
fn keys(document: &Value) -> BTreeSet<String> {
    let Value::Object(entries) = document else { return BTreeSet::new() };
    let mut paths = BTreeSet::new();
    for (key, value) in entries {
        let is_group = value.as_object().is_some_and(|entries| !entries.is_empty());
        if is_group && value.get("p50").is_none() {
            paths.extend(keys(value).into_iter().map(|below| format!("{key}.{below}")));
        } else {
            paths.insert(key.clone());
        }
    }
    paths
}

/// The keys in the first column of the tables, without those of groups that have a table. A
/// heading's `path` is the prefix of the keys below it, unless it is a path of the HTTP interface:
/// then it is the object of which the section speaks.
fn documented(is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut section = None;
    let mut paths = BTreeSet::new();
    for line in METRICS.lines() {
        if line.starts_with('#') {
            section = line.split('`').nth(1);
        }
        let (Some(section), Some(cell)) =
            (section, line.strip_prefix("| ").and_then(|row| row.split('|').next()))
        else {
            continue;
        };
        if is_wanted(section) {
            let prefix = match section {
                "/api/v1/metrics/rates" => "packets.".to_owned(),
                "/api/v1/metrics/series" => "series.".to_owned(),
                path if path.starts_with('/') => String::new(),
                group => format!("{group}."),
            };
            paths.extend(cell.split('`').skip(1).step_by(2).map(|key| format!("{prefix}{key}")));
        }
    }
    let is_group = |path: &String| paths.iter().any(|other| other.starts_with(&format!("{path}.")));
    let groups: Vec<_> = paths.iter().filter(|path| is_group(path)).cloned().collect();
    paths.retain(|path| !groups.contains(path));
    paths
}
