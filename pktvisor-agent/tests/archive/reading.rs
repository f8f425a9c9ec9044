//! What the engines say of three agents: counters exact, the union of the clients, a percentile, and top names within bounds.

use std::collections::HashMap;
use std::path::Path;

use pktvisor_archive::{ArchiveLocation, ArchiveStore, RollUpUnit, roll_up};
use serde_json::Value;

use crate::engines::{ENGINES, ask, python};
use crate::fleet::Fleet;
use crate::object_store::ObjectStore;

/// A bucket of a histogram of scale 8 is this much wider at its end.
const BUCKET: f64 = 1.002_712;
/// Our own buckets, from which those are made.
const ROUNDING: f64 = 1.008;

/// Checks the answers of an engine.
fn check(engine: &str, fleet: &Fleet, answer: &Value) {
    let total: fn(&dns_traffic::Answer) -> u64 = |answer| answer.total.packets.total;
    let expected = [
        fleet.members.len() as u64,
        fleet.sum(total),
        fleet.sum(|answer| answer.total.packets.bytes_total),
        fleet.sum(|answer| answer.total.dns.wire_packets.queries),
        fleet.sum(|answer| answer.total.dns.inbound.queries),
        fleet.sum(|answer| answer.total.dns.inbound.nxdomain),
    ];
    let counters: Vec<u64> = answer["counters"].as_array().unwrap().iter().map(number).collect();
    assert_eq!(counters, expected, "{engine}");
    let clients = number(&answer["clients"]) as f64 / fleet.clients() as f64;
    assert!((clients - 1.0).abs() < 0.02, "{engine}: {clients} of the clients");
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let ratio = answer[name].as_f64().unwrap() / fleet.quantile_us(share);
        println!("{engine}: {name} is {ratio:.4} of the true one, clients {clients:.4}");
        assert!((1.0 / (BUCKET * ROUNDING)..=BUCKET * ROUNDING).contains(&ratio), "{engine}: {name} {ratio}");
    }
    check_list(engine, &answer["names"], &fleet.counts(|answer| &answer.total.dns.top_qname2));
    check_list(engine, &answer["top_clients"], &fleet.counts(|answer| &answer.total.dns.inbound.top));
}

/// Every listed name is within its bounds, and the most frequent ones are listed.
fn check_list(engine: &str, list: &Value, truth: &HashMap<String, u64>) {
    let list = list.as_array().unwrap();
    assert!(list.len() >= 90, "{engine}: {} entries", list.len());
    let mut estimates = HashMap::new();
    for row in list {
        let name = row[0].as_str().unwrap();
        let [estimate, lower, upper] = [1, 2, 3].map(|column| number(&row[column]));
        let count = truth.get(name).copied().unwrap_or(0);
        assert!(lower <= count && count <= upper, "{engine}: {name} {lower}..{upper} is {count}");
        assert!(lower <= estimate && estimate <= upper, "{engine}: {name}");
        estimates.insert(name, estimate);
    }
    let mut frequent: Vec<_> = truth.iter().collect();
    frequent.sort_by(|a, b| b.1.cmp(a.1));
    assert!(frequent.iter().take(5).all(|(name, _)| estimates.contains_key(name.as_str())), "{engine}");
}

/// An integer, which engines write in different ways.
fn number(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text).or(value.as_f64().map(|float| float as u64)).unwrap()
}

fn roll_up_all(archive: &Path, unit: RollUpUnit) {
    let store = ArchiveStore::open(&ArchiveLocation::Directory(archive.to_owned())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(roll_up(&store, unit, i64::from(u32::MAX))).unwrap();
    assert_eq!(report.skipped, []);
}

#[test]
fn engines_read_the_fleet_from_a_directory_before_and_after_a_roll_up() {
    let Some(python) = python() else { return };
    let fleet = Fleet::new();
    let archive = fleet.path().join("archive");
    let text = archive.to_str().unwrap();
    let periods = fleet.archive_to(text, &[]);
    let ask_all = |rows: usize| {
        for engine in ENGINES {
            let Some(answer) = ask(&python, engine, text, &[]) else { continue };
            assert_eq!(number(&answer["rows"]), rows as u64, "{engine}");
            check(engine, &fleet, &answer);
        }
    };
    ask_all(periods);
    roll_up_all(&archive, RollUpUnit::Day);
    ask_all(fleet.members.len());
}

#[test]
fn engines_read_the_fleet_from_an_s3_server() {
    let Some(python) = python() else { return };
    let Some(server) = ObjectStore::start(&python) else { return };
    let fleet = Fleet::new();
    let variables = server.variables();
    let environment: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let periods = fleet.archive_to("s3://fleet/dns", &environment);
    // Spark reads S3 with classes of Hadoop that no package here has, and so it reads a mounted bucket.
    let mounted = server.mount();
    let directory = mounted.as_ref().map(|mounted| mounted.path().join("dns").display().to_string());
    let archives = [
        ("duckdb", Some("s3://fleet/dns")),
        ("chdb", Some("s3://fleet/dns")),
        ("spark", directory.as_deref()),
    ];
    for (engine, archive) in archives {
        let Some(answer) = archive.and_then(|archive| ask(&python, engine, archive, &environment)) else {
            continue;
        };
        assert_eq!(number(&answer["rows"]), periods as u64, "{engine}");
        check(engine, &fleet, &answer);
    }
}
