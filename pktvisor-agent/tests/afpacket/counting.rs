//! A live capture counts the same as the replay of the same packets.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use capture_file::Capture;
use pktvisor_agent::live::packet_loop::{CaptureTotals, LoopControl, capture};
use pktvisor_agent::pipeline::{Intake, Pipeline};
use pktvisor_agent::replay::Replay;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{self as analysis, Analysis};
use pktvisor_api::Period;
use pktvisor_capture::Filter;
use pktvisor_capture::afpacket::SocketOptions;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{self as metrics, Clock, Store};
use testbed::{End, FrameSocket, Namespace, Need, Veth};

use crate::listen_with;

fn store() -> Store {
    Store::new(metrics::StoreSettings {
        periods: 5,
        summary: true,
        name_cut: NameCut::Labels,
        clock: Clock::Packets,
    })
}

fn pipeline(filter: Option<&str>) -> Pipeline {
    let host: HostSet =
        ["0.0.0.0/1", "2001:db8::/33"].map(|network| network.parse().unwrap()).into_iter().collect();
    let dns_ports = DnsPorts::default();
    Pipeline {
        filter: filter.map(Filter::new),
        dns_ports,
        host: host.clone(),
        geo: None,
        analysis: Analysis::new(analysis::AnalysisSettings {
            dns_ports,
            sample_rate: SampleRate::percent(100),
            transaction_timeout_ns: 5_000_000_000,
            host,
        }),
        intake: Intake::default(),
    }
}

/// All numbers that do not depend on the arrival times of packets.
fn timeless(mut period: Period) -> Period {
    period.period = Default::default();
    period.packets.rates = Default::default();
    period.packets.out_of_order = 0;
    period.packets.time_jumps = 0;
    period.dns.xact = Default::default();
    let (inbound, outbound) = (&mut period.dns.inbound, &mut period.dns.outbound);
    (inbound.timed_out, outbound.timed_out) = (0, 0);
    (inbound.orphans, outbound.orphans) = (0, 0);
    (inbound.size_ratio_pct, outbound.size_ratio_pct) = (None, None);
    for list in [
        &mut inbound.top_clients_slow,
        &mut outbound.top_servers_slow,
        &mut inbound.top_clients_timed_out,
        &mut outbound.top_servers_timed_out,
        &mut inbound.top_clients_amplified,
        &mut period.dns.top_timed_out,
        &mut period.dns.top_zones_timed_out,
    ] {
        list.clear();
    }
    period
}

fn demo() -> Capture {
    Capture::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap")).unwrap()
}

fn replayed(filter: Option<&str>) -> (Period, Intake) {
    let store = store();
    let mut replay = Replay { capture: demo(), pacer: None, pipeline: pipeline(filter) };
    replay.run(&store, |_| true).unwrap();
    (timeless(store.document().remove("1m").unwrap()), replay.pipeline.intake)
}

/// Captures at `end` while `traffic` runs, and returns the totals after the stop.
fn captured(end: &End, filter: Option<&str>, traffic: impl FnOnce(&Store)) -> (Period, CaptureTotals) {
    let mut socket = listen_with(end, &SocketOptions::default());
    let (store, orders) = (store(), LoopControl::default());
    let totals = thread::scope(|scope| {
        let thread = scope.spawn(|| capture(&mut socket, &mut pipeline(filter), &store, &orders, |_| ()));
        traffic(&store);
        orders.stop();
        thread.join().unwrap().unwrap()
    });
    (timeless(store.document().remove("1m").unwrap()), totals)
}

#[test]
fn packets_count_the_same_live_and_from_a_file() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    for filter in [None, Some("udp and not host 10.0.0.1")] {
        let (expected, intake) = replayed(filter);
        let (counted, totals) = captured(&pair.right, filter, |_| {
            let sender = FrameSocket::open(&left, pair.left.name());
            let mut capture = demo();
            while let Some(packet) = capture.next_packet().unwrap() {
                sender.send(packet.data);
            }
        });
        assert_eq!(totals.intake.packets, intake.packets);
        assert_eq!(totals.intake.filtered, intake.filtered);
        assert_eq!((totals.statistics.frames, totals.statistics.lost), (intake.packets, 0));
        assert_eq!(counted, expected);
    }
}

#[test]
fn seconds_end_without_packets() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    captured(&pair.right, None, |store| {
        let began = Instant::now();
        while store.document()["1m"].period.length < 3 {
            assert!(began.elapsed() < Duration::from_secs(10), "the clock stands still");
            thread::sleep(Duration::from_millis(50));
        }
        assert!(began.elapsed() > Duration::from_millis(900));
    });
}
