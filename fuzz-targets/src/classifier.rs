//! The classifier, over every link type, and what is computed from its answer: counters, sampling
//! and threads.

use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify, flags};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;
use pktvisor_common::sampling::{needs_reassembly, packet_hash};
use pktvisor_common::sharding::Shards;

/// A link type that is not understood.
const UNKNOWN: LinkType = LinkType(105);

/// A byte with the link type, and the packet.
pub fn run(data: &[u8]) {
    let Some((&first, packet)) = data.split_first() else { return };
    let place = usize::from(first) % (LinkType::SUPPORTED.len() + 1);
    let link_type = LinkType::SUPPORTED.get(place).copied().unwrap_or(UNKNOWN);
    let mut class = Class::default();
    classify(packet, link_type, &DnsPorts::default(), &mut class);
    check_places(packet, &class);
    check_counters(&class, packet.len() as u32);
    check_derived(&class);
    if link_type == UNKNOWN {
        assert_eq!(class, Class::default());
    }
    // Leftovers of another packet have no effect.
    let mut again = Class { flags: 0xffff, payload_len: 9, unknown_ethertype: 7, tcp_flags: 1, ..class };
    classify(packet, link_type, &DnsPorts::default(), &mut again);
    assert_eq!(class, again);
}

/// Offsets lie within the packet, one behind the other.
fn check_places(packet: &[u8], class: &Class) {
    let [network, transport, payload] =
        [class.network_offset, class.transport_offset, class.payload_offset].map(usize::from);
    let payload_end = payload + usize::from(class.payload_len);
    // An IP header of which nothing was captured begins where it would be.
    assert!(network <= packet.len() || class.has(flags::NO_ADDRESSES), "{class:?}");
    assert!(payload_end <= packet.len(), "{class:?}");
    let is_malformed = class.has(flags::MALFORMED);
    assert!(transport == 0 || network < transport || is_malformed, "{class:?}");
    assert!(payload == 0 || transport <= payload, "{class:?}");
    assert_eq!(class.addresses().is_some(), class.ip_version.is_some() && !class.has(flags::NO_ADDRESSES));
    let kinds = [flags::DNS_UDP, flags::DNS_TCP, flags::DNS_FRAGMENT].map(|kind| class.has(kind));
    assert!(kinds.iter().filter(|is| **is).count() <= 1, "{class:?}");
    if class.has(flags::ANY_DNS) {
        assert!(class.ip_version.is_some() && !class.has(flags::MALFORMED | flags::TUNNELLED), "{class:?}");
    }
    if class.has(flags::DNS_UDP) {
        let [high, low, ..] = packet[payload..payload_end] else { panic!("no header: {class:?}") };
        assert_eq!(class.dns_id, u16::from_be_bytes([high, low]));
        assert!(class.payload_len >= 12);
    }
}

fn check_counters(class: &Class, wire_len: u32) {
    let mut counters = Counters::default();
    counters.count(class, Direction::Received, wire_len);
    counters.count(class, Direction::Unknown, u32::MAX);
    let packets = &counters.packets;
    assert_eq!(packets.total(), 2);
    assert_eq!(packets.total_bytes(), u64::from(wire_len) + u64::from(u32::MAX));
    assert_eq!(packets.total(), packets.ipv4 + packets.ipv6 + packets.non_ip);
    assert_eq!(packets.ipv4 + packets.ipv6, packets.udp + packets.tcp + packets.other_l4);
    assert_eq!(packets.total(), packets.sizes.iter().sum::<u64>());
    assert!(packets.malformed <= packets.other_l4 && packets.fragments <= packets.ipv4 + packets.ipv6);
    let dns = &counters.dns;
    assert_eq!(dns.total(), dns.udp + dns.tcp);
    assert_eq!(dns.replies, dns.rcodes.iter().sum::<u64>());
    assert!(dns.total() <= packets.dns_packets);
}

/// Both directions of a flow go to the same thread and are sampled together.
fn check_derived(class: &Class) {
    let reversed = Class {
        source: class.destination,
        destination: class.source,
        source_port: class.destination_port,
        destination_port: class.source_port,
        ..*class
    };
    for threads in [1, 2, 7, 64] {
        let shards = Shards::new(threads);
        assert!(shards.of(class) < shards.count() && shards.of(class) == shards.of(&reversed));
    }
    if class.has(flags::DNS_UDP) {
        assert_eq!(packet_hash(class), packet_hash(&reversed));
        assert!(!needs_reassembly(class));
    }
}
