//! A buffer of many packets, made by segmentation offload, counts as those packets.

use aya::programs::{TestRun, TestRunOptions};
use etherparse::PacketBuilder;
use pktvisor_capture::kernel::{EntryPoint, Loaded, ProgramSettings, monotonic_ns};
use pktvisor_common::address::{Address, IpVersion, address_bytes};
use pktvisor_common::classify::{Class, LinkType, classify};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::direction;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::control::Ends;

use crate::support;

/// Ethernet, IPv4 and TCP without options.
const HEADERS: usize = 14 + 20 + 20;
const PAYLOAD: usize = 2_500;
const SEGMENT: usize = 1_000;
/// Of the packets that the buffer stands for.
const LENGTHS: [u32; 3] =
    [(HEADERS + SEGMENT) as u32, (HEADERS + SEGMENT) as u32, (HEADERS + PAYLOAD - 2 * SEGMENT) as u32];

/// The fields of `struct __sk_buff` that a test may set.
struct Context([u8; 192]);

impl Context {
    fn new(fields: &[(usize, u32)]) -> Self {
        let mut context = [0; 192];
        for (offset, value) in fields {
            context[*offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        }
        Self(context)
    }
}

const WIRE_LEN: usize = 160;
const GSO_SEGS: usize = 164;
const GSO_SIZE: usize = 176;

fn buffer(port: u16) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
        .ipv4([198, 51, 100, 7], [192, 0, 2, 1], 64)
        .tcp(50_000, port, 1, 99);
    let mut packet = Vec::new();
    builder.ack(1).write(&mut packet, &[0x55; PAYLOAD]).unwrap();
    packet
}

fn config() -> KernelConfig {
    let mut config = KernelConfig::default();
    let host = address_bytes([192, 0, 2, 1].into());
    config.host.insert(Address::new(IpVersion::V4, &host), 32).unwrap();
    config
}

fn run(loaded: &mut Loaded, entry: EntryPoint, packet: &[u8], context: &Context) {
    let options =
        TestRunOptions { data_in: Some(packet), ctx_in: Some(&context.0), ..TestRunOptions::default() };
    loaded.programs.classifier(entry).unwrap().test_run(options).unwrap();
}

#[test]
fn a_segmented_buffer_counts_as_the_packets_on_the_wire() {
    let config = config();
    let Some(mut loaded) = support::load(&ProgramSettings { config, ..ProgramSettings::default() }) else {
        return;
    };
    let packet = buffer(53);
    let mut expected = Counters::default();
    let mut class = Class::default();
    classify(packet.as_slice(), LinkType::ETHERNET, &config.dns_ports, &mut class);
    for len in LENGTHS {
        expected.count(&class, direction(&class, &config.host), len);
    }
    let segs = (GSO_SEGS, LENGTHS.len() as u32);
    let size = (GSO_SIZE, SEGMENT as u32);
    let wire_len = LENGTHS.iter().sum::<u32>();
    let mut before = Counters::default();
    for (entry, fields) in [
        (EntryPoint::TcIngress, vec![segs, size]),
        // Without a count of segments the program computes it.
        (EntryPoint::TcIngress, vec![size]),
        (EntryPoint::TcEgress, vec![segs, size, (WIRE_LEN, wire_len)]),
    ] {
        run(&mut loaded, entry, &packet, &Context::new(&fields));
        let counts = loaded.collector.counts().unwrap();
        let mut counters = counts.counters;
        counters.subtract(&before);
        before = counts.counters;
        assert_eq!(counters, expected, "{entry:?} {fields:?}");
        let mut records = Vec::new();
        loaded.deep[0]
            .poll(monotonic_ns(), usize::MAX, |header, bytes| records.push((*header, bytes.to_vec())));
        let [(header, bytes)] = records.as_slice() else { panic!("{} records", records.len()) };
        assert_eq!((header.packets, header.wire_len), (3, wire_len), "{entry:?}");
        assert_eq!(bytes, &packet, "{entry:?}");
    }
    let counts = loaded.collector.counts().unwrap();
    assert_eq!(counts.punted.delivered, counts.counters.packets.dns_packets);
    let standby = loaded.collector.flip(Ends::Period);
    let heavy = loaded.collector.collect(standby).unwrap().heavy;
    assert_eq!(heavy.v4.addresses.iter().map(|hitter| hitter.packets).collect::<Vec<_>>(), [9]);
}

#[test]
fn sketches_are_empty_after_they_were_collected() {
    let Some(mut loaded) = support::load(&ProgramSettings { config: config(), ..ProgramSettings::default() })
    else {
        return;
    };
    let packet = buffer(443);
    let mut collected = Vec::new();
    for ends in [Ends::Epoch, Ends::Period, Ends::Epoch, Ends::Period] {
        run(&mut loaded, EntryPoint::TcIngress, &packet, &Context::new(&[]));
        let live = loaded.collector.live_cardinality().unwrap();
        assert_eq!(live.sources_in.iter().filter(|register| **register > 0).count(), 1);
        let standby = loaded.collector.flip(ends);
        let all = loaded.collector.collect(standby).unwrap();
        assert_eq!(all.heavy.v4.addresses.iter().map(|hitter| hitter.packets).sum::<u64>(), 1);
        assert_eq!(all.cardinality.is_some(), ends == Ends::Period);
        collected.extend(all.cardinality);
        let nothing = loaded.collector.flip(Ends::Epoch);
        assert!(loaded.collector.collect(nothing).unwrap().heavy.v4.addresses.is_empty());
    }
    for registers in collected {
        assert_eq!(registers.sources_in.iter().filter(|register| **register > 0).count(), 1);
        assert!(registers.destinations_out.iter().all(|register| *register == 0));
    }
    let empty = loaded.collector.live_cardinality().unwrap();
    assert!(empty.sources_in.iter().all(|register| *register == 0));
}
