//! From the packet's first byte to its outermost IP header.

use super::{Class, LinkType, be16, flags, header_at};
use crate::reader::PacketReader;

/// VLAN tags looked through; a frame with more is non-IP.
const VLAN_TAGS_MAX: usize = 4;
/// MPLS labels looked through; a frame with more is non-IP.
const MPLS_LABELS_MAX: usize = 16;
/// Smallest EtherType; below it the field is an IEEE 802.3 length, and LLC follows.
const ETHERTYPE_MIN: u16 = 0x0600;
/// The protocol of a Linux cooked header before an LLC header (`ETH_P_802_2` of linux/if_ether.h).
const SLL_LLC: u16 = 0x0004;

/// EtherTypes (<https://www.iana.org/assignments/ieee-802-numbers>).
mod ethertype {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const VLAN: u16 = 0x8100;
    pub(super) const VLAN_SERVICE: u16 = 0x88a8;
    pub(super) const VLAN_LEGACY: u16 = 0x9100;
    pub(super) const MPLS: u16 = 0x8847;
    pub(super) const MPLS_UPSTREAM: u16 = 0x8848;
    pub(super) const PPPOE_SESSION: u16 = 0x8864;
}

/// Where the outermost IP header is.
#[derive(Clone, Copy)]
pub(super) struct Network {
    /// 4, 6, or 0 for a non-IP frame.
    pub(super) ip_version: u8,
    /// Offset of the IP header.
    pub(super) offset: usize,
}

impl Network {
    const NON_IP: Self = Self { ip_version: 0, offset: 0 };

    #[inline(always)]
    const fn ipv4(offset: usize) -> Self {
        Self { ip_version: 4, offset }
    }

    #[inline(always)]
    const fn ipv6(offset: usize) -> Self {
        Self { ip_version: 6, offset }
    }
}

/// Looks through the link layers; sets [`flags::VLAN`] in `out`.
#[inline(always)]
pub(super) fn find_network<R: PacketReader + ?Sized>(
    reader: &R,
    link_type: LinkType,
    out: &mut Class,
) -> Network {
    match link_type {
        LinkType::ETHERNET => at_ethertype(reader, 12, out),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => by_nibble(reader, 0),
        LinkType::IPV4 => Network::ipv4(0),
        LinkType::IPV6 => Network::ipv6(0),
        LinkType::LINUX_SLL => sll(reader, 14, 16, out),
        LinkType::LINUX_SLL2 => sll(reader, 0, 20, out),
        LinkType::NULL | LinkType::LOOP => by_address_family(reader),
        LinkType::PPP => ppp(reader, 0),
        LinkType::PPP_WITH_DIR => ppp(reader, 1),
        LinkType::PPP_ETHER => pppoe(reader, 0),
        LinkType::C_HDLC => at_ethertype(reader, 2, out),
        LinkType::PPP_SERIAL => match header_at::<1, R>(reader, 0) {
            Some([0x0f | 0x8f]) => at_ethertype(reader, 2, out),
            _ => ppp(reader, 0),
        },
        _ => Network::NON_IP,
    }
}

/// Reads the EtherType at `offset` and what it announces.
#[inline(always)]
fn at_ethertype<R: PacketReader + ?Sized>(reader: &R, offset: usize, out: &mut Class) -> Network {
    match header_at(reader, offset) {
        Some([high, low]) => by_ethertype(reader, be16(high, low), offset + 2, out),
        None => Network::NON_IP,
    }
}

/// Linux cooked capture: the protocol is an EtherType, but small numbers are Linux's own, not lengths.
#[inline(always)]
fn sll<R: PacketReader + ?Sized>(
    reader: &R,
    protocol_offset: usize,
    header_len: usize,
    out: &mut Class,
) -> Network {
    match header_at(reader, protocol_offset) {
        Some([high, low]) => match be16(high, low) {
            protocol if protocol < ETHERTYPE_MIN && protocol != SLL_LLC => Network::NON_IP,
            protocol => by_ethertype(reader, protocol, header_len, out),
        },
        None => Network::NON_IP,
    }
}

