//! IP headers, extension headers, fragments.

use super::*;
use crate::sampling::needs_reassembly;

fn v4(packet: &[u8]) -> Class {
    class_of(LinkType::IPV4, packet)
}

fn v6(packet: &[u8]) -> Class {
    class_of(LinkType::IPV6, packet)
}

#[test]
fn ipv4_addresses_ports_and_offsets_are_reported() {
    let expected = Class {
        source: [192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        destination: [198, 51, 100, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        flags: flags::DNS_UDP | flags::VLAN,
        source_port: 40_000,
        destination_port: 53,
        network_offset: 18,
        transport_offset: 38,
        payload_offset: 46,
        payload_len: 17,
        dns_id: 0x1234,
        dns_flags: 0x0100,
        ip_version: V4,
        protocol: 17,
        tcp_flags: 0,
        unknown_ethertype: 0,
        reserved: 0,
    };
    let packet = ethernet(0x8100, &join(&[&[0, 1, 8, 0], &dns_v4()]));
    assert_eq!(class_of(LinkType::ETHERNET, &packet), expected);
}

#[test]
fn ipv6_addresses_ports_and_offsets_are_reported() {
    let expected = Class {
        source: SOURCE_V6,
        destination: DESTINATION_V6,
        source_port: 1,
        destination_port: 2,
        transport_offset: 40,
        payload_offset: 60,
        payload_len: 3,
        ip_version: V6,
        protocol: 6,
        tcp_flags: 0x18,
        ..Class::default()
    };
    assert_eq!(v6(&ipv6(protocol::TCP, &tcp(1, 2, 0x18, b"abc"))), expected);
}

#[test]
fn ipv4_options_are_skipped() {
    let mut packet = dns_v4();
    packet.splice(20..20, [1; 40]);
    packet[0] = 0x4f;
    packet[3] += 40;
    let class = v4(&packet);
    assert_dns(&class, V4, 0);
    assert_eq!(class.transport_offset, 60);
}

#[test]
fn an_ipv4_header_that_cannot_be_is_malformed_without_addresses() {
    let mut short_header = dns_v4();
    short_header[0] = 0x44;
    let mut version = dns_v4();
    version[0] = 0x55;
    for packet in [&short_header[..], &version, &dns_v4()[..19], &[]] {
        assert_eq!(
            v4(packet),
            Class { ip_version: V4, flags: flags::MALFORMED | flags::NO_ADDRESSES, ..Class::default() }
        );
    }
}

#[test]
fn an_ipv4_header_with_options_cut_or_a_length_below_it_is_malformed_but_has_addresses() {
    let mut options_cut = dns_v4();
    options_cut[0] = 0x4f;
    options_cut.truncate(59);
    let mut too_short = dns_v4();
    too_short[2..4].copy_from_slice(&[0, 19]);
    for packet in [options_cut, too_short] {
        let class = v4(&packet);
        assert_eq!(class.flags, flags::MALFORMED);
        assert!(class.addresses().is_some());
        assert_eq!(class.source[..4], SOURCE_V4);
        assert_eq!((class.source_port, class.transport_offset, class.payload_len), (0, 0, 0));
    }
}

#[test]
fn an_ip_length_of_0_means_up_to_the_end_of_the_capture() {
    let mut packet = dns_v4();
    packet[2..4].copy_from_slice(&[0, 0]);
    assert_dns(&v4(&packet), V4, 0);
    let mut packet = dns_v6();
    packet[4..6].copy_from_slice(&[0, 0]);
    assert_dns(&v6(&packet), V6, 0);
}

#[test]
fn an_ipv6_header_that_is_cut_or_of_another_version_is_malformed_without_addresses() {
    let mut version = dns_v6();
    version[0] = 0x50;
    for packet in [&version[..], &dns_v6()[..39], &[]] {
        let class = v6(packet);
        assert_eq!((class.ip_version, class.flags), (V6, flags::MALFORMED | flags::NO_ADDRESSES));
        assert_eq!((class.source, class.destination), ([0; 16], [0; 16]));
    }
}

/// `len` counts 8-byte units beyond the first.
fn extension(next_header: u8, len: u8) -> Vec<u8> {
    let mut header = vec![0; (usize::from(len) + 1) * 8];
    header[0] = next_header;
    header[1] = len;
    header
}

fn fragment_header(next_header: u8, offset_and_more: u16) -> Vec<u8> {
    let [high, low] = offset_and_more.to_be_bytes();
    vec![next_header, 0, high, low, 0, 0, 0, 1]
}

/// `count` extension headers of all lengths and kinds, then `last`.
fn chain(count: usize, last: u8) -> (u8, Vec<u8>) {
    let kinds = [0, 43, 60, 60, 43, 0, 60, 43, 60, 60];
    let next = |i: usize| if i < count { kinds[i] } else { last };
    (next(0), (0..count).flat_map(|i| extension(next(i + 1), (i % 3) as u8)).collect())
}

#[test]
fn up_to_eight_extension_headers_are_walked() {
    for count in 0..=8 {
        let (first, headers) = chain(count, 17);
        let class = v6(&ipv6(first, &join(&[&headers, &udp(53, 9, &QUERY)])));
        assert_dns(&class, V6, 0);
        assert_eq!(usize::from(class.transport_offset), 40 + headers.len());
    }
}

#[test]
fn more_extension_headers_are_malformed_but_have_addresses() {
    for count in [9, 10] {
        let (first, headers) = chain(count, 17);
        let class = v6(&ipv6(first, &join(&[&headers, &udp(53, 9, &QUERY)])));
        assert_eq!(class.flags, flags::MALFORMED);
        assert_eq!((class.source_port, class.transport_offset), (0, 0));
        assert!(class.addresses().is_some());
    }
}

#[test]
fn a_cut_extension_header_is_malformed() {
    let (first, headers) = chain(2, 17);
    let whole = ipv6(first, &join(&[&headers, &udp(53, 9, &QUERY)]));
    for len in 40..40 + headers.len() {
        assert_eq!(v6(&whole[..len]).flags, flags::MALFORMED, "{len}");
    }
    // Captured, but beyond the packet's own end: that is link-layer padding.
    let mut padded = whole;
    padded[4..6].copy_from_slice(&(headers.len() as u16 - 1).to_be_bytes());
    assert_eq!(v6(&padded).flags, flags::MALFORMED);
}

#[test]
fn security_headers_are_not_walked() {
    for protocol in [50, 51] {
        let class = v6(&ipv6(protocol, &join(&[&extension(17, 2), &udp(53, 9, &QUERY)])));
        assert_eq!((class.protocol, class.flags), (protocol, 0));
    }
}

#[test]
fn an_atomic_fragment_is_no_fragment() {
    let class = v6(&ipv6(44, &join(&[&fragment_header(17, 0), &udp(53, 9, &QUERY)])));
    assert_dns(&class, V6, 0);
    // Reserved bits mean nothing.
    let class = v6(&ipv6(44, &join(&[&fragment_header(17, 0b110), &udp(53, 9, &QUERY)])));
    assert_dns(&class, V6, 0);
    // "Don't fragment" is no fragment either.
    assert_dns(&v4(&ipv4_fragment(17, 0x4000, &udp(53, 9, &QUERY))), V4, 0);
}

#[test]
fn a_first_fragment_has_ports_and_may_hold_dns() {
    let mut datagram = udp(53, 40_000, &[QUERY.as_slice(); 100].concat());
    datagram.truncate(800);
    for class in [
        v4(&ipv4_fragment(17, 0x2000, &datagram)),
        v6(&ipv6(44, &join(&[&fragment_header(17, 1), &datagram]))),
    ] {
        assert_eq!(class.flags, flags::FRAGMENT | flags::DNS_FRAGMENT);
        assert_eq!((class.source_port, class.payload_len, class.protocol), (53, 792, 17));
    }
    let class = v4(&ipv4_fragment(17, 0x2000, &udp(1, 2, &[0; 80])));
    assert_eq!(class.flags, flags::FRAGMENT);
}

#[test]
fn a_later_fragment_has_no_ports_and_may_hold_dns_if_udp() {
    let data = udp(53, 53, &[0; 24]);
    for (protocol, dns) in [(17, flags::DNS_FRAGMENT), (6, 0), (1, 0)] {
        for (class, offset) in [
            (v4(&ipv4_fragment(protocol, 0x2064, &data)), 20),
            (v4(&ipv4_fragment(protocol, 0x0064, &data)), 20),
            (v6(&ipv6(44, &join(&[&fragment_header(protocol, 100 << 3), &data]))), 48),
            (v6(&ipv6(44, &join(&[&fragment_header(protocol, 100 << 3 | 1), &data]))), 48),
        ] {
            assert_eq!(class.flags, flags::FRAGMENT | flags::LATER_FRAGMENT | dns);
            assert_eq!((class.source_port, class.tcp_flags, class.protocol), (0, 0, protocol));
            assert_eq!((class.transport_offset, class.payload_offset), (offset, offset));
            assert_eq!(class.payload_len, 32);
        }
    }
}

#[test]
fn nothing_is_walked_behind_a_later_fragments_header() {
    let class = v6(&ipv6(44, &join(&[&fragment_header(60, 8), &extension(17, 0), &udp(53, 9, &QUERY)])));
    assert_eq!(class.protocol, 60);
    assert_eq!(class.flags, flags::FRAGMENT | flags::LATER_FRAGMENT | flags::DNS_FRAGMENT);
}

#[test]
fn a_later_ipv6_fragment_may_hold_dns_behind_extension_headers() {
    let v6_later = |number| v6(&ipv6(44, &join(&[&fragment_header(number, 100 << 3), &[0; 32]])));
    let later = flags::FRAGMENT | flags::LATER_FRAGMENT;
    for number in [0, 43, 60] {
        let class = v6_later(number);
        assert_eq!((class.flags, class.protocol), (later | flags::DNS_FRAGMENT, number));
        assert!(class.is_fragment_of_use() && needs_reassembly(&class));
        // IPv4 has no such headers.
        let class = v4(&ipv4_fragment(number, 0x0064, &[0; 32]));
        assert_eq!(class.flags, later);
        assert!(!class.is_fragment_of_use() && !needs_reassembly(&class));
    }
    for number in [6, 50, 51, 58, 135] {
        assert!(!v6_later(number).is_fragment_of_use(), "{number}");
    }
}

#[test]
fn a_first_ipv6_fragment_with_extension_headers_shows_whether_later_ones_hold_dns() {
    let first = |parts: &[&[u8]]| v6(&ipv6(44, &join(&[&fragment_header(60, 1), &join(parts)])));
    let known = flags::FRAGMENT | flags::EXTENSION_FIRST;
    let class = first(&[&extension(43, 0), &extension(17, 2), &udp(9, 53, &QUERY)]);
    assert_eq!((class.flags, class.destination_port), (known | flags::DNS_FRAGMENT, 53));
    for (next, transport) in [(17, udp(9, 10, &QUERY)), (6, tcp(9, 10, 0, &QUERY)), (58, vec![0; 8])] {
        let class = first(&[&extension(next, 0), &transport]);
        assert_eq!(class.flags, known, "{next}");
        assert!(class.is_fragment_of_use() && needs_reassembly(&class));
    }
    // The ports may come with the next fragment; an extension header must not (RFC 7112).
    assert_eq!(first(&[&extension(17, 0)]).flags, known | flags::DNS_FRAGMENT);
    let class = first(&[&extension(17, 1)[..8]]);
    assert_eq!(class.flags, flags::FRAGMENT | flags::MALFORMED);
    assert!(!class.is_fragment_of_use() && !needs_reassembly(&class));
    // A header before the fragment header is not part of the datagram's fragments.
    let before = v6(&ipv6(60, &join(&[&extension(44, 0), &fragment_header(17, 1), &udp(9, 10, &QUERY)])));
    assert_eq!(before.flags, flags::FRAGMENT);
}

#[test]
fn an_ipv4_header_longer_than_the_frame_is_malformed_and_a_fragment_if_it_says_so() {
    for (field, fragment) in [
        (0x2000, flags::FRAGMENT),
        (0x0001, flags::FRAGMENT | flags::LATER_FRAGMENT),
        (0x3fff, flags::FRAGMENT | flags::LATER_FRAGMENT),
        (0x0000, 0),
        (0x4000, 0),
    ] {
        let mut options_cut = ipv4_fragment(17, field, &udp(9, 53, &QUERY));
        options_cut[0] = 0x4f;
        let mut above_total_len = options_cut.clone();
        above_total_len.extend([0; 60]);
        options_cut.truncate(59);
        for packet in [options_cut, above_total_len] {
            let class = v4(&packet);
            assert_eq!(class.flags, flags::MALFORMED | fragment);
            assert!(class.addresses().is_some() && !needs_reassembly(&class));
        }
    }
}

#[test]
fn extension_headers_before_and_behind_a_first_fragments_header_are_walked() {
    let parts: [&[u8]; 4] =
        [&extension(44, 1), &fragment_header(60, 1), &extension(17, 0), &udp(53, 9, &QUERY)];
    let class = v6(&ipv6(0, &join(&parts)));
    assert_eq!(class.flags, flags::FRAGMENT | flags::EXTENSION_FIRST | flags::DNS_FRAGMENT);
    assert_eq!(class.transport_offset, 40 + 16 + 8 + 8);
}

#[test]
fn tunnels_are_recognised_and_not_looked_into() {
    for protocol in [4, 41, 47, 94, 97, 137] {
        for class in [v4(&ipv4(protocol, &dns_v4())), v6(&ipv6(protocol, &dns_v4()))] {
            assert_eq!((class.flags, class.protocol), (flags::TUNNELLED, protocol));
            assert_eq!(class.source_port, 0);
        }
        assert!(v4(&ipv4_fragment(protocol, 0x0010, &dns_v4())).has(flags::TUNNELLED));
    }
    assert_eq!(v4(&ipv4(1, &dns_v4())).flags, 0);
}

#[test]
fn a_capture_that_ends_before_the_datagram_is_truncated() {
    let packet = ipv4(1, &[8; 64]);
    assert_eq!(v4(&packet).flags, 0);
    assert_eq!(v4(&packet[..83]).flags, flags::TRUNCATED_CAPTURE);
}
