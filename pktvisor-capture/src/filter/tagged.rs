//! Packets with a VLAN tag that an expression without `vlan` takes out.

use pktvisor_common::classify::LinkType;

use pktvisor_common::packet::Packet;

/// EtherTypes of tags: IEEE 802.1Q, 802.1ad, and what came before that.
pub(super) const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];

/// The warning about such packets.
pub const WARNING: &str = "packets with a VLAN tag were filtered: an expression without `vlan` is about untagged packets only; \
     for both write -b '(EXPRESSION) or (vlan and (EXPRESSION))'";

/// Whether the bytes of a packet begin with a header that says that a tag follows.
#[inline]
pub(super) fn is_tagged(packet: &Packet<'_>) -> bool {
    let at = match packet.link_type {
        LinkType::ETHERNET => 12,
        LinkType::LINUX_SLL => 14,
        LinkType::LINUX_SLL2 => 0,
        _ => return false,
    };
    let ether_type = packet.data.get(at..).and_then(<[u8]>::first_chunk);
    ether_type.is_some_and(|bytes| TAGS.contains(&u16::from_be_bytes(*bytes)))
}
