//! What a packet is: one pass over its headers, the same in the kernel and in userspace.
//!
//! [`classify`] reads a packet through a [`PacketReader`] and fills a [`Class`]. It looks through
//! link layers (VLAN and other tags, MPLS, PPPoE, LLC/SNAP), never through IP tunnels: everything
//! it says is about the outermost IP header.
//!
//! The parts, in the order in which a packet is read: `link_type`, `link` with `tags` and `nflog`
//! find the IP header, `ip` walks it to the transport header, `transport` finds ports, payload and
//! DNS. They are written for the BPF verifier: loops with small fixed bounds, no panics, no block
//! copies.

mod class;
mod dns_ports;
mod ethertypes;
mod ip;
mod layer;
mod link;
mod link_type;
mod nflog;
pub mod protocol;
mod tags;
#[cfg(test)]
mod tests;
mod transport;
mod verifier;

pub use class::{Captured, Class, flags, tcp_flags};
pub use dns_ports::{DnsPorts, DnsPortsError};
pub use ethertypes::{EtherTypeCount, UnknownEtherTypes};
pub use link_type::LinkType;

use crate::address::IpVersion;
use crate::reader::PacketReader;
use verifier::forget_flags;

/// Classifies one packet that begins with a header of `link_type`; `out` is overwritten as a whole.
///
/// Never fails: a frame that it does not understand is non-IP. A packet that is IP by its link
/// layer, but cut or invalid, is [`flags::MALFORMED`].
#[inline(always)]
pub fn classify<R: PacketReader + ?Sized>(
    reader: &R,
    link_type: LinkType,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    out.reset();
    let network = link::find_network(reader, link_type, out);
    forget_flags(out);
    match network.ip_version {
        Some(IpVersion::V4) => ip::ipv4(reader, network.offset, dns_ports, out),
        Some(IpVersion::V6) => ip::ipv6(reader, network.offset, dns_ports, out),
        None => ethertypes::keep_unexpected(out),
    }
}
