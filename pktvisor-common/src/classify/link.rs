//! From the packet's first byte to its outermost IP header.

use super::class::{Class, flags};
use super::layer::{self, ETHERTYPE_MIN, Layer, by_length_or_ethertype};
use super::link_type::LinkType;
use super::verifier::note_offset;
use super::{nflog, tags};
use crate::address::IpVersion;
use crate::reader::{PacketReader, be16};

/// VLAN tags looked through; a frame with more is non-IP.
const VLAN_TAGS_MAX: usize = 4;
/// Tags of all other kinds together; a frame with more is non-IP.
const OTHER_TAGS_MAX: usize = 4;
/// MPLS labels looked through; a frame with more is non-IP.
const MPLS_LABELS_MAX: usize = 16;
/// Both are counted in one number.
const VLAN_TAG: usize = 1;
const OTHER_TAG: usize = 0x100;
/// Headers that can follow one another before IP: the tags, LLC, PPPoE, PPP, MPLS, and the nibble
/// behind MPLS.
const LAYERS_MAX: usize = VLAN_TAGS_MAX + OTHER_TAGS_MAX + 5;
/// The protocol of a Linux cooked header before an LLC header (`ETH_P_802_2` of linux/if_ether.h).
const SLL_LLC: u16 = 0x0004;

/// Where the outermost IP header is.
#[derive(Clone, Copy)]
pub(super) struct NetworkHeader {
    /// `None` for a non-IP frame.
    pub(super) ip_version: Option<IpVersion>,
    /// Offset of the IP header.
    pub(super) offset: usize,
}

impl NetworkHeader {
    const NON_IP: Self = Self { ip_version: None, offset: 0 };
}

/// Looks through the link layers; sets [`flags::VLAN`] in `out`.
#[inline(always)]
pub(super) fn find_network<R: PacketReader + ?Sized>(
    reader: &R,
    link_type: LinkType,
    out: &mut Class,
) -> NetworkHeader {
    // A separate path for nearly all frames. In BPF it would be one more for the verifier to check.
    if cfg!(not(target_arch = "bpf"))
        && link_type == LinkType::ETHERNET
        && let Some(network) = behind_ethernet(reader)
    {
        return network;
    }
    let Some(mut layer) = first_layer(reader, link_type, out) else {
        out.network_offset = 0;
        return NetworkHeader::NON_IP;
    };
    let mut tags = 0;
    let mut rounds = 0;
    while rounds < LAYERS_MAX {
        rounds += 1;
        let next = match layer.kind {
            layer::IPV4 => return NetworkHeader { ip_version: Some(IpVersion::V4), offset: layer.offset },
            layer::IPV6 => return NetworkHeader { ip_version: Some(IpVersion::V6), offset: layer.offset },
            layer::VLAN | layer::VLAN_SERVICE | layer::VLAN_LEGACY => {
                out.flags |= flags::VLAN;
                tags = note_offset(&mut out.transport_offset, tags + VLAN_TAG);
                if tags % OTHER_TAG > VLAN_TAGS_MAX {
                    break;
                }
                tags::vlan(reader, layer.offset)
            }
            layer::BACKBONE | layer::PORT_EXTENDER | layer::VN_TAG | layer::CISCO_METADATA => {
                tags = note_offset(&mut out.transport_offset, tags + OTHER_TAG);
                if tags / OTHER_TAG > OTHER_TAGS_MAX {
                    break;
                }
                tags::other(reader, layer)
            }
            layer::LLC => llc(reader, layer.offset),
            layer::MPLS | layer::MPLS_UPSTREAM => mpls(reader, layer.offset),
            layer::PPPOE_SESSION => pppoe(reader, layer.offset),
            layer::PPP => ppp(reader, layer.offset),
            layer::RAW_IP => raw_ip(reader, layer.offset),
            ethertype => {
                if ethertype < layer::LLC {
                    out.unknown_ethertype = ethertype as u16;
                }
                None
            }
        };
        match next {
            // In its field for the verifier, as the number of tags: the paths to the same kind of
            // header become one.
            Some(Layer { kind, offset }) => {
                layer = Layer { kind, offset: note_offset(&mut out.network_offset, offset) };
            }
            None => break,
        }
    }
    (out.network_offset, out.transport_offset) = (0, 0);
    NetworkHeader::NON_IP
}

/// IP right behind an Ethernet header without tags.
#[inline(always)]
fn behind_ethernet<R: PacketReader + ?Sized>(reader: &R) -> Option<NetworkHeader> {
    let [high, low] = reader.read(12)?;
    let ip_version = match u32::from(be16(high, low)) {
        layer::IPV4 => IpVersion::V4,
        layer::IPV6 => IpVersion::V6,
        _ => return None,
    };
    Some(NetworkHeader { ip_version: Some(ip_version), offset: 14 })
}

