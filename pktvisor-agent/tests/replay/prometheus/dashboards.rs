//! The Grafana dashboards: no query of a panel is empty on a Prometheus that scrapes agents, and the
//! committed files are what the generator writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::server::Prometheus;
use super::{DEMO, HOST, deployed};
use crate::support::Served;

/// The directory of the generator.
fn grafana() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana")
}

/// The dashboards in a directory, by file name.
fn dashboards(directory: &Path) -> Vec<(String, Value)> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
    let dashboards = named.filter(|(name, _)| name.starts_with("pktvisor-") && name.ends_with(".json"));
    let mut dashboards: Vec<_> = dashboards
        .map(|(name, path)| (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()))
        .collect();
    dashboards.sort_by(|(a, _), (b, _): &(String, Value)| a.cmp(b));
    dashboards
}

/// The queries of a dashboard, with the values that Grafana puts in for its variables.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions = targets.map(|target| target["expr"].as_str().unwrap());
    expressions
        .map(|expression| {
            let expression = expression.replace("$__rate_interval", "30s").replace("$job", "pktvisor");
            expression.replace("$instance", ".*")
        })
        .collect()
}

#[test]
fn no_query_of_a_dashboard_is_empty() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let words = ["-H", HOST, "--pace", "realtime", DEMO];
    let (one, two) = (Served::start(&words), Served::start(&words));
    let targets = [one.address().to_string(), two.address().to_string()];
    let rules = deployed("pktvisor.rules.yaml");
    let classic = Prometheus::start(&targets, &rules);
    let native = Prometheus::start_with(&targets, &rules, &["--enable-feature=native-histograms"]);
    for prometheus in [&classic, &native] {
        // Replies come after queries, and slow ones after others.
        prometheus.wait_for("count(rate(pktvisor_dns_replies_total{rcode=\"NOERROR\"}[30s]) > 0) == 2");
        for list in ["top_nxdomain", "top_srvfail", "xact_in_top_slow", "xact_out_top_slow"] {
            prometheus.wait_for(&format!("count(pktvisor_period_dns_{list}) > 0"));
        }
        prometheus.wait_for("count(pktvisor:dns_transaction_duration_seconds:p99_5m > 0) > 0");
        prometheus.wait_for("count(job:pktvisor_dns_transaction_duration_seconds:p99_5m > 0) > 0");
    }
    let dashboards = dashboards(&grafana().join("dashboards"));
    assert_eq!(dashboards.len(), 5);
    for (file, dashboard) in &dashboards {
        let queries = queries(dashboard);
        assert!(queries.len() >= 6, "{file}: {queries:?}");
        for query in queries {
            for prometheus in [&classic, &native] {
                let result = prometheus.query(&query);
                let is_there = result.as_array().is_some_and(|samples| !samples.is_empty());
                assert!(is_there, "{file}: `{query}` is empty");
            }
        }
    }
}

#[test]
fn the_dashboards_are_what_the_generator_writes() {
    testbed::require!(testbed::Need::Program("npm"), testbed::Need::Program("node"));
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(grafana()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file()
            && path.extension().is_some_and(|extension| extension == "mjs" || extension == "json")
        {
            fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut install = Command::new("npm");
    let install =
        install.args(["ci", "--no-audit", "--no-fund"]).current_dir(directory.path()).output().unwrap();
    if !install.status.success() {
        return testbed::report_skipped("the SDK of Grafana cannot be downloaded here");
    }
    let written = directory.path().join("dashboards");
    fs::create_dir(&written).unwrap();
    let generated = Command::new("node").arg("generate.mjs").current_dir(directory.path()).output().unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    let committed = dashboards(&grafana().join("dashboards"));
    assert_eq!(dashboards(&written), committed, "run `npm ci && npm run generate`");
}
