//! Where the time of a replay goes: each step alone, over the same generated packets, in packets
//! per second.
//!
//! The steps do not add up to the whole: alone, each has the caches to itself.

use std::hint::black_box;
use std::io::Write;

use capture_file::Capture;
use capture_file::write::PcapWriter;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use dns_traffic::{Config, Generator, HOST_PREFIXES};
use pktvisor_agent::pipeline::{Intake, Pipeline};
use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::name::Name;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::streams::TcpSegment;
use pktvisor_analysis::transactions::{Exchange, TIMEOUT_NS_DEFAULT, Transactions};
use pktvisor_analysis::{Analysis, AnalysisSettings, Flow, Observer, Transport};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::{Captured, Class, DnsPorts, LinkType, classify, flags};
use pktvisor_common::direction::direction;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{self as metrics, PacketKeys, Store};

const PACKETS: u64 = 100_000;

/// Generated packets, and what the classifier says of them.
struct Traffic {
    packets: Vec<(u64, Vec<u8>)>,
    classes: Vec<Class>,
    host: HostSet,
}

impl Traffic {
    fn generate() -> Self {
        let config = Config { packets: PACKETS, collect_answer: false, ..Config::default() };
        let generator = Generator::new(config).expect("the defaults are valid");
        let packets: Vec<_> = generator.map(|packet| (packet.timestamp_ns, packet.data)).collect();
        let classes = packets.iter().map(|(_, data)| class_of(data)).collect();
        let host = HOST_PREFIXES.iter().map(|prefix| prefix.parse().expect("a prefix")).collect();
        Self { packets, classes, host }
    }

    fn packets(&self) -> impl Iterator<Item = (Packet<'_>, &Class)> {
        self.packets.iter().zip(&self.classes).map(|((timestamp_ns, data), class)| {
            let wire_len = data.len() as u32;
            (
                Packet {
                    timestamp_ns: *timestamp_ns,
                    stamp: Stamp::Own,
                    data,
                    wire_len,
                    link_type: LinkType::ETHERNET,
                    segments: 1,
                },
                class,
            )
        })
    }

    /// DNS messages in whole UDP datagrams.
    fn datagrams(&self) -> impl Iterator<Item = (Packet<'_>, &Class, &[u8])> {
        self.packets().filter(|(_, class)| class.has(flags::DNS_UDP)).map(|(packet, class)| {
            let start = usize::from(class.payload_offset);
            (packet, class, &packet.data[start..start + usize::from(class.payload_len)])
        })
    }

    fn capture(&self) -> Vec<u8> {
        let mut writer = PcapWriter::new(Vec::new(), LinkType::ETHERNET.0).expect("memory takes everything");
        for (timestamp_ns, data) in &self.packets {
            writer.write(*timestamp_ns, data.len() as u32, data).expect("memory takes everything");
        }
        writer.finish().expect("memory takes everything")
    }

    fn settings(&self) -> AnalysisSettings<HostSet> {
        AnalysisSettings {
            dns_ports: DnsPorts::default(),
            sample_rate: SampleRate::ALL,
            transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
            host: self.host.clone(),
        }
    }
}

fn class_of(data: &[u8]) -> Class {
    let mut class = Class::default();
    classify(data, LinkType::ETHERNET, &DnsPorts::default(), &mut class);
    class
}

fn flow_of(class: &Class) -> Flow {
    Flow::of(class, Transport::Udp).expect("generated packets have addresses")
}

fn store() -> Store {
    Store::new(metrics::StoreSettings {
        periods: 5,
        summary: true,
        name_cut: NameCut::Labels,
        clock: metrics::Clock::Packets,
    })
}

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn steps(criterion: &mut Criterion) {
    let traffic = Traffic::generate();
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(PACKETS)).sample_size(20);

    read(&mut group, &traffic);
    group.bench_function("classify and count", |bencher| {
        let store = store();
        bencher.iter(|| {
            let mut batch = store.batch();
            for (packet, _) in traffic.packets() {
                let class = class_of(packet.data);
                let keys = PacketKeys::of(&class, direction(&class, &traffic.host));
                batch.packet(&class, &keys, packet.wire_len);
            }
        });
    });
    group.bench_function("slice TCP", |bencher| {
        bencher.iter(|| {
            for (packet, class) in traffic.packets().filter(|(_, class)| class.has(flags::DNS_TCP)) {
                black_box(TcpSegment::of(packet.data, class));
            }
        });
    });
    group.bench_function("parse DNS", |bencher| {
        let mut name = Name::default();
        bencher.iter(|| {
            for (_, _, octets) in traffic.datagrams() {
                black_box(Message::parse(octets, Captured::Whole, &mut name));
            }
        });
    });
    group.bench_function("parse DNS and sketch", |bencher| {
        let mut name = Name::default();
        let store = store();
        let settings = traffic.settings();
        bencher.iter(|| {
            let mut batch = store.batch();
            for (_, class, octets) in traffic.datagrams() {
                let mut head = MessageHead::new(octets);
                if head.parse(&mut name).is_some() {
                    let recorder = batch.recorder();
                    let flow = flow_of(class);
                    let (source, destination) = (flow.addresses.source(), flow.addresses.destination());
                    let ends = match head.header().qr() {
                        false => settings.ends(source, destination),
                        true => settings.ends(destination, source),
                    };
                    let keys = recorder.keys(recorder.end_keys(&ends), &head);
                    recorder.prefetch_message(&head, &keys);
                    let message = head.parse_rest(Captured::Whole);
                    recorder.message(&flow, message, &keys);
                }
            }
        });
    });
    transactions(&mut group, &traffic);
    pipeline(&mut group, &traffic);
    group.finish();
}

/// Reads the packets of a capture file.
fn read(group: &mut Group<'_>, traffic: &Traffic) {
    // A file in the page cache, which is read as in a replay.
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&traffic.capture()).expect("room for a capture");
    group.bench_function("read", |bencher| {
        bencher.iter(|| {
            let mut capture = Capture::open(file.path()).expect("a capture");
            while let Ok(Some(packet)) = capture.next_packet() {
                black_box(packet.data);
            }
        });
    });
}

/// Matches queries with responses.
fn transactions(group: &mut Group<'_>, traffic: &Traffic) {
    group.bench_function("transactions", |bencher| {
        bencher.iter(|| {
            let mut transactions = Transactions::default();
            for (packet, class, _) in traffic.datagrams() {
                let flow = flow_of(class);
                if class.dns_flags & 0x8000 == 0 {
                    transactions.query(&Exchange::of_query(&flow, class.dns_id), None, packet.timestamp_ns);
                } else {
                    transactions.response(
                        &Exchange::of_response(&flow, class.dns_id),
                        None,
                        packet.timestamp_ns,
                    );
                }
            }
            transactions.open()
        });
    });
}

/// Sends packets through the whole pipeline.
fn pipeline(group: &mut Group<'_>, traffic: &Traffic) {
    group.bench_function("everything but reading", |bencher| {
        bencher.iter(|| {
            let store = store();
            let mut pipeline = Pipeline {
                filter: None,
                dns_ports: DnsPorts::default(),
                host: traffic.host.clone(),
                geo: None,
                analysis: Analysis::new(traffic.settings()),
                intake: Intake::default(),
            };
            let mut batch = store.batch();
            for (packet, _) in traffic.packets() {
                pipeline.packet(&packet, &mut batch).expect("there is no filter");
            }
        });
    });
}

criterion_group!(benches, steps);
criterion_main!(benches);
