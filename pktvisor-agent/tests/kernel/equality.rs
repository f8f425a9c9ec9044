//! Kernel and file replay count and choose the same, packet for packet.

use pktvisor_agent::capture::kernel::{Deep, Entry, Loaded, Settings, monotonic_ns};
use pktvisor_common::classify::{Class, LinkType, classify, flags};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::{Direction, direction};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::sampling::{SampleRate, needs_reassembly, packet_hash};

use crate::corpus::corpus;
use crate::support;

/// Rings are looked after before that many packets have come.
const BATCH: usize = 1_000;

/// XDP_PASS and TCX_NEXT.
const PASSES: [u32; 2] = [2, u32::MAX];

/// What file replay makes of packets.
#[derive(Default)]
struct Expected {
    counters: Counters,
    /// Packets of DNS that were chosen.
    delivered: u64,
    /// What goes up: bytes and direction.
    chosen: Vec<(Vec<u8>, Direction)>,
}

impl Expected {
    fn add(&mut self, packet: &[u8], link_type: LinkType, config: &KernelConfig) {
        let mut class = Class::default();
        classify(packet, link_type, &config.dns_ports, &mut class);
        let direction = direction(&class, &config.host);
        self.counters.count(&class, direction, packet.len() as u32);
        let goes_up = if class.has(flags::DNS_UDP) {
            let chosen = config.sample_rate.chooses(packet_hash(&class));
            self.counters.packets.dns_not_chosen += u64::from(!chosen);
            chosen
        } else {
            needs_reassembly(&class)
        };
        if goes_up {
            self.delivered += u64::from(class.has(flags::ANY_DNS));
            self.chosen.push((packet.to_vec(), direction));
        }
    }
}

fn config(percent: u8) -> KernelConfig {
    let mut config = KernelConfig { sample_rate: SampleRate::percent(percent), ..KernelConfig::default() };
    // The host of generated traffic, and networks that real captures are about.
    for (address, len) in [([192, 0, 2, 0], 28), ([192, 168, 0, 0], 16), ([10, 0, 0, 0], 9)] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&address);
        config.host.insert(&bytes, len, 4).unwrap();
    }
    for (start, len) in [([0x20, 0x01, 0x0d, 0xb8, 0, 0x53, 0, 0], 64), ([0xfe, 0x80, 0, 0, 0, 0, 0, 0], 10)]
    {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&start);
        config.host.insert(&bytes, len, 6).unwrap();
    }
    config
}

#[test]
fn kernel_and_replay_agree_on_every_packet_at_100_percent() {
    compare(100);
}

#[test]
fn kernel_and_replay_agree_on_every_packet_at_30_percent() {
    compare(30);
}

fn compare(percent: u8) {
    let config = config(percent);
    for (link_type, packets) in corpus() {
        let link_type = LinkType(link_type);
        let settings = Settings { config, link_type, ring_bytes_per_cpu: 64 << 20 };
        let Some(mut loaded) = support::load(&settings) else { return };
        let raw = [Entry::TcIngressRaw, Entry::TcEgressRaw];
        let entries = [Entry::Xdp, Entry::TcIngress, Entry::TcEgress].into_iter();
        for entry in entries.chain(raw.into_iter().filter(|_| link_type == LinkType::RAW)) {
            compare_entry(&mut loaded, entry, link_type, &packets, &config);
        }
    }
}

fn compare_entry(
    loaded: &mut Loaded,
    entry: Entry,
    link_type: LinkType,
    packets: &[Vec<u8>],
    config: &KernelConfig,
) {
    let before = loaded.drain.counts().unwrap();
    let (mut run, mut refused) = (Expected::default(), 0);
    let mut chosen = 0;
    for packets in packets.chunks(BATCH) {
        run.chosen.clear();
        for packet in packets {
            match support::run(&mut loaded.kernel, entry, packet) {
                Some(verdict) => {
                    assert_eq!(verdict, PASSES[usize::from(entry != Entry::Xdp)]);
                    run.add(packet, link_type, config);
                }
                None => refused += 1,
            }
        }
        compare_chosen(&mut loaded.deep, &run.chosen, entry, link_type);
        chosen += run.chosen.len();
    }
    let mut counts = loaded.drain.counts().unwrap();
    counts.counters.subtract(&before.counters);
    assert_eq!(counts.counters, run.counters, "{entry:?}, {link_type:?}");
    assert_eq!(counts.handed_up.delivered - before.handed_up.delivered, run.delivered, "{entry:?}");
    assert_eq!(counts.handed_up.lost(), 0, "{entry:?}");
    println!(
        "{entry:?}, link type {}: {} packets, {chosen} chosen, {refused} that BPF_PROG_TEST_RUN does not take",
        link_type.0,
        run.counters.packets.total(),
    );
}

fn compare_chosen(deep: &mut Deep, chosen: &[(Vec<u8>, Direction)], entry: Entry, link_type: LinkType) {
    let mut expected = chosen.iter();
    let taken = deep.drain(monotonic_ns(), usize::MAX, |header, bytes| {
        let (packet, direction) =
            expected.next().unwrap_or_else(|| panic!("{entry:?}: more than were chosen"));
        assert_eq!(bytes, packet, "{entry:?}, {link_type:?}");
        assert_eq!((header.direction(), header.link_type()), (*direction, link_type), "{entry:?}");
        assert_eq!((header.wire_len as usize, header.packets), (packet.len(), 1), "{entry:?}");
    });
    assert_eq!(taken, chosen.len(), "{entry:?}, {link_type:?}");
}
