//! Two threads count what one counts, to the digit.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::TIMEOUT_NS_DEFAULT;
use pktvisor_analysis::{Analysis, AnalysisSettings};
use pktvisor_capture::Filter;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::sampling::SampleRate;
use pktvisor_findings::AgentObservation;
use pktvisor_metrics::{self as metrics, ClientPrefix, ListLength, RollingSpan};

use super::*;
use crate::likely_host::AnswerCounts;

const HOST: [&str; 2] = ["192.0.2.0/28", "2001:db8:53::/64"];
const S: u64 = 1_000_000_000;

/// How the agent is set up.
#[derive(Clone, Copy)]
struct Setup {
    summary: bool,
    has_host: bool,
    sample_pct: u8,
    filter: Option<&'static str>,
}

const SETUPS: [Setup; 4] = [
    Setup { summary: false, has_host: true, sample_pct: 100, filter: None },
    Setup { summary: true, has_host: true, sample_pct: 30, filter: None },
    Setup { summary: false, has_host: false, sample_pct: 100, filter: Some("udp or ip6") },
    Setup { summary: true, has_host: false, sample_pct: 0, filter: None },
];

/// Both threads meet as often, and as rarely, as they may.
const DIVISIONS: [Division; 3] = [
    Division { stretch_packets: 37, busy_packets: 0 },
    Division { stretch_packets: 1_000_000, busy_packets: 0 },
    Division { stretch_packets: 3 * BATCH_PACKETS, busy_packets: 40 },
];

/// A capture of Ethernet.
fn pcap(packets: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), 1).unwrap();
    for (timestamp_ns, data) in packets {
        writer.write(timestamp_ns, data.len() as u32, &data).unwrap();
    }
    writer.finish().unwrap()
}

fn generated(config: Config) -> Vec<(u64, Vec<u8>)> {
    let packets = Generator::new(Config { collect_answer: false, ..config }).unwrap();
    packets.map(|packet| (packet.timestamp_ns, packet.data)).collect()
}

/// Every kind of hostile traffic that the generator knows.
fn hostile() -> Vec<(u64, Vec<u8>)> {
    generated(Config {
        packets: 30_000,
        rate: 200.0,
        names: 20_000,
        random_subdomains: 0.3,
        random_sources: 0.2,
        malformed: 0.05,
        fragments: 0.1,
        vlan: true,
        split_tcp: true,
        reorder: 0.3,
        duplicate_segments: 0.2,
        tcp_share: 0.3,
        seed: 2,
        ..Config::default()
    })
}

fn store(setup: Setup) -> Store {
    let store = Store::new(metrics::StoreSettings {
        periods: 30,
        summary: setup.summary,
        name_cut: NameCut::Labels,
        clock: metrics::Clock::Packets,
    });
    let store = store.with_client_prefix(ClientPrefix { v4_bits: 24, v6_bits: 56 });
    store.with_series().with_findings(Box::new(AgentObservation::default))
}

fn replay(pcap: &Arc<[u8]>, setup: Setup) -> Replay {
    let host: HostSet =
        HOST.iter().filter(|_| setup.has_host).map(|network| network.parse().unwrap()).collect();
    let dns_ports = DnsPorts::default();
    let analysis = Analysis::new(AnalysisSettings {
        dns_ports,
        sample_rate: SampleRate::percent(setup.sample_pct),
        transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
        host: host.clone(),
    });
    let answers = (!setup.has_host).then(AnswerCounts::default);
    let intake = Intake { answers, ..Intake::default() };
    let pipeline = Pipeline {
        filter: setup.filter.map(Filter::for_files),
        dns_ports,
        host,
        geo: None,
        analysis,
        intake,
    };
    Replay { capture: Capture::from_reader(Cursor::new(Arc::clone(pcap))).unwrap(), pacer: None, pipeline }
}

