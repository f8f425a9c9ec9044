//! Frames from the inside out: Ethernet, VLAN tags, IPv4 and IPv6 with fragments, UDP, TCP, ICMP,
//! all with correct checksums, so that a kernel accepts them when they are sent.

use std::net::IpAddr;

use super::addresses::is_host;

/// IP protocol numbers.
pub(crate) mod protocol {
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const ESP: u8 = 50;
    pub(crate) const ICMPV6: u8 = 58;
}

/// TCP flags.
pub(crate) mod tcp_flags {
    pub(crate) const FIN: u8 = 0x01;
    pub(crate) const SYN: u8 = 0x02;
    pub(crate) const RST: u8 = 0x04;
    pub(crate) const PSH: u8 = 0x08;
    pub(crate) const ACK: u8 = 0x10;
}

/// The Ethernet address of every station.
pub(crate) const BROADCAST_MAC: [u8; 6] = [0xff; 6];
pub(crate) const HOST_MAC: [u8; 6] = [0x02, 0, 0x5e, 0, 0x53, 1];
const ROUTER_MAC: [u8; 6] = [0x02, 0, 0x5e, 0, 0x53, 2];
/// Shortest frame without its checksum; Ethernet pads shorter ones.
const FRAME_LEN_MIN: usize = 60;

/// VLAN tags of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VlanTags {
    /// None.
    #[default]
    None,
    /// One customer tag (IEEE 802.1Q).
    Single,
    /// A customer tag in a service tag (QinQ, IEEE 802.1ad).
    Double,
}

/// The headers around an IP payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) tags: VlanTags,
    /// The identification of IPv4, or of IPv6 fragments.
    pub(crate) identification: u16,
}

/// The part of a datagram in a fragment.
#[derive(Clone, Copy, Debug)]
struct FragmentPart {
    offset_bytes: usize,
    more: bool,
}

/// One TCP segment without its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
}

/// A whole frame around `payload`, which is of this IP protocol.
pub(crate) fn ip(out: &mut Vec<u8>, envelope: &Envelope, protocol: u8, payload: &[u8]) {
    let start = out.len();
    ip_header(out, envelope, protocol, payload.len(), None);
    out.extend_from_slice(payload);
    pad(out, start, envelope);
}

/// A UDP datagram in one frame.
pub(crate) fn udp(out: &mut Vec<u8>, envelope: &Envelope, ports: (u16, u16), payload: &[u8]) {
    let start = out.len();
    ip_header(out, envelope, protocol::UDP, 8 + payload.len(), None);
    udp_datagram(out, envelope, ports, payload);
    pad(out, start, envelope);
}

/// A UDP header and its payload, without IP.
pub(crate) fn udp_datagram(out: &mut Vec<u8>, envelope: &Envelope, ports: (u16, u16), payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&ports.0.to_be_bytes());
    out.extend_from_slice(&ports.1.to_be_bytes());
    out.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(payload);
    // A sum of zero is sent as its other form (RFC 768).
    let sum = match transport_checksum(envelope, protocol::UDP, &out[start..]) {
        0 => 0xffff,
        sum => sum,
    };
    out[start + 6..start + 8].copy_from_slice(&sum.to_be_bytes());
}

/// One fragment: `offset_bytes` is a multiple of eight.
pub(crate) fn udp_fragment(
    out: &mut Vec<u8>,
    envelope: &Envelope,
    datagram: &[u8],
    range: std::ops::Range<usize>,
) {
    let start = out.len();
    let part = FragmentPart { offset_bytes: range.start, more: range.end < datagram.len() };
    ip_header(out, envelope, protocol::UDP, range.len(), Some(part));
    out.extend_from_slice(&datagram[range]);
    pad(out, start, envelope);
}

