//! Every packet counts once in each partition, and what was counted can be added and taken away.

use super::*;

fn udp(flags: u16, dns_flags: u16) -> Class {
    Class { ip_version: Some(IpVersion::V4), protocol: protocol::UDP, flags, dns_flags, ..Class::default() }
}

#[test]
fn a_packet_counts_once_in_each_partition() {
    let mut counters = Counters::default();
    counters.count(&udp(0, 0), Direction::Received, 100);
    counters.count(&Class::default(), Direction::Unknown, 60);
    let tcp = Class { ip_version: Some(IpVersion::V6), protocol: protocol::TCP, ..Class::default() };
    counters.count(&tcp, Direction::Sent, 1500);
    let p = counters.packets;
    assert_eq!((p.total(), p.total_bytes()), (3, 1660));
    assert_eq!((p.received, p.sent, p.unknown), (1, 1, 1));
    assert_eq!((p.bytes_in, p.bytes_out, p.bytes_unknown), (100, 1500, 60));
    assert_eq!((p.ipv4, p.ipv6, p.non_ip), (1, 1, 1));
    assert_eq!((p.udp, p.tcp, p.other_l4), (1, 1, 0));
    assert_eq!(counters.dns, DnsCounters::default());
}

#[test]
fn a_malformed_packet_is_of_no_transport() {
    let mut counters = Counters::default();
    counters.count(&udp(flags::MALFORMED, 0), Direction::Unknown, 60);
    assert_eq!((counters.packets.other_l4, counters.packets.udp, counters.packets.malformed), (1, 0, 1));
}

#[test]
fn a_segmented_buffer_counts_as_its_packets_do_one_by_one() {
    let class = Class { tcp_flags: 0x10, protocol: protocol::TCP, ..udp(flags::VLAN | flags::DNS_TCP, 0) };
    let (mut at_once, mut one_by_one) = (Counters::default(), Counters::default());
    at_once.count_all(&class, Direction::Sent, &Wire::segmented(66 + 3000, 66, 1448, 3));
    for len in [1514, 1514, 170] {
        one_by_one.count(&class, Direction::Sent, len);
    }
    assert_eq!(at_once, one_by_one);
}

#[test]
fn sizes_are_classed_by_wire_length() {
    let mut counters = Counters::default();
    for len in [0, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 1518, 1519, u32::MAX] {
        counters.count(&Class::default(), Direction::Unknown, len);
    }
    assert_eq!(counters.packets.sizes, [2; 7]);
}

#[test]
fn tcp_flags_distinguish_opening_from_answering_and_closing() {
    let mut counters = Counters::default();
    for tcp_flags in [0x02, 0x12, 0xc2, 0x10, 0x18, 0x11, 0x14, 0x04, 0x03] {
        let class =
            Class { ip_version: Some(IpVersion::V4), protocol: protocol::TCP, tcp_flags, ..Class::default() };
        counters.count(&class, Direction::Unknown, 60);
    }
    let p = counters.packets;
    assert_eq!((p.tcp_syn, p.tcp_syn_ack, p.tcp_rst), (3, 1, 2));
}

#[test]
fn dns_headers_are_counted_for_whole_udp_datagrams_only() {
    let mut counters = Counters::default();
    counters.count(&udp(flags::DNS_UDP, 0x0100), Direction::Unknown, 80);
    counters.count(&udp(flags::DNS_UDP | flags::TRUNCATED_CAPTURE, 0x8183), Direction::Unknown, 80);
    counters.count(&udp(flags::DNS_FRAGMENT | flags::FRAGMENT, 0), Direction::Unknown, 80);
    counters.count(&udp(flags::DNS_TCP, 0), Direction::Unknown, 80);
    assert_eq!(counters.packets.dns_packets, 4);
    assert_eq!(counters.packets.fragments, 1);
    let mut expected =
        DnsCounters { queries: 1, replies: 1, udp: 2, ipv4: 2, truncated_capture: 1, ..Default::default() };
    expected.rcodes[3] = 1;
    assert_eq!(counters.dns, expected);
    assert_eq!(counters.dns.total(), 2);
}

#[test]
fn subtracting_an_addend_restores_the_original() {
    let mut first = Counters::default();
    first.count(&udp(flags::DNS_UDP, 0x8005), Direction::Sent, 700);
    let mut second = first;
    second.count(&udp(flags::VLAN | flags::TUNNELLED, 0), Direction::Received, 2000);
    let mut sum = first;
    sum.add(&second);
    assert_eq!(sum.packets.total(), 3);
    assert_eq!(sum.dns.rcodes[5], 2);
    sum.subtract(&second);
    assert_eq!(sum, first);
}
