//! What a packet is: one pass over its headers, the same in the kernel and in userspace.
//!
//! [`classify`] reads a packet through a [`PacketReader`] and fills a [`Class`]. It looks through link layers
//! (VLAN, MPLS, PPPoE, LLC/SNAP), never through IP tunnels: everything it says is about the outermost IP header.
//!
//! The parts, in the order in which a packet is read: [`link_type`] and `link` find the IP header, `ip` walks it to
//! the transport header, `transport` finds ports, payload and DNS. They are written for the BPF verifier: loops with
//! small fixed bounds, no panics, no block copies.

mod class;
mod dns_ports;
mod ip;
mod link;
mod link_type;
#[cfg(test)]
mod tests;
mod transport;

pub use class::{Class, flags, tcp_flags};
pub use dns_ports::{DnsPorts, DnsPortsError};
pub use link_type::LinkType;
pub use transport::protocol;

use crate::reader::PacketReader;

/// Headers that begin beyond this offset (bytes) count as cut off. No real packet comes near it; the BPF verifier
/// wants a bound, and userspace must agree with the kernel.
const HEADER_OFFSET_MAX: usize = 0x3fff;

/// Classifies one packet that begins with a header of `link_type`; `out` is overwritten as a whole.
///
/// Never fails: what cannot be understood is a non-IP frame, what is IP by its link layer but cut or invalid is
/// [`flags::MALFORMED`].
#[inline(always)]
pub fn classify<R: PacketReader + ?Sized>(
    reader: &R,
    link_type: LinkType,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    out.reset();
    let network = link::find_network(reader, link_type, out);
    match network.ip_version {
        4 => ip::ipv4(reader, network.offset, dns_ports, out),
        6 => ip::ipv6(reader, network.offset, dns_ports, out),
        _ => {}
    }
}

/// The `N` header bytes at `offset`, unless cut off.
#[inline(always)]
fn header_at<const N: usize, R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Option<[u8; N]> {
    if offset > HEADER_OFFSET_MAX {
        return None;
    }
    reader.read(offset)
}

/// Two bytes in network byte order.
#[inline(always)]
const fn be16(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}