/// A TCP segment in one frame; a SYN carries the maximum segment size.
pub(crate) fn tcp(out: &mut Vec<u8>, envelope: &Envelope, segment: &Segment, payload: &[u8]) {
    let start = out.len();
    let options: &[u8] =
        if segment.flags & tcp_flags::SYN != 0 { &[2, 4, 0x05, 0xa0, 1, 1, 4, 2] } else { &[] };
    let header_len = 20 + options.len();
    ip_header(out, envelope, protocol::TCP, header_len + payload.len(), None);
    let header = out.len();
    out.extend_from_slice(&segment.src_port.to_be_bytes());
    out.extend_from_slice(&segment.dst_port.to_be_bytes());
    out.extend_from_slice(&segment.seq.to_be_bytes());
    out.extend_from_slice(&segment.ack.to_be_bytes());
    out.extend_from_slice(&[(header_len as u8 / 4) << 4, segment.flags, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend_from_slice(options);
    out.extend_from_slice(payload);
    let sum = transport_checksum(envelope, protocol::TCP, &out[header..]);
    out[header + 16..header + 18].copy_from_slice(&sum.to_be_bytes());
    pad(out, start, envelope);
}

/// An ICMP or ICMPv6 message in one frame; its checksum field is filled in.
pub(crate) fn icmp(out: &mut Vec<u8>, envelope: &Envelope, message: &[u8]) {
    let start = out.len();
    let protocol = if envelope.src.is_ipv4() { protocol::ICMP } else { protocol::ICMPV6 };
    ip_header(out, envelope, protocol, message.len(), None);
    let header = out.len();
    out.extend_from_slice(message);
    let sum = if envelope.src.is_ipv4() {
        fold(sum_words(&out[header..]))
    } else {
        transport_checksum(envelope, protocol, &out[header..])
    };
    out[header + 2..header + 4].copy_from_slice(&sum.to_be_bytes());
    pad(out, start, envelope);
}

/// A frame without IP.
pub(crate) fn ethernet(out: &mut Vec<u8>, ether_type: u16, dst: [u8; 6], payload: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&dst);
    out.extend_from_slice(&ROUTER_MAC);
    out.extend_from_slice(&ether_type.to_be_bytes());
    out.extend_from_slice(payload);
    out.resize(out.len().max(start + FRAME_LEN_MIN), 0);
}

/// An IPv4 or IPv6 header without link layer, as an ICMP error quotes it.
pub(crate) fn bare_ip_header(out: &mut Vec<u8>, envelope: &Envelope, protocol: u8, payload_len: usize) {
    ip_layer(out, envelope, protocol, payload_len, None);
}

fn ip_header(
    out: &mut Vec<u8>,
    envelope: &Envelope,
    protocol: u8,
    payload_len: usize,
    part: Option<FragmentPart>,
) {
    let (to, from) = if is_host(envelope.src) { (ROUTER_MAC, HOST_MAC) } else { (HOST_MAC, ROUTER_MAC) };
    out.extend_from_slice(&to);
    out.extend_from_slice(&from);
    match envelope.tags {
        VlanTags::None => {}
        VlanTags::Single => out.extend_from_slice(&[0x81, 0x00, 0x00, 100]),
        VlanTags::Double => out.extend_from_slice(&[0x88, 0xa8, 0x00, 200, 0x81, 0x00, 0x00, 100]),
    }
    out.extend_from_slice(if envelope.src.is_ipv4() { &[0x08, 0x00] } else { &[0x86, 0xdd] });
    ip_layer(out, envelope, protocol, payload_len, part);
}

fn ip_layer(
    out: &mut Vec<u8>,
    envelope: &Envelope,
    protocol: u8,
    payload_len: usize,
    part: Option<FragmentPart>,
) {
    match (envelope.src, envelope.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let header = out.len();
            let fragment = match part {
                Some(part) => u16::from(part.more) << 13 | (part.offset_bytes / 8) as u16,
                None => 0x4000,
            };
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&(20 + payload_len as u16).to_be_bytes());
            out.extend_from_slice(&envelope.identification.to_be_bytes());
            out.extend_from_slice(&fragment.to_be_bytes());
            out.extend_from_slice(&[hop_limit(envelope), protocol, 0, 0]);
            out.extend_from_slice(&src.octets());
            out.extend_from_slice(&dst.octets());
            let sum = fold(sum_words(&out[header..]));
            out[header + 10..header + 12].copy_from_slice(&sum.to_be_bytes());
        }
        (src, dst) => {
            let (len, next) = match part {
                Some(_) => (8 + payload_len, protocol::FRAGMENT),
                None => (payload_len, protocol),
            };
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
            out.extend_from_slice(&[next, hop_limit(envelope)]);
            for address in [src, dst] {
                if let IpAddr::V6(address) = address {
                    out.extend_from_slice(&address.octets());
                }
            }
            if let Some(part) = part {
                out.extend_from_slice(&[protocol, 0]);
                out.extend_from_slice(&(part.offset_bytes as u16 | u16::from(part.more)).to_be_bytes());
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&envelope.identification.to_be_bytes());
            }
        }
    }
}

/// The time to live: the initial one for the host's own packets, some hops less for others.
fn hop_limit(envelope: &Envelope) -> u8 {
    if is_host(envelope.src) { 64 } else { 52 }
}

fn pad(out: &mut Vec<u8>, start: usize, envelope: &Envelope) {
    if !is_host(envelope.src) {
        out.resize(out.len().max(start + FRAME_LEN_MIN), 0);
    }
}

/// The checksum over pseudo-header and segment (RFC 9293 section 3.1, RFC 8200 section 8.1).
fn transport_checksum(envelope: &Envelope, protocol: u8, segment: &[u8]) -> u16 {
    let addresses = match (envelope.src, envelope.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum_words(&src.octets()) + sum_words(&dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => sum_words(&src.octets()) + sum_words(&dst.octets()),
        _ => 0,
    };
    fold(addresses + u64::from(protocol) + segment.len() as u64 + sum_words(segment))
}

/// The sum of the 16-bit words, taken 32 bits at a time (RFC 1071 section 2).
fn sum_words(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(4);
    let mut sum = 0_u64;
    for word in &mut words {
        if let [a, b, c, d] = *word {
            sum += u64::from(u32::from_be_bytes([a, b, c, d]));
        }
    }
    let mut last = [0; 4];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    sum + u64::from(u32::from_be_bytes(last))
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
