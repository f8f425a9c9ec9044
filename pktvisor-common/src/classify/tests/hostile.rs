//! Malformed input: no panic, offsets within the capture, and sums that agree.

use proptest::prelude::*;

use super::*;
use crate::counters::Counters;
use crate::direction::Direction;

/// The promises of [`Class`] and of the counters, for any packet.
fn check(link_type: LinkType, packet: &[u8]) {
    let class = class_of(link_type, packet);
    let end = usize::from(class.payload_offset) + usize::from(class.payload_len);
    assert!(end <= packet.len(), "payload ends at {end} of {}: {class:?}", packet.len());
    let implied = |flag, by: u16| assert!(!class.has(flag) || class.flags & by == by, "{class:?}");
    implied(flags::NO_ADDRESSES, flags::MALFORMED);
    implied(flags::LATER_FRAGMENT, flags::FRAGMENT);
    implied(flags::DNS_FRAGMENT, flags::FRAGMENT);
    if class.has(flags::DNS_UDP) {
        assert!(!class.has(flags::FRAGMENT) && class.payload_len >= 12);
        let message = &packet[usize::from(class.payload_offset)..];
        assert_eq!(class.dns_id.to_be_bytes(), message[..2]);
        assert_eq!(class.dns_flags.to_be_bytes(), message[2..4]);
    }
    if class.has(flags::MALFORMED) {
        assert!(!class.has(flags::ANY_DNS | flags::TUNNELLED));
    }
    if class.ip_version.is_none() {
        assert_non_ip(&class);
    }
    check_sums(&class, packet.len() as u32);
}

fn check_sums(class: &Class, wire_len: u32) {
    let mut counters = Counters::default();
    for direction in [Direction::Received, Direction::Sent, Direction::Unknown] {
        counters.count(class, direction, wire_len);
    }
    let p = &counters.packets;
    assert_eq!((p.total(), p.total_bytes()), (3, 3 * u64::from(wire_len)));
    assert_eq!(p.total(), p.ipv4 + p.ipv6 + p.non_ip);
    assert_eq!(p.ipv4 + p.ipv6, p.udp + p.tcp + p.other_l4);
    assert_eq!(p.total(), p.sizes.iter().sum::<u64>());
    assert!(p.malformed <= p.other_l4);
    let dns = &counters.dns;
    assert_eq!(dns.total(), dns.udp + dns.tcp);
    assert_eq!(dns.total(), dns.ipv4 + dns.ipv6);
    assert_eq!(dns.replies, dns.rcodes.iter().sum::<u64>());
    assert!(dns.total() <= p.dns_packets && dns.truncated_capture <= dns.total());
}

/// One packet with something of everything in its headers.
fn specimens() -> Vec<(LinkType, Vec<u8>)> {
    let extensions: [&[u8]; 3] =
        [&[44, 0, 0, 0, 0, 0, 0, 0], &[60, 0, 0, 1, 0, 0, 0, 1], &[17, 0, 0, 0, 0, 0, 0, 0]];
    let v6 = ipv6(0, &join(&[&join(&extensions), &udp(53, 9, &QUERY)]));
    let later = ipv6(44, &join(&[&[17, 0, 0, 0x80, 0, 0, 0, 1], &QUERY]));
    let segment = ipv4(6, &tcp_with((53, 9), 9, 0x19, b"some bytes"));
    let snap = join(&[&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], &dns_v4()]);
    let mpls = join(&[&[0, 1, 0x10, 64, 0, 2, 0x11, 64], &v6]);
    let pppoe = join(&[&[0x11, 0, 0, 9, 0, 99, 0, 0x21], &segment]);
    vec![
        (LinkType::ETHERNET, ethernet(0x0800, &dns_v4())),
        (LinkType::ETHERNET, ethernet(0x86dd, &v6)),
        (LinkType::ETHERNET, ethernet(0x86dd, &later)),
        (LinkType::ETHERNET, ethernet(0x8100, &join(&[&[0, 1, 0, 60], &snap]))),
        (LinkType::ETHERNET, ethernet(0x8847, &mpls)),
        (LinkType::ETHERNET, ethernet(0x8864, &pppoe)),
        (LinkType::LINUX_SLL, join(&[&[9; 14], &[0, 4], &snap])),
        (LinkType::LINUX_SLL2, join(&[&[0x86, 0xdd], &[9; 18], &v6])),
        (LinkType::NULL, join(&[&[30, 0, 0, 0], &later])),
        (LinkType::PPP, join(&[&[0xff, 3, 0x21], &segment])),
        (
            LinkType::ETHERNET,
            ethernet(0x88e7, &join(&[&[0; 16], &[0x89, 0x3f], &[0; 6], &[0x81, 0, 0, 1, 8, 0], &segment])),
        ),
        (
            LinkType::ETHERNET,
            ethernet(0x8926, &join(&[&[0; 4], &[0x89, 9, 1, 1, 0, 1, 0, 6, 0x86, 0xdd], &v6])),
        ),
        (LinkType::FDDI, join(&[&[0x50], &[2; 12], &snap])),
        (LinkType::NFLOG, join(&[&[2, 0, 0, 5, 8, 0, 1, 0, 8, 0, 1, 0, 40, 0, 9, 0], &dns_v4()])),
        (LinkType::RAW, v6),
        (LinkType::IPV4, segment),
    ]
}

#[test]
fn every_truncation_of_a_packet_keeps_the_promises() {
    for (link_type, packet) in specimens() {
        for len in 0..=packet.len() {
            check(link_type, &packet[..len]);
        }
    }
}

#[test]
fn every_changed_byte_keeps_the_promises() {
    for (link_type, packet) in specimens() {
        for i in 0..packet.len() {
            let mut changed = packet.clone();
            for value in 0..=u8::MAX {
                changed[i] = value;
                check(link_type, &changed);
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_keep_the_promises(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for link_type in LinkType::SUPPORTED {
            check(link_type, &bytes);
        }
        check(LinkType(105), &bytes);
    }

    #[test]
    fn random_bytes_in_headers_and_any_cut_keep_the_promises(
        specimen in 0..16usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        len in any::<prop::sample::Index>(),
    ) {
        let (link_type, mut packet) = specimens().swap_remove(specimen);
        for (at, value) in changes {
            let at = at.index(packet.len());
            packet[at] = value;
        }
        check(link_type, &packet[..=len.index(packet.len())]);
        check(link_type, &packet[..len.index(packet.len())]);
    }
}
