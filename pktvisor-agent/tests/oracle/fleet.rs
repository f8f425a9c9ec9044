//! A fleet: the merged windows of agents that each saw a part of the traffic, against an agent that saw
//! all of it, and against the truth.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Counts, Generator};
use fleet_merge::{FleetMerge, FleetUnion};
use pktvisor_api::{self as api, SketchDocument, TopEntry};
use pktvisor_metrics::ListLength;

use super::replay::{Setup, replay};
use super::traffic::{self, Traffic};

const ETHERNET: u16 = 1;

/// Agents, among which flows are divided: clients and servers appear at several of them.
const AGENTS: usize = 3;

/// The same number for both directions of a flow of the generator.
fn flow(frame: &[u8]) -> u64 {
    let (addresses, ports) = match frame.get(12..14) {
        Some([0x08, 0x00]) => (frame.get(26..34), frame.get(34..38)),
        Some([0x86, 0xdd]) => (frame.get(22..54), frame.get(54..58)),
        _ => (None, None),
    };
    let (Some(addresses), Some(ports)) = (addresses, ports) else { return 0 };
    let (source, destination) = addresses.split_at(addresses.len() / 2);
    let (source_port, destination_port) = ports.split_at(2);
    let mut ends = [(source, source_port), (destination, destination_port)];
    ends.sort_unstable();
    let mut hasher = DefaultHasher::new();
    ends.hash(&mut hasher);
    hasher.finish()
}

/// The traffic as a whole, and divided.
fn divided(config: Config) -> (Traffic, Vec<Traffic>) {
    let mut generator = Generator::new(config.clone()).unwrap();
    let mut parts: Vec<_> = (0..AGENTS).map(|_| PcapWriter::new(Vec::new(), ETHERNET).unwrap()).collect();
    while let Some(packet) = generator.next_packet() {
        let part = &mut parts[(flow(packet.data) % AGENTS as u64) as usize];
        part.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
    }
    let whole = Traffic::of(config);
    let part = |pcap: PcapWriter<Vec<u8>>| Traffic {
        pcap: pcap.finish().unwrap().into(),
        answer: whole.answer.clone(),
    };
    let parts = parts.into_iter().map(part).collect();
    (whole, parts)
}

fn sketches(traffic: &Traffic, length: usize) -> SketchDocument {
    let store = replay(traffic, Setup::summary()).store;
    let document = store.sketches(5, ListLength::new(length).unwrap()).unwrap();
    // As it travels.
    serde_json::from_slice(&serde_json::to_vec(&document).unwrap()).unwrap()
}

fn union_of(documents: &[SketchDocument], length: usize) -> FleetUnion {
    let mut merge = FleetMerge::default();
    documents.iter().for_each(|document| merge.add(document).unwrap());
    merge.finish(length)
}

/// The period without what the tests compare in another way.
fn counters(period: &api::Period) -> serde_json::Value {
    fn strip(value: &mut serde_json::Value) {
        if let serde_json::Value::Object(map) = value {
            map.retain(|key, inner| {
                strip(inner);
                !inner.as_array().is_some_and(|rows| rows.iter().all(|row| row.is_object()))
                    && inner.get("p50").is_none()
                    && !["cardinality", "clients", "servers", "rates", "period"].contains(&key.as_str())
            });
        }
    }
    let mut value = serde_json::to_value(period).unwrap();
    strip(&mut value);
    value
}

/// Whether the bounds of a list hold for every name.
fn assert_bounds(path: &str, list: &[TopEntry], document: &SketchDocument, truth: &Counts) {
    let listed: BTreeMap<&str, &TopEntry> = list.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let absent_upper = document.lists[path].absent_upper;
    assert!(!list.is_empty(), "{path}");
    for (name, count) in truth.iter() {
        match listed.get(name) {
            Some(entry) => {
                let bounds = entry.lower.unwrap()..=entry.upper.unwrap();
                assert!(bounds.contains(&count), "{path}: {name} counts {count}, not {bounds:?}");
            }
            None => assert!(count <= absent_upper, "{path}: {name} counts {count} of {absent_upper}"),
        }
    }
}

fn assert_is_whole(config: Config, length: usize) {
    let (whole, parts) = divided(config);
    let alone = sketches(&whole, length);
    let documents: Vec<_> = parts.iter().map(|part| sketches(part, length)).collect();
    let parts_of_clients: u64 = documents.iter().map(|document| document.period.dns.inbound.clients).sum();
    let union = union_of(&documents, length);
    assert_eq!((union.agents, union.counters_only), (AGENTS, 0));
    let (found, expected) = (&union.document.period, &alone.period);
    assert_eq!(counters(found), counters(expected), "counters are exact");
    // To the digit: registers are those of the agent that saw all.
    assert_eq!(union.document.distinct, alone.distinct);
    assert_eq!(found.packets.cardinality, expected.packets.cardinality);
    assert_eq!(found.dns.inbound.clients, expected.dns.inbound.clients);
    assert_eq!(found.dns.outbound.servers, expected.dns.outbound.servers);
    let (names, exact) =
        (found.dns.cardinality.qname as f64, whole.answer.total.dns.qname_cardinality as f64);
    assert!((names / exact - 1.0).abs() < 0.024, "{names} names of {exact}");
    assert!(found.dns.inbound.clients < parts_of_clients, "clients are at several agents");
    // Buckets add up exactly, so quantiles are those of the exact times within the stated error.
    for (path, histogram) in &alone.histograms {
        if !path.starts_with("packets.rates") {
            assert_eq!(&union.document.histograms[path].buckets, &histogram.buckets, "{path}");
        }
    }
    let times = union.document.histograms["dns.xact.in.quantiles_us"].clone();
    let exact = whole.answer.total.dns.xact.inbound.quantiles_us.unwrap();
    for (percent, exact) in [(50, exact.p50), (90, exact.p90), (95, exact.p95), (99, exact.p99)] {
        let quantile = fleet_merge::quantile(&times, percent).unwrap() as f64;
        let error = (quantile / exact as f64 - 1.0).abs();
        assert!(error <= fleet_merge::relative_error(&times), "p{percent}: {quantile} for {exact}");
    }
    let (dns, answer) = (&found.dns, &whole.answer.total.dns);
    for (path, list, truth) in [
        ("dns.top_qname2", &dns.top_qname2, &answer.top_qname2),
        ("dns.top_qname3", &dns.top_qname3, &answer.top_qname3),
        ("dns.top_nxdomain", &dns.top_nxdomain, &answer.top_nxdomain),
        ("dns.top_srvfail", &dns.top_srvfail, &answer.top_srvfail),
        ("dns.top_noerror", &dns.top_noerror, &answer.top_noerror),
        ("dns.top_qtype", &dns.top_qtype, &answer.top_qtype),
        ("dns.top_udp_ports", &dns.top_udp_ports, &answer.top_udp_ports),
        ("dns.in.top_clients", &dns.inbound.top_clients, &answer.inbound.top),
        ("dns.out.top_servers", &dns.outbound.top_servers, &answer.outbound.top),
        ("packets.top_ipv4", &found.packets.top_ipv4, &whole.answer.total.packets.top_ipv4),
    ] {
        assert_bounds(path, list, &union.document, truth);
    }
}

#[test]
fn a_fleet_reports_what_one_agent_would_have_reported_of_all_traffic() {
    assert_is_whole(traffic::ordinary(), 200);
}

#[test]
fn bounds_hold_for_every_name_however_few_each_agent_lists() {
    for length in [10, 1000] {
        assert_is_whole(Config { packets: 60_000, ..traffic::plentiful() }, length);
    }
}
