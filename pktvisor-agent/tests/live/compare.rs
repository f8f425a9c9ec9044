//! Compares live counters with those of the same packets from a file, field by field.

use serde_json::Value;
use testbed::Namespace;

use crate::agent::{Settled, run};
use crate::traffic::{GENERATED_HOST, Trace};

/// The fields that depend on the arrival times of packets.
const TIMES_AND_RATES: &[&str] = &[
    "period",
    "packets.rates",
    "packets.out_of_order",
    "dns.xact.in.quantiles_us",
    "dns.xact.out.quantiles_us",
    "dns.xact.unknown.quantiles_us",
    "dns.xact.in.top_slow",
    "dns.xact.out.top_slow",
    "dns.xact.unknown.top_slow",
    "dns.in.top_clients_slow",
    "dns.out.top_servers_slow",
    // Incomplete datagrams are given up at the end of a file, but after 30 seconds on an interface.
    "dns.reassembly.datagrams_incomplete",
];

/// Asserts that the numbers equal those of the trace as a file, except times and rates.
pub(crate) fn assert_counts_as_its_file(settled: &Settled, trace: &Trace) {
    assert_counts_as_its_file_with(&[], settled, trace);
}

/// The same assertion for an agent with these options.
pub(crate) fn assert_counts_as_its_file_with(options: &[&str], settled: &Settled, trace: &Trace) {
    let path = trace.path().display().to_string();
    let output = run(&Namespace::new(), &[&["--summary", "-H", GENERATED_HOST, &*path], options].concat());
    assert!(output.status.success(), "{output:?}");
    let file: Value = serde_json::from_slice(&output.stdout).unwrap();
    let live = serde_json::to_value(&settled.period).unwrap();
    let found = differences(&live, &file["1m"], TIMES_AND_RATES);
    assert!(found.is_empty(), "{found:#?}");
}

/// Paths (`dns.xact.in.quantiles_us`) at which the documents differ, with both values. Fields at or
/// below an ignored path are not compared.
fn differences(live: &Value, file: &Value, ignored: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    compare("", live, file, ignored, &mut found);
    found
}

fn compare(path: &str, live: &Value, file: &Value, ignored: &[&str], found: &mut Vec<String>) {
    if ignored.contains(&path) {
        return;
    }
    let (Value::Object(left), Value::Object(right)) = (live, file) else {
        if live != file {
            found.push(format!("{path}: live {live}, file {file}"));
        }
        return;
    };
    let only_right = right.keys().filter(|key| !left.contains_key(*key));
    for key in left.keys().chain(only_right) {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let at = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or(Value::Null);
        compare(&below, &at(left), &at(right), ignored, found);
    }
}

#[test]
fn documents_are_compared_field_by_field_except_ignored_paths() {
    let live = serde_json::json!({"a": {"b": 1, "time": 5}, "c": [1, 2], "only": 0});
    let file = serde_json::json!({"a": {"b": 2, "time": 6}, "c": [1, 2]});
    assert_eq!(differences(&live, &file, &["a.time"]), ["a.b: live 1, file 2", "only: live 0, file null"]);
    assert!(differences(&live, &live, &[]).is_empty());
}
