//! The rules: valid, tested on made-up series, and tried on a real Prometheus that scrapes real agents.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::server::Prometheus;
use super::{DEMO, HOST, deployed, promtool, read};
use crate::support::Served;

const RULES: &str = "pktvisor.rules.yaml";

/// Only a live agent can lose packets, and only protobuf carries native histograms.
const NOT_HERE: [&str; 2] = ["pktvisor_lost_packets_total", "pktvisor_dns_transaction_duration_seconds"];

#[test]
fn the_rules_pass_their_own_tests() {
    testbed::require!(testbed::Need::Program("promtool"));
    promtool(&["check", "rules", deployed(RULES).to_str().unwrap()]);
    promtool(&["test", "rules", deployed("pktvisor.rules.test.yaml").to_str().unwrap()]);
    promtool(&["check", "config", deployed("prometheus.yaml").to_str().unwrap()]);
}

#[test]
fn every_series_that_the_rules_use_exists() {
    let agent = read(&["-H", HOST, DEMO]);
    let (_, text) = agent.get("/metrics");
    let rules = fs::read_to_string(deployed(RULES)).unwrap();
    let used: BTreeSet<&str> = rules
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| word.starts_with("pktvisor_"))
        .collect();
    assert!(used.len() > 5, "{used:?}");
    for name in used.iter().filter(|name| !NOT_HERE.contains(name)) {
        let is_there =
            text.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        assert!(is_there, "no {name} in {text}");
    }
}

#[test]
fn a_prometheus_scrapes_agents_and_sees_one_die() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let words = ["-H", HOST, "--pace", "realtime", DEMO];
    let (one, two) = (Served::start(&words), Served::start(&words));
    let targets = [one.address().to_string(), two.address().to_string()];
    let prometheus = Prometheus::start(&targets, &deployed(RULES));
    prometheus.wait_for("count(up{job=\"pktvisor\"} == 1) == 2");
    // Two scrapes at different counts, so that rates are known.
    prometheus.wait_for("count(pktvisor:dns_queries:rate5m > 0) == 2");
    prometheus.wait_for("count(pktvisor:dns_replies:rate5m > 0) == 2");
    prometheus.wait_for("count(pktvisor:dns_replies_by_rcode:rate5m{rcode=\"NOERROR\"} > 0) == 2");
    prometheus.wait_for("count(pktvisor:dns_unanswered:ratio5m >= 0) == 2");
    prometheus.wait_for("count(job:pktvisor_dns_transaction_duration_seconds:p99_5m > 0) >= 1");
    drop(two);
    // It fires a minute later.
    prometheus.wait_for("count(ALERTS{alertname=\"PktvisorAgentDown\", alertstate=\"firing\"}) == 1");
    let down = prometheus.query("up{job=\"pktvisor\"} == 0");
    assert!(down.to_string().contains(&targets[1]) && !down.to_string().contains(&targets[0]), "{down}");
    // Nothing that the surviving agent counts raises an alert.
    std::thread::sleep(Duration::from_secs(2));
    let alerts = prometheus.query("count(ALERTS{alertname!=\"PktvisorAgentDown\", alertstate=\"firing\"})");
    assert_eq!(alerts.as_array().map(Vec::len), Some(0), "{alerts}");
}
