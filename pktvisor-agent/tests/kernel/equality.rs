//! Kernel and file replay count and sample the same, packet for packet.

use std::collections::HashMap;

use pktvisor_capture::kernel::{
    Collected, Deep, EntryPoint, HeavyHitters, KernelCounts, Loaded, ProgramSettings, monotonic_ns,
};
use pktvisor_common::address::{Address, IpVersion, address_bytes};
use pktvisor_common::classify::{Class, LinkType, classify, flags};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::{Direction, direction};
use pktvisor_common::hll;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::control::Ends;
use pktvisor_common::kernel::cpu::Punts;
use pktvisor_common::sampling::{SampleRate, needs_reassembly, packet_hash};
use pktvisor_common::sharding::Shards;

use crate::corpus::corpus;
use crate::support;

/// The rings are polled after this many packets.
const BATCH: usize = 1_000;

/// What file replay counts and samples.
#[derive(Default)]
struct Expected {
    counters: Counters,
    /// Packets of DNS that were sampled.
    delivered: u64,
    sampled: Vec<Sampled>,
    /// Frames of EtherTypes that are not understood.
    unknown_ethertypes: u64,
    cardinality: [Registers; 2],
    /// Packets of remote addresses.
    remotes: [HashMap<[u8; 16], u64>; 2],
}

/// A packet that is punted.
struct Sampled {
    packet: Vec<u8>,
    direction: Direction,
    shard: u32,
}

/// Of one direction.
struct Registers(Box<[u8; hll::REGISTERS]>);

impl Default for Registers {
    fn default() -> Self {
        Self(Box::new([0; hll::REGISTERS]))
    }
}

impl Expected {
    fn add(&mut self, packet: &[u8], link_type: LinkType, config: &KernelConfig) {
        let mut class = Class::default();
        classify(packet, link_type, &config.dns_ports, &mut class);
        let direction = direction(&class, &config.host);
        self.counters.count(&class, direction, packet.len() as u32);
        self.unknown_ethertypes += u64::from(class.unknown_ethertype != 0);
        if let Some(remote) = direction.remote(&class) {
            let registers = &mut self.cardinality[usize::from(direction == Direction::Sent)].0;
            hll::Coupon::of_address(remote).update(registers);
            let of_version = &mut self.remotes[usize::from(remote.version() == IpVersion::V6)];
            *of_version.entry(*remote.bytes()).or_default() += 1;
        }
        let is_punted = if class.has(flags::DNS_UDP) {
            let sampled = config.sample_rate.samples(packet_hash(&class));
            self.counters.packets.dns_not_sampled += u64::from(!sampled);
            sampled
        } else {
            needs_reassembly(&class)
        };
        if is_punted {
            self.delivered += u64::from(class.has(flags::ANY_DNS));
            let shard = config.shards.of(&class);
            self.sampled.push(Sampled { packet: packet.to_vec(), direction, shard });
        }
    }
}

fn config(percent: u8) -> KernelConfig {
    let mut config = KernelConfig {
        sample_rate: SampleRate::percent(percent),
        shards: Shards::new(3),
        ..KernelConfig::default()
    };
    // The host of generated traffic, and networks of real captures.
    for (address, len) in [([192, 0, 2, 0], 28), ([192, 168, 0, 0], 16), ([10, 0, 0, 0], 9)] {
        let bytes = address_bytes(address.into());
        config.host.insert(Address::new(IpVersion::V4, &bytes), len).unwrap();
    }
    for (start, len) in [([0x20, 0x01, 0x0d, 0xb8, 0, 0x53, 0, 0], 64), ([0xfe, 0x80, 0, 0, 0, 0, 0, 0], 10)]
    {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&start);
        config.host.insert(Address::new(IpVersion::V6, &bytes), len).unwrap();
    }
    config
}

/// All rates in one test, because verifying the programs takes most of its time.
#[test]
fn kernel_and_replay_agree_on_every_packet_at_100_and_at_30_percent() {
    for (link_type, packets) in corpus() {
        let link_type = LinkType(link_type);
        let settings = ProgramSettings { config: config(100), link_type, ring_bytes: 64 << 20 };
        let Some(mut loaded) = support::load(&settings) else { return };
        let raw = [EntryPoint::TcIngressRaw, EntryPoint::TcEgressRaw];
        let entries =
            [EntryPoint::Xdp, EntryPoint::Tap, EntryPoint::TcIngress, EntryPoint::TcEgress].into_iter();
        for entry in entries.chain(raw.into_iter().filter(|_| link_type == LinkType::RAW)) {
            for percent in [100, 30] {
                let config = config(percent);
                loaded.control.configure(&config);
                compare_entry(&mut loaded, entry, link_type, &packets, &config);
            }
        }
    }
}

