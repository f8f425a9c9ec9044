//! Hand-made packets, rule by rule.

mod hostile;
mod ip;
mod link;
mod transport;

use super::*;

const V4: Option<IpVersion> = Some(IpVersion::V4);
const V6: Option<IpVersion> = Some(IpVersion::V6);

/// Classifies with DNS on port 53 alone.
fn class_of(link_type: LinkType, packet: &[u8]) -> Class {
    let mut class = Class { flags: 0xffff, payload_len: 9, reserved: 1, ..Class::default() };
    classify(packet, link_type, &DnsPorts::default(), &mut class);
    class
}

/// `parts` one after the other.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

const SOURCE_V4: [u8; 4] = [192, 0, 2, 1];
const DESTINATION_V4: [u8; 4] = [198, 51, 100, 2];
const SOURCE_V6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const DESTINATION_V6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&[2; 6], &[4; 6], &ethertype.to_be_bytes(), payload])
}

/// An IPv4 header without options. `fragment` is the field with flags and offset.
fn ipv4_fragment(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut header = [0; 20];
    header[0] = 0x45;
    header[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    header[6..8].copy_from_slice(&fragment.to_be_bytes());
    header[8] = 64;
    header[9] = protocol;
    header[12..16].copy_from_slice(&SOURCE_V4);
    header[16..20].copy_from_slice(&DESTINATION_V4);
    join(&[&header, payload])
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, payload)
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u16).to_be_bytes();
    join(&[&[0x60, 0, 0, 0], &len, &[next_header, 64], &SOURCE_V6, &DESTINATION_V6, payload])
}

fn udp(source_port: u16, destination_port: u16, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len() as u16).to_be_bytes();
    join(&[&source_port.to_be_bytes(), &destination_port.to_be_bytes(), &len, &[0, 0], payload])
}

/// `header_words` counts the header with its options, filled with no-operations.
fn tcp_with(ports: (u16, u16), header_words: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let options = vec![1; usize::from(header_words.max(5) - 5) * 4];
    let ports = join(&[&ports.0.to_be_bytes(), &ports.1.to_be_bytes()]);
    join(&[&ports, &[0; 8], &[header_words << 4, flags, 1, 0, 0, 0, 0, 0], &options, payload])
}

fn tcp(source_port: u16, destination_port: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    tcp_with((source_port, destination_port), 5, flags, payload)
}

/// A query for the root's name servers: 17 bytes, id 0x1234.
const QUERY: [u8; 17] = [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

fn dns_v4() -> Vec<u8> {
    ipv4(protocol::UDP, &udp(40_000, 53, &QUERY))
}

fn dns_v6() -> Vec<u8> {
    ipv6(protocol::UDP, &udp(53, 40_000, &QUERY))
}

/// That the classifier reached the DNS message of [`dns_v4`] or [`dns_v6`], its IP header at
/// `network_offset`.
#[track_caller]
fn assert_dns(class: &Class, ip_version: Option<IpVersion>, network_offset: u16) {
    assert_eq!(class.ip_version, ip_version);
    assert_eq!(class.network_offset, network_offset);
    assert!(class.has(flags::DNS_UDP), "{class:?}");
    assert_eq!((class.dns_id, class.dns_flags), (0x1234, 0x0100));
    assert_eq!(class.payload_len, 17);
    assert_eq!(class.flags & flags::MALFORMED, 0);
}

#[track_caller]
fn assert_non_ip(class: &Class) {
    let (flags, unknown_ethertype) = (class.flags & flags::VLAN, class.unknown_ethertype);
    assert_eq!(Class { flags, unknown_ethertype, ..Class::default() }, *class);
}
