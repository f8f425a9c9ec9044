//! UDP, TCP, and the DNS in them.

use super::*;

fn v4_udp(datagram: &[u8]) -> Class {
    class_of(LinkType::IPV4, &ipv4(protocol::UDP, datagram))
}

fn v6_udp(datagram: &[u8]) -> Class {
    class_of(LinkType::IPV6, &ipv6(protocol::UDP, datagram))
}

fn v4_tcp(segment: &[u8]) -> Class {
    class_of(LinkType::IPV4, &ipv4(protocol::TCP, segment))
}

#[test]
fn dns_is_a_udp_payload_of_12_bytes_with_a_dns_port_at_either_end() {
    for (source_port, destination_port) in [(53, 9), (9, 53), (53, 53)] {
        let class = v4_udp(&udp(source_port, destination_port, &QUERY[..12]));
        assert_eq!((class.flags, class.payload_len, class.dns_id), (flags::DNS_UDP, 12, 0x1234));
        let class = v4_udp(&udp(source_port, destination_port, &QUERY[..11]));
        assert_eq!((class.flags, class.payload_len, class.dns_id), (0, 11, 0));
    }
    assert_eq!(v4_udp(&udp(5353, 54, &QUERY)).flags, 0);
}

#[test]
fn other_dns_ports_replace_port_53() {
    let ports = DnsPorts::new(&[5353, 5355]).unwrap();
    let mut class = Class::default();
    classify(&ipv4(17, &udp(9, 5355, &QUERY))[..], LinkType::IPV4, &ports, &mut class);
    assert!(class.has(flags::DNS_UDP));
    classify(&ipv4(17, &udp(9, 53, &QUERY))[..], LinkType::IPV4, &ports, &mut class);
    assert!(!class.has(flags::DNS_UDP));
}

#[test]
fn link_layer_padding_is_no_payload() {
    let mut padded = ipv4(17, &udp(9, 53, &QUERY[..11]));
    padded.extend([0; 20]);
    let class = class_of(LinkType::IPV4, &padded);
    assert_eq!((class.flags, class.payload_len), (0, 11));

    let mut padded = ipv4(6, &tcp(9, 53, tcp_flags::ACK, &[]));
    padded.extend([0; 6]);
    let class = class_of(LinkType::IPV4, &padded);
    assert_eq!((class.flags, class.payload_len), (0, 0));

    // A datagram too short for a header: what lies behind it are no ports.
    let mut padded = ipv4(17, &udp(9, 53, &QUERY)[..7]);
    padded.extend([0; 30]);
    assert_eq!(class_of(LinkType::IPV4, &padded).destination_port, 0);
}

fn with_udp_len(len: u16) -> Vec<u8> {
    let mut datagram = udp(9, 53, &QUERY);
    datagram[4..6].copy_from_slice(&len.to_be_bytes());
    datagram
}

#[test]
fn the_smaller_of_udp_length_and_ip_length_ends_the_payload() {
    let class = v4_udp(&with_udp_len(8 + 13));
    assert_eq!((class.flags, class.payload_len), (flags::DNS_UDP, 13));
    let class = v4_udp(&with_udp_len(1000));
    assert_eq!((class.flags, class.payload_len), (flags::DNS_UDP, 17));
}

#[test]
fn a_udp_length_below_8_leaves_no_payload_save_0_over_ipv6() {
    for len in 0..=8 {
        let class = v4_udp(&with_udp_len(len));
        assert_eq!((class.flags, class.payload_len, class.destination_port), (0, 0, 53), "{len}");
        let class = v6_udp(&with_udp_len(len));
        let expected = if len == 0 { (flags::DNS_UDP, 17) } else { (0, 0) };
        assert_eq!((class.flags, class.payload_len), expected, "{len}");
    }
}

#[test]
fn a_snapped_message_of_12_bytes_is_still_dns() {
    let packet = dns_v4();
    let class = class_of(LinkType::IPV4, &packet[..40]);
    assert_eq!((class.flags, class.payload_len), (flags::DNS_UDP | flags::TRUNCATED_CAPTURE, 12));
    let class = class_of(LinkType::IPV4, &packet[..39]);
    assert_eq!((class.flags, class.payload_len), (flags::TRUNCATED_CAPTURE, 11));
}

#[test]
fn bytes_behind_the_udp_length_do_not_count_as_truncated() {
    let datagram = with_udp_len(8 + 12);
    let packet = ipv4(17, &datagram);
    assert_eq!(class_of(LinkType::IPV4, &packet[..40]).flags, flags::DNS_UDP);
}

