use std::collections::VecDeque;
use std::io;
use std::path::Path;

use capture_file::Capture;
use pktvisor_common::sampling::SampleRate;
use pktvisor_common::sharding::Shards;

use super::super::config::Polling;
use super::*;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_capture::kernel::NextRecord;
use pktvisor_metrics::{self as metrics, Clock, Store};

/// The packets of a capture, which all wait at once.
struct Waiting(VecDeque<Vec<u8>>);

impl RecordSource for Waiting {
    const DELAY_NS: u64 = 0;

    fn next(&mut self) -> Option<NextRecord> {
        (!self.0.is_empty()).then_some(NextRecord { timestamp_ns: 1, epoch: NextRecord::NO_EPOCH })
    }

    fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
        let Some(packet) = self.0.pop_front() else { return };
        let header =
            RecordHeader { wire_len: packet.len() as u32, link_type: 1, packets: 1, ..Default::default() };
        take(&header, &packet);
    }

    fn release(&mut self) {}

    fn fill(&mut self) -> f64 {
        if self.0.is_empty() { 0.0 } else { 0.5 }
    }

    fn upkeep(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn agent_with_threads(shards: Shards) -> (Arc<Agent>, Arc<Coordination>) {
    let clock = Clock::Wall;
    let store = Store::new(metrics::StoreSettings {
        periods: 5,
        summary: false,
        name_cut: NameCut::default(),
        clock,
    });
    store.share_among(shards.count());
    (Arc::new(Agent::new(store, 100, Default::default())), Arc::new(Coordination::new(shards)))
}

fn settings() -> WorkerSettings {
    WorkerSettings {
        analysis: analysis::AnalysisSettings {
            dns_ports: DnsPorts::default(),
            sample_rate: SampleRate::ALL,
            transaction_timeout_ns: 5_000_000_000,
            host: ["0.0.0.0/0", "::/0"].iter().map(|network| network.parse().unwrap()).collect(),
        },
        pause: Pause::new(Polling::WithPauses, 1 << 20),
    }
}

#[test]
fn each_round_adds_the_same_messages_to_all_metrics() {
    let mut waiting = Waiting(VecDeque::new());
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap");
    let mut capture = Capture::open(&demo).unwrap();
    while let Some(packet) = capture.next_packet().unwrap() {
        waiting.0.push_back(packet.data.to_vec());
    }
    let (agent, coordination) = agent_with_threads(Shards::ONE);
    let mut thread =
        Worker::new(&agent, &coordination, 0, Deep::new(vec![waiting]), &settings(), Successors::default());
    let mut answered = 0;
    while thread.round(&WallClock::now()) > 0 {
        agent.store.cut(0, Cut::Whole);
        agent.store.batch().publish();
        let dns = agent.store.bucket(0).unwrap().dns;
        assert_eq!(dns.xact.counts.total, dns.xact.inbound.total + dns.xact.outbound.total);
        answered = dns.xact.counts.total;
    }
    assert!(answered > 1000, "{answered}");
}

/// Records of known epochs, one query each.
struct Marked(VecDeque<(u32, Vec<u8>)>);

impl RecordSource for Marked {
    const DELAY_NS: u64 = 0;

    fn next(&mut self) -> Option<NextRecord> {
        self.0.front().map(|(epoch, _)| NextRecord { timestamp_ns: 1, epoch: *epoch })
    }

    fn take_next(&mut self, mut take: impl FnMut(&RecordHeader, &[u8])) {
        let Some((_, packet)) = self.0.pop_front() else { return };
        let wire_len = packet.len() as u32;
        take(&RecordHeader { wire_len, link_type: 101, packets: 1, ..Default::default() }, &packet);
    }

    fn release(&mut self) {}

    fn fill(&mut self) -> f64 {
        if self.0.is_empty() { 0.0 } else { 0.5 }
    }

    fn upkeep(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An IPv4 datagram with a query.
fn query() -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 45, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend([0x30, 0x39, 0, 53, 0, 25, 0, 0]);
    packet.extend([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
    packet
}

#[test]
fn records_of_the_next_epoch_wait_until_the_old_one_is_cut() {
    let records = [0, 0, 1, NextRecord::NO_EPOCH, 1].map(|epoch| (epoch, query()));
    let (agent, coordination) = agent_with_threads(Shards::ONE);
    let sources = Deep::new(vec![Marked(records.into())]);
    let mut thread = Worker::new(&agent, &coordination, 0, sources, &settings(), Successors::default());
    let clock = WallClock::now();
    let publish = |thread: &mut Worker<Marked>| {
        coordination.epochs().order(CutOrder { sealed_ns: monotonic_ns(), cut: Cut::Whole });
        assert!(!coordination.epochs().are_reached());
        while !coordination.epochs().are_reached() {
            thread.round(&clock);
        }
        agent.store.batch().publish();
        agent.store.bucket(0).unwrap().sampling.messages
    };
    assert_eq!((thread.round(&clock), thread.round(&clock)), (2, 0));
    assert_eq!(publish(&mut thread), 2);
    assert_eq!(thread.round(&clock), 3);
    assert_eq!(agent.store.bucket(0).unwrap().sampling.messages, 2, "not published yet");
    assert_eq!(publish(&mut thread), 5);
}
