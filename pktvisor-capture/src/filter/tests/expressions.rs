//! Expressions over captured packets, and what is wrong with bad ones.

use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};

use crate::Filter;

fn packet(data: &[u8], wire_len: u32, link_type: LinkType) -> Packet<'_> {
    Packet { timestamp_ns: 0, stamp: Stamp::Own, data, wire_len, link_type, segments: 1 }
}

/// A raw IPv4 header of 20 bytes with this protocol.
fn ipv4(protocol: u8) -> [u8; 20] {
    let mut header = [0; 20];
    header[0] = 0x45;
    header[3] = 20;
    header[9] = protocol;
    header
}

#[test]
fn packets_pass_by_their_headers() {
    let mut filter = Filter::new("udp");
    assert!(filter.passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap());
    assert!(!filter.passes(&packet(&ipv4(6), 20, LinkType::RAW)).unwrap());
}

#[test]
fn each_link_type_has_its_own_program() {
    let mut filter = Filter::new("udp");
    let mut ethernet = vec![0; 12];
    ethernet.extend_from_slice(&[8, 0]);
    ethernet.extend_from_slice(&ipv4(17));
    assert!(filter.passes(&packet(&ethernet, 34, LinkType::ETHERNET)).unwrap());
    assert!(filter.passes(&packet(&ipv4(17), 20, LinkType::IPV4)).unwrap());
    assert_eq!(filter.programs.lock().len(), 2);
}

#[test]
fn length_means_length_on_the_wire() {
    let mut filter = Filter::new("greater 100");
    assert!(filter.passes(&packet(&ipv4(17), 1500, LinkType::RAW)).unwrap());
    assert!(!filter.passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap());
}

#[test]
fn a_bad_expression_is_refused_in_the_words_of_libpcap() {
    let error = Filter::new("udp prot 53").passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("udp prot 53") && text.contains("syntax error"), "{text}");
}

#[test]
fn a_bad_expression_is_refused_without_a_packet() {
    let error = Filter::new("udp prot 53").check().unwrap_err();
    assert!(error.to_string().contains("syntax error"), "{error}");
    for good in ["udp port 53", "ether host 1:2:3:4:5:6", "type mgt", "rulenum 1", "vpi 1", "ifindex 2"] {
        assert!(Filter::new(good).check().is_ok(), "{good}");
    }
}

#[test]
fn an_expression_that_does_not_fit_the_link_type_names_it() {
    let error =
        Filter::new("ether host 1:2:3:4:5:6").passes(&packet(&ipv4(17), 20, LinkType::RAW)).unwrap_err();
    assert!(error.to_string().contains("101"), "{error}");
}