#[test]
fn tunnels_over_udp_are_recognised_by_their_port() {
    for port in [4789, 8472, 6081, 2152, 3544] {
        assert_eq!(v4_udp(&udp(50_000, port, &QUERY)).flags, flags::TUNNELLED);
        assert_eq!(v4_udp(&udp(53, port, &QUERY)).flags, flags::DNS_UDP);
        assert_eq!(v4_udp(&udp(port, 53, &QUERY)).flags, flags::DNS_UDP);
    }
    assert_eq!(v4_udp(&udp(3544, 50_000, &QUERY)).flags, flags::TUNNELLED);
    // An arbitrary source port may be any number.
    assert_eq!(v4_udp(&udp(8472, 123, &QUERY)).flags, 0);
}

#[test]
fn tcp_segments_of_dns_go_up_with_payload_or_when_they_open_or_close() {
    let go_up = |flags, payload: &[u8]| v4_tcp(&tcp(53, 9, flags, payload)).has(flags::DNS_TCP);
    assert!(go_up(tcp_flags::ACK, &[1]));
    assert!(go_up(tcp_flags::SYN, &[]));
    assert!(go_up(tcp_flags::FIN | tcp_flags::ACK, &[]));
    assert!(go_up(tcp_flags::RST, &[]));
    assert!(!go_up(tcp_flags::ACK, &[]));
    assert!(v4_tcp(&tcp(9, 53, 0x18, &[1])).has(flags::DNS_TCP));
    assert_eq!(v4_tcp(&tcp(9, 443, 0x1a, &[1])).flags, 0);
}

#[test]
fn tcp_options_are_skipped() {
    for words in 5..=15 {
        let class = v4_tcp(&tcp_with((9, 53), words, 0x18, b"message"));
        assert_eq!((class.payload_offset, class.payload_len), (20 + u16::from(words) * 4, 7));
        assert_eq!(class.flags, flags::DNS_TCP);
    }
}

#[test]
fn an_impossible_tcp_header_length_gives_ports_and_flags_but_no_dns() {
    let too_short = tcp_with((9, 53), 4, 0x12, b"message");
    let mut too_long = tcp(9, 53, 0x12, b"message");
    too_long[12] = 0xf0;
    for segment in [too_short, too_long] {
        let class = v4_tcp(&segment);
        assert_eq!((class.flags, class.payload_len, class.payload_offset), (0, 0, 0));
        assert_eq!((class.source_port, class.destination_port, class.tcp_flags), (9, 53, 0x12));
    }
}

#[test]
fn a_snapped_tcp_segment_keeps_its_captured_bytes() {
    let packet = ipv4(6, &tcp_with((9, 53), 8, 0x18, b"message"));
    let snapped = |len| class_of(LinkType::IPV4, &packet[..len]);
    assert_eq!(snapped(59).flags, flags::DNS_TCP);
    let class = snapped(55);
    assert_eq!((class.flags, class.payload_len), (flags::DNS_TCP | flags::TRUNCATED_CAPTURE, 3));
    // Options cut: the payload would begin behind the capture's end.
    let class = snapped(45);
    assert_eq!((class.flags, class.payload_offset, class.payload_len), (flags::TRUNCATED_CAPTURE, 45, 0));
    let class = snapped(39);
    assert_eq!((class.flags, class.source_port, class.tcp_flags), (flags::TRUNCATED_CAPTURE, 0, 0));
}

#[test]
fn the_first_fragment_of_a_dns_segment_goes_to_stream_reassembly() {
    let class = class_of(LinkType::IPV4, &ipv4_fragment(6, 0x2000, &tcp(53, 9, tcp_flags::ACK, &[0; 44])));
    assert_eq!(class.flags, flags::FRAGMENT | flags::DNS_TCP);
}

#[test]
fn a_payload_beyond_16_bits_is_reported_as_truncated() {
    let mut packet = ipv4(6, &tcp(53, 9, tcp_flags::ACK, &[]));
    packet[2..4].copy_from_slice(&[0, 0]);
    packet.resize(70_000, 0);
    let class = class_of(LinkType::IPV4, &packet);
    assert_eq!((class.flags, class.payload_len), (flags::DNS_TCP | flags::TRUNCATED_CAPTURE, u16::MAX));
    packet.truncate(40 + 65_535);
    assert_eq!(class_of(LinkType::IPV4, &packet).flags, flags::DNS_TCP);
}
