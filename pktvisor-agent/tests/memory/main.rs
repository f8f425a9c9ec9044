//! Memory under hostile traffic: it reaches a ceiling and stays there, and every loss is counted.
//!
//! The agent reads generated packets from a pipe, and answers HTTP requests before it is measured.
//! This is one test, so that no other runs beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod flood;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::BufWriter;
use std::process::ChildStdin;
use std::time::Instant;

use flood::Flood;
use serde_json::Value;
use support::Served;

/// The ceiling, in KiB: 256 MB.
const RESIDENT_MAX_KIB: u64 = 256_000_000 / 1024;
/// The ceiling with a day of periods: some 220 KB more for each (64 long names in each list, three
/// sets of registers, histograms).
const DAY_RESIDENT_MAX_KIB: u64 = 384_000_000 / 1024;

/// The state of an agent after a flood.
struct Outcome {
    document: Value,
    ledger: Value,
    resident_max_kib: u64,
}

/// Lets the agent read a flood and answer requests.
fn survive(
    name: &str,
    options: &[&str],
    packets: u64,
    flood: fn(&mut Flood<BufWriter<ChildStdin>>, u64),
) -> Outcome {
    let started = Instant::now();
    let mut served = Served::start(&[options, &["-H", "192.0.2.0/24,2001:db8::/32", "-"]].concat());
    let stdin = BufWriter::with_capacity(1 << 20, served.stdin());
    let mut source = Flood::new(stdin);
    for n in 0..packets {
        flood(&mut source, n);
    }
    let written = source.finish();
    let line: Value = serde_json::from_str(&served.line()).unwrap();
    for path in ["window/5", "bucket/0"] {
        served.json(&format!("/api/v1/metrics/{path}"));
    }
    assert_eq!(served.get("/metrics").0, 200);
    let ledger = served.json("/api/v1/metrics/app")["app"]["ledger"].take();
    assert_eq!(ledger["counted"], written, "{name}");
    let document = line.as_object().unwrap().values().next().unwrap().clone();
    let status = fs::read_to_string(format!("/proc/{}/status", served.id())).unwrap();
    let resident_max_kib = kib(&status, "VmHWM:");
    println!(
        "{name}: {written} packets, {} KiB resident at most, {} KiB anonymous at the end, {:.0} s",
        resident_max_kib,
        kib(&status, "RssAnon:"),
        started.elapsed().as_secs_f64()
    );
    assert_eq!(served.stop("TERM").0.code(), Some(0), "{name}");
    let max_kib = if options.is_empty() { RESIDENT_MAX_KIB } else { DAY_RESIDENT_MAX_KIB };
    assert!(resident_max_kib < max_kib, "{name}: {resident_max_kib} KiB");
    Outcome { document, ledger, resident_max_kib }
}

fn kib(status: &str, key: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn count(document: &Value, path: &str) -> u64 {
    document.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {document}"))
}

#[test]
fn hostile_traffic_takes_at_most_256_mb_and_every_loss_is_counted() {
    let queries = survive("random names and sources", &[], 10_000_000, Flood::random_names);
    // Entries that timed out make room before open ones.
    assert_eq!(count(&queries.document, "/dns/xact/counts/shed"), 0);
    assert!(count(&queries.document, "/dns/cardinality/qname") > 1_000_000);
    assert!(count(&queries.document, "/packets/cardinality/src_ips_in") > 1_000_000);
    assert_eq!(count(&queries.ledger, "/analysed"), 10_000_000);

    let at_once = survive("the same at once", &[], 1_000_000, Flood::random_names_at_once);
    assert!(count(&at_once.document, "/dns/xact/counts/shed") > 0);

    let day =
        survive("the same, a day kept", &["--periods", "1440"], 1_500_000, Flood::random_names_over_a_day);
    // The flood fills all periods of a day.
    assert!(day.resident_max_kib > 2 * queries.resident_max_kib);

    let connections = survive("connections that never end", &[], 1_500_000, Flood::half_open_connection);
    assert!(count(&connections.document, "/dns/reassembly/streams_evicted") > 1_000_000);

    let gaps = survive("connections with gaps", &[], 500_000, Flood::connection_with_a_gap);
    let evicted = count(&gaps.document, "/dns/reassembly/streams_evicted");
    assert!(evicted + count(&gaps.document, "/dns/reassembly/gaps") > 100_000, "{evicted}");

    let first = survive("first fragments", &[], 1_000_000, Flood::first_fragment);
    let given_up = count(&first.document, "/dns/reassembly/datagrams_evicted")
        + count(&first.document, "/dns/reassembly/datagrams_incomplete");
    assert_eq!(given_up, 1_000_000);

    let later = survive("later fragments", &[], 1_000_000, Flood::later_fragment);
    let given_up = count(&later.document, "/dns/reassembly/datagrams_evicted")
        + count(&later.document, "/dns/reassembly/datagrams_unidentified");
    assert_eq!(given_up, 1_000_000);
}