/// The first layer, by link type.
#[inline(always)]
fn first_layer<R: PacketReader + ?Sized>(reader: &R, link_type: LinkType, out: &mut Class) -> Option<Layer> {
    let (kind, offset) = match link_type {
        LinkType::ETHERNET => (by_length_or_ethertype(reader.read(12)?), 14),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => (layer::RAW_IP, 0),
        LinkType::IPV4 => (layer::IPV4, 0),
        LinkType::IPV6 => (layer::IPV6, 0),
        LinkType::LINUX_SLL => (by_linux_protocol(reader.read(14)?), 16),
        LinkType::LINUX_SLL2 => (by_linux_protocol(reader.read(0)?), 20),
        LinkType::NULL | LinkType::LOOP => (by_address_family(reader.read(0)?), 4),
        LinkType::PPP => (layer::PPP, 0),
        LinkType::PPP_WITH_DIR => (layer::PPP, 1),
        LinkType::PPP_ETHER => (layer::PPPOE_SESSION, 0),
        LinkType::FDDI => (fddi(reader.read(0)?), 13),
        LinkType::NFLOG => return nflog::packet(reader, out),
        LinkType::C_HDLC => (by_ethertype(reader.read(2)?), 4),
        LinkType::PPP_SERIAL => match reader.read(0)? {
            [0x0f | 0x8f, _, high, low] => (by_ethertype([high, low]), 4),
            _ => (layer::PPP, 0),
        },
        _ => return None,
    };
    Some(Layer { kind, offset })
}

/// A field that can only be an EtherType.
#[inline(always)]
fn by_ethertype([high, low]: [u8; 2]) -> u32 {
    match be16(high, low) {
        ETHERTYPE_MIN.. => u32::from(be16(high, low)),
        _ => layer::UNKNOWN,
    }
}

/// The protocol of a Linux cooked header: an EtherType, but small numbers are Linux's own.
#[inline(always)]
fn by_linux_protocol([high, low]: [u8; 2]) -> u32 {
    match be16(high, low) {
        ETHERTYPE_MIN.. => u32::from(be16(high, low)),
        SLL_LLC => layer::LLC,
        _ => layer::UNKNOWN,
    }
}

/// BSD loopback: an address family of 4 bytes in the capturing host's byte order, whichever that
/// was. The number of IPv6 is 10 on Linux, 23 on Windows, 24, 28 and 30 on the BSDs and macOS.
#[inline(always)]
fn by_address_family(field: [u8; 4]) -> u32 {
    match field {
        [2, 0, 0, 0] | [0, 0, 0, 2] => layer::IPV4,
        [10 | 23 | 24 | 28 | 30, 0, 0, 0] | [0, 0, 0, 10 | 23 | 24 | 28 | 30] => layer::IPV6,
        _ => layer::UNKNOWN,
    }
}

/// FDDI (ISO 9314-2): a frame control field, whose format bits say that LLC follows the two
/// addresses. One that is synchronous or asynchronous, of any priority.
#[inline(always)]
fn fddi([frame_control]: [u8; 1]) -> u32 {
    match frame_control & 0x70 {
        0x50 => layer::LLC,
        _ => layer::UNKNOWN,
    }
}

/// LLC: SNAP with an EtherType (RFC 1042; OUI 00-00-00, or 00-00-F8 for bridged frames, 802.1H), or
/// the service access point of IPv4.
#[inline(always)]
fn llc<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Option<Layer> {
    match reader.read(offset)? {
        [0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00 | 0xf8, high, low] => {
            Some(Layer { kind: by_ethertype([high, low]), offset: offset + 8 })
        }
        [0x06, 0x06, 0x03, ..] => Some(Layer { kind: layer::IPV4, offset: offset + 3 }),
        _ => None,
    }
}

/// MPLS (RFC 3032): labels up to the bottom of the stack; nothing there names the payload but its
/// first nibble.
#[inline(always)]
fn mpls<R: PacketReader + ?Sized>(reader: &R, mut offset: usize) -> Option<Layer> {
    let mut labels = 0;
    while labels < MPLS_LABELS_MAX {
        labels += 1;
        let [_, _, traffic_class_and_bottom, _] = reader.read(offset)?;
        offset += 4;
        if traffic_class_and_bottom & 1 != 0 {
            return Some(Layer { kind: layer::RAW_IP, offset });
        }
    }
    None
}

/// PPPoE (RFC 2516 section 4): version and type 1, code 0 for session data, session id, length;
/// then PPP.
#[inline(always)]
fn pppoe<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Option<Layer> {
    match reader.read(offset)? {
        [0x11, 0x00, _, _, _, _] => Some(Layer { kind: layer::PPP, offset: offset + 6 }),
        _ => None,
    }
}

/// PPP (RFC 1661), with or without the address and control bytes FF 03 (RFC 1662 section 3.1); the
/// protocol field has two bytes, or one (odd) where compression was negotiated.
#[inline(always)]
fn ppp<R: PacketReader + ?Sized>(reader: &R, mut offset: usize) -> Option<Layer> {
    let [mut high] = reader.read(offset)?;
    if high == 0xff {
        let [_, 0x03, next] = reader.read(offset)? else { return None };
        high = next;
        offset += 2;
    }
    let (protocol, len) = if high & 1 != 0 {
        (u16::from(high), 1)
    } else {
        let [_, low] = reader.read(offset)?;
        (be16(high, low), 2)
    };
    let kind = match protocol {
        0x0021 => layer::IPV4,
        0x0057 => layer::IPV6,
        0x0281 | 0x0283 => layer::MPLS,
        _ => return None,
    };
    Some(Layer { kind, offset: offset + len })
}

/// The first nibble is the IP version, or there is no IP.
#[inline(always)]
fn raw_ip<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Option<Layer> {
    let [first] = reader.read(offset)?;
    let kind = match first >> 4 {
        4 => layer::IPV4,
        6 => layer::IPV6,
        _ => return None,
    };
    Some(Layer { kind, offset })
}
