//! Ports, payload, and what of it is DNS.

use super::class::{Class, flags, tcp_flags};
use super::dns_ports::DnsPorts;
use super::protocol::{self, next_header};
use super::verifier::note_offset;
use crate::address::IpVersion;
use crate::reader::{PacketReader, be16};

/// UDP ports of tunnels.
mod tunnel_port {
    /// RFC 7348.
    pub(super) const VXLAN: u16 = 4789;
    /// Linux's VXLAN before there was a standard.
    pub(super) const VXLAN_LINUX: u16 = 8472;
    /// RFC 8926.
    pub(super) const GENEVE: u16 = 6081;
    /// 3GPP TS 29.281.
    pub(super) const GTP_U: u16 = 2152;
    /// RFC 4380.
    pub(super) const TEREDO: u16 = 3544;
}

/// Bytes of a DNS header (RFC 1035 section 4.1.1), and so of the smallest message.
const DNS_HEADER_LEN: u16 = 12;

/// Classifies what lies behind the IP headers: the bytes from `start` to `end`, where the IP header
/// says the datagram ends, be they captured or not.
#[inline(always)]
pub(super) fn transport<R: PacketReader + ?Sized>(
    reader: &R,
    start: usize,
    end: usize,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    let start = note_offset(&mut out.transport_offset, start);
    if out.has(flags::LATER_FRAGMENT) {
        set_payload(reader, start, end, out);
        if may_hold_udp(out) {
            out.flags |= flags::DNS_FRAGMENT;
        }
    } else if out.protocol == protocol::UDP {
        return udp(reader, start, end, dns_ports, out);
    } else if out.protocol == protocol::TCP {
        return tcp(reader, start, end, dns_ports, out);
    } else if end > reader.captured_len() {
        out.flags |= flags::TRUNCATED_CAPTURE;
    }
    if matches!(
        out.protocol,
        protocol::IPV4 | protocol::IPV6 | protocol::GRE | protocol::IPIP | protocol::ETHERIP | protocol::MPLS
    ) {
        out.flags |= flags::TUNNELLED;
    }
}

/// Whether a later fragment may belong to a UDP datagram. In IPv6 it carries the number of what the
/// fragmentable part begins with, which may be an extension header before UDP (RFC 8200 section
/// 4.5).
#[inline(always)]
fn may_hold_udp(out: &Class) -> bool {
    let is_extension =
        matches!(out.protocol, next_header::HOP_BY_HOP | next_header::ROUTING | next_header::DESTINATION);
    out.protocol == protocol::UDP || out.ip_version == Some(IpVersion::V6) && is_extension
}

/// UDP (RFC 768).
#[inline(always)]
fn udp<R: PacketReader + ?Sized>(
    reader: &R,
    start: usize,
    end: usize,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    let Some([s0, s1, d0, d1, l0, l1, _, _]) = transport_header(reader, start, end, out) else {
        if out.has(flags::EXTENSION_FIRST) && start + 8 > end {
            // Extension headers fill the first fragment, so that the ports are in a later one.
            out.flags |= flags::DNS_FRAGMENT;
        }
        return;
    };
    out.source_port = be16(s0, s1);
    out.destination_port = be16(d0, d1);
    let udp_end = match be16(l0, l1) {
        // Only in jumbograms (RFC 2675 section 4).
        0 if out.ip_version == Some(IpVersion::V6) => end,
        0..8 => start + 8,
        len => end.min(start + usize::from(len)),
    };
    set_payload(reader, start + 8, udp_end, out);

    if dns_ports.either(out.source_port, out.destination_port) {
        if out.has(flags::FRAGMENT) {
            out.flags |= flags::DNS_FRAGMENT;
        } else if out.payload_len >= DNS_HEADER_LEN
            && let Some([i0, i1, f0, f1]) = reader.read(start + 8)
        {
            out.dns_id = be16(i0, i1);
            out.dns_flags = be16(f0, f1);
            out.flags |= flags::DNS_UDP;
        }
    } else if is_tunnel(out.source_port, out.destination_port) {
        out.flags |= flags::TUNNELLED;
    }
}

/// Encapsulations send to their port from an arbitrary one; a Teredo server also sends from its.
#[inline(always)]
fn is_tunnel(source_port: u16, destination_port: u16) -> bool {
    matches!(
        destination_port,
        tunnel_port::VXLAN
            | tunnel_port::VXLAN_LINUX
            | tunnel_port::GENEVE
            | tunnel_port::GTP_U
            | tunnel_port::TEREDO
    ) || source_port == tunnel_port::TEREDO
}

/// TCP (RFC 9293 section 3.1). A header whose own length is impossible gives ports and flags, but
/// nothing for DNS: no host accepts such a segment.
#[inline(always)]
fn tcp<R: PacketReader + ?Sized>(
    reader: &R,
    start: usize,
    end: usize,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    let Some(header) = transport_header::<20, R>(reader, start, end, out) else { return };
    out.source_port = be16(header[0], header[1]);
    out.destination_port = be16(header[2], header[3]);
    out.tcp_flags = header[13];
    let header_len = usize::from(header[12] >> 4) * 4;
    if header_len < 20 || start + header_len > end {
        if end > reader.captured_len() {
            out.flags |= flags::TRUNCATED_CAPTURE;
        }
        return;
    }
    set_payload(reader, start + header_len, end, out);
    if (out.payload_len > 0 || out.tcp_flags & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) != 0)
        && dns_ports.either(out.source_port, out.destination_port)
    {
        out.flags |= flags::DNS_TCP;
    }
}

/// The first `N` bytes behind the IP headers, if the datagram has so many (link-layer padding is no
/// header) and they were captured.
#[inline(always)]
fn transport_header<const N: usize, R: PacketReader + ?Sized>(
    reader: &R,
    start: usize,
    end: usize,
    out: &mut Class,
) -> Option<[u8; N]> {
    let header = if start + N <= end { reader.read(start) } else { None };
    if header.is_none() && end > reader.captured_len() {
        out.flags |= flags::TRUNCATED_CAPTURE;
    }
    header
}

/// The payload from `start` to `end`, or to the end of the capture, or at most what 16 bits can
/// count.
#[inline(always)]
fn set_payload<R: PacketReader + ?Sized>(reader: &R, start: usize, end: usize, out: &mut Class) {
    let captured_end = reader.captured_len();
    let captured = end.min(captured_end).saturating_sub(start);
    out.payload_offset = start.min(captured_end) as u16;
    out.payload_len = captured.min(usize::from(u16::MAX)) as u16;
    if end > captured_end || captured > usize::from(u16::MAX) {
        out.flags |= flags::TRUNCATED_CAPTURE;
    }
}