/// All that readers can know at the end.
fn known(pcap: &Arc<[u8]>, setup: Setup, division: Option<Division>) -> serde_json::Value {
    let store = store(setup);
    let mut replay = replay(pcap, setup);
    let mut last = None;
    let outcome = replay.run_divided(division, &store, |progress| {
        let api = store.ledger();
        assert_eq!(api.pending, 0, "readers see both threads at one moment");
        let intake = progress.intake;
        let open = progress.open_queries;
        last = Some((intake.packets, intake.filtered, intake.link_types.clone(), open.open, open.waiting));
        true
    });
    store.batch().finish();
    let length = ListLength::new(500).unwrap();
    let periods: Vec<_> = (0..store.filled()).map(|n| store.bucket_listing(length, n).unwrap()).collect();
    let answers = replay.pipeline.intake.answers.as_ref().map(AnswerCounts::likely_host);
    serde_json::json!({
        "outcome": format!("{outcome:?}"),
        "progress": format!("{last:?} {answers:?} {:?}", replay.pipeline.intake.ethertypes),
        "document": store.document(),
        "periods": periods,
        "sketches": store.sketches(1, length).ok(),
        "rolling": store.rolling(length, RollingSpan::new(20).unwrap()),
        "series": store.series(),
        "rates": store.rates(),
        "ledger": store.ledger(),
        "findings": store.findings(),
        "since_start": store.since_start().period,
        "rotations": store.rotations(),
    })
}

fn assert_same(name: &str, pcap: Vec<u8>) {
    let pcap = pcap.into();
    for (number, setup) in SETUPS.into_iter().enumerate() {
        let one = known(&pcap, setup, None);
        assert!(one["ledger"]["counted"].as_u64().unwrap() > 0, "{name}");
        for division in DIVISIONS {
            let two = known(&pcap, setup, Some(division));
            for (key, value) in one.as_object().unwrap() {
                assert!(two[key] == *value, "{name}, setup {number}, {division:?}: {key} differs");
            }
        }
    }
}

#[test]
fn two_threads_count_the_demo_capture_as_one_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap");
    assert_same("demo", fs::read(path).unwrap());
}

#[test]
fn two_threads_count_hostile_traffic_as_one_does() {
    assert_same("hostile", pcap(hostile()));
}

#[test]
fn two_threads_count_an_overflow_of_lists_as_one_does() {
    let config = Config {
        packets: 60_000,
        rate: 900.0,
        names: 200_000,
        clients: 80_000,
        random_subdomains: 0.5,
        random_sources: 0.5,
        seed: 5,
        ..Config::default()
    };
    assert_same("overflow", pcap(generated(config)));
}

#[test]
fn two_threads_count_as_one_does_when_time_goes_backwards_stands_still_and_jumps() {
    let start = hostile().first().unwrap().0;
    let strange = |n: usize, at: u64| match n % 10_000 {
        // Back by a second, and by a day.
        2_000..2_100 => at - S,
        3_000 => at - 86_400 * S,
        4_000..4_300 => start + 20 * S,
        _ => match n {
            // Quiet for half an hour, and a jump of two hours.
            20_000.. => at + 9_000 * S,
            10_000.. => at + 1_800 * S,
            _ => at,
        },
    };
    assert_same(
        "time",
        pcap(hostile().into_iter().enumerate().map(|(n, (at, data))| (strange(n, at), data))),
    );
}

#[test]
fn two_threads_count_a_damaged_capture_as_one_does() {
    let whole = pcap(hostile());
    // Cut off in a packet.
    assert_same("cut", whole[..whole.len() / 2 + 7].to_vec());
    // A record whose length is absurd.
    let mut absurd = whole.clone();
    let at = absurd.len() / 3;
    absurd[at..at + 4000].fill(0xff);
    assert_same("absurd", absurd);
    // Bytes changed all over: a record whose length changes ends the capture early, so only some.
    let mut changed = whole;
    let mut at = 24;
    for n in 0_usize.. {
        let Some(header) = changed.get(at..at + 16) else { break };
        let len = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        let place = at + 16 + n * 7_919 % len.max(1);
        if let Some(byte) = changed.get_mut(place).filter(|_| n % 3 == 0) {
            *byte = byte.wrapping_mul(31).wrapping_add(n as u8);
        }
        at += 16 + len;
    }
    assert_same("changed", changed);
}