/// Follows an EtherType whose payload begins at `offset`, through VLAN tags and LLC/SNAP.
#[inline(always)]
fn by_ethertype<R: PacketReader + ?Sized>(
    reader: &R,
    mut ethertype: u16,
    mut offset: usize,
    out: &mut Class,
) -> Network {
    let mut llc_seen = false;
    let mut tags = 0;
    // Every round but the last passes a VLAN tag or the one LLC header.
    let mut round = 0;
    while round < VLAN_TAGS_MAX + 2 {
        round += 1;
        match ethertype {
            ethertype::IPV4 => return Network::ipv4(offset),
            ethertype::IPV6 => return Network::ipv6(offset),
            ethertype::VLAN | ethertype::VLAN_SERVICE | ethertype::VLAN_LEGACY => {
                out.flags |= flags::VLAN;
                tags += 1;
                if tags > VLAN_TAGS_MAX {
                    return Network::NON_IP;
                }
                let Some([_, _, high, low]) = header_at(reader, offset) else { return Network::NON_IP };
                ethertype = be16(high, low);
                offset += 4;
            }
            ethertype::MPLS | ethertype::MPLS_UPSTREAM => return mpls(reader, offset),
            ethertype::PPPOE_SESSION => return pppoe(reader, offset),
            length if length < ETHERTYPE_MIN && !llc_seen => {
                llc_seen = true;
                match header_at(reader, offset) {
                    // SNAP (RFC 1042) with an EtherType: OUI 00-00-00, or 00-00-F8 for bridged frames (802.1H).
                    Some([0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00 | 0xf8, high, low]) => {
                        ethertype = be16(high, low);
                        offset += 8;
                    }
                    _ => return llc(reader, offset),
                }
            }
            _ => return Network::NON_IP,
        }
    }
    Network::NON_IP
}

/// LLC without SNAP: service access point 06 is IPv4.
#[inline(always)]
fn llc<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Network {
    match header_at(reader, offset) {
        Some([0x06, 0x06, 0x03]) => Network::ipv4(offset + 3),
        _ => Network::NON_IP,
    }
}

/// MPLS (RFC 3032): labels up to the bottom of the stack; nothing there names the payload but its first nibble.
#[inline(always)]
fn mpls<R: PacketReader + ?Sized>(reader: &R, mut offset: usize) -> Network {
    let mut labels = 0;
    while labels < MPLS_LABELS_MAX {
        labels += 1;
        let Some([_, _, traffic_class_and_bottom, _]) = header_at(reader, offset) else {
            return Network::NON_IP;
        };
        offset += 4;
        if traffic_class_and_bottom & 1 != 0 {
            return by_nibble(reader, offset);
        }
    }
    Network::NON_IP
}

/// PPPoE (RFC 2516 section 4): version and type 1, code 0 for session data, session id, length; then PPP.
#[inline(always)]
fn pppoe<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Network {
    match header_at(reader, offset) {
        Some([0x11, 0x00, _, _, _, _]) => ppp_protocol(reader, offset + 6),
        _ => Network::NON_IP,
    }
}

/// PPP (RFC 1661), with or without the address and control bytes FF 03 (RFC 1662 section 3.1).
#[inline(always)]
fn ppp<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Network {
    match header_at(reader, offset) {
        Some([0xff, 0x03]) => ppp_protocol(reader, offset + 2),
        _ => ppp_protocol(reader, offset),
    }
}

/// A PPP protocol field (RFC 1661 section 2): two bytes, or one (odd) where compression was negotiated.
#[inline(always)]
fn ppp_protocol<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Network {
    match header_at(reader, offset) {
        Some([0x21]) => Network::ipv4(offset + 1),
        Some([0x57]) => Network::ipv6(offset + 1),
        _ => match header_at(reader, offset) {
            Some([0x00, 0x21]) => Network::ipv4(offset + 2),
            Some([0x00, 0x57]) => Network::ipv6(offset + 2),
            Some([0x02, 0x81 | 0x83]) => mpls(reader, offset + 2),
            _ => Network::NON_IP,
        },
    }
}

/// BSD loopback: an address family of 4 bytes in the capturing host's byte order, whichever that was. The number of
/// IPv6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on the BSDs and macOS.
#[inline(always)]
fn by_address_family<R: PacketReader + ?Sized>(reader: &R) -> Network {
    match header_at(reader, 0) {
        Some([family, 0, 0, 0] | [0, 0, 0, family]) => match family {
            2 => Network::ipv4(4),
            10 | 23 | 24 | 28 | 30 => Network::ipv6(4),
            _ => Network::NON_IP,
        },
        _ => Network::NON_IP,
    }
}

/// The first nibble is the IP version, or there is no IP.
#[inline(always)]
fn by_nibble<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Network {
    match header_at(reader, offset) {
        Some([0x40..=0x4f]) => Network::ipv4(offset),
        Some([0x60..=0x6f]) => Network::ipv6(offset),
        _ => Network::NON_IP,
    }
}