fn compare_entry(
    loaded: &mut Loaded,
    entry: EntryPoint,
    link_type: LinkType,
    packets: &[Vec<u8>],
    config: &KernelConfig,
) {
    let before = loaded.collector.counts().unwrap();
    let (mut run, mut refused) = (Expected::default(), 0);
    let mut sampled = 0;
    for packets in packets.chunks(BATCH) {
        run.sampled.clear();
        for packet in packets {
            match support::run(&mut loaded.programs, entry, packet) {
                Some(verdict) => {
                    assert_eq!(verdict, verdict_of(entry));
                    run.add(packet, link_type, config);
                }
                None => refused += 1,
            }
        }
        if entry != EntryPoint::Tap {
            for (shard, deep) in (0..).zip(&mut loaded.deep) {
                compare_sampled(
                    deep,
                    run.sampled.iter().filter(|sampled| sampled.shard == shard),
                    entry,
                    link_type,
                );
            }
        }
        sampled += run.sampled.len();
    }
    let mut counts = loaded.collector.counts().unwrap();
    counts.counters.subtract(&before.counters);
    assert_eq!(counts.counters, run.counters, "{entry:?}, {link_type:?}");
    let unknown = |counts: &KernelCounts| {
        counts.ethertypes.others() + counts.ethertypes.counts().map(|count| count.packets).sum::<u64>()
    };
    assert_eq!(unknown(&counts) - unknown(&before), run.unknown_ethertypes, "{entry:?}, {link_type:?}");
    let (punted, before) = (counts.punted, before.punted);
    match entry {
        // There are no sockets here to hand packets to.
        EntryPoint::Tap => assert_eq!(punted.lost_no_socket - before.lost_no_socket, run.delivered),
        _ => assert_eq!(punted.delivered - before.delivered, run.delivered, "{entry:?}"),
    }
    let all = |counted: Punts| counted.lost() + counted.delivered;
    assert_eq!(all(punted) - all(before), run.delivered, "{entry:?}");
    let standby = loaded.collector.flip(Ends::Period);
    compare_addresses(&run, &loaded.collector.collect(standby).unwrap(), entry);
    println!(
        "{entry:?}, link type {}: {} packets, {sampled} sampled, {refused} that BPF_PROG_TEST_RUN does not take",
        link_type.0,
        run.counters.packets.total(),
    );
}

/// XDP_DROP if the program takes packets away from the host, else XDP_PASS and TCX_NEXT.
fn verdict_of(entry: EntryPoint) -> u32 {
    match entry {
        EntryPoint::Tap => 1,
        EntryPoint::Xdp | EntryPoint::Nothing => 2,
        EntryPoint::TcIngress | EntryPoint::TcEgress | EntryPoint::TcIngressRaw | EntryPoint::TcEgressRaw => {
            u32::MAX
        }
    }
}

/// Registers are equal, the bounds of heavy hitters hold, and every packet is in a hitter or among
/// the missed ones.
fn compare_addresses(run: &Expected, collected: &Collected, entry: EntryPoint) {
    let registers = collected.cardinality.as_ref().unwrap();
    assert!(registers.sources_in == run.cardinality[0].0, "{entry:?}: other sources");
    assert!(registers.destinations_out == run.cardinality[1].0, "{entry:?}: other destinations");
    let HeavyHitters { v4, v6 } = &collected.heavy;
    let widened = |address: [u8; 4]| std::array::from_fn(|i| address.get(i).copied().unwrap_or(0));
    let found4: Vec<_> = v4.addresses.iter().map(|h| (widened(h.address), h.packets, h.missed_max)).collect();
    let found6: Vec<_> = v6.addresses.iter().map(|h| (h.address, h.packets, h.missed_max)).collect();
    for (found, missed, absent_max, remotes) in [
        (found4, v4.missed, v4.absent_max, &run.remotes[0]),
        (found6, v6.missed, v6.absent_max, &run.remotes[1]),
    ] {
        let counted: u64 = found.iter().map(|(_, packets, _)| packets).sum();
        assert_eq!(counted + missed, remotes.values().sum::<u64>(), "{entry:?}");
        let mut absent = remotes.clone();
        for (address, packets, missed_max) in found {
            let truth = absent.remove(&address).unwrap_or_default();
            assert!(packets <= truth && truth <= packets + missed_max, "{entry:?}, {address:?}: {truth}");
        }
        assert!(absent.values().all(|truth| *truth <= absent_max), "{entry:?}");
    }
}

fn compare_sampled<'a>(
    deep: &mut Deep,
    mut expected: impl Iterator<Item = &'a Sampled>,
    entry: EntryPoint,
    link_type: LinkType,
) {
    deep.poll(monotonic_ns(), usize::MAX, |header, bytes| {
        let Sampled { packet, direction, .. } =
            expected.next().unwrap_or_else(|| panic!("{entry:?}: more than were sampled"));
        assert_eq!(bytes, packet, "{entry:?}, {link_type:?}");
        assert_eq!((header.direction(), header.link_type()), (*direction, link_type), "{entry:?}");
        assert_eq!((header.wire_len as usize, header.packets), (packet.len(), 1), "{entry:?}");
    });
    assert!(expected.next().is_none(), "{entry:?}, {link_type:?}: fewer than were sampled");
}
