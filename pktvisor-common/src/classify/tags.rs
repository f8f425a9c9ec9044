//! Tags that bridges, switches and taps put between Ethernet's addresses and its EtherType. Each
//! reader starts behind the tag's own EtherType.

use super::layer::{self, Layer, by_length_or_ethertype};
use crate::reader::PacketReader;

/// Bytes of an 802.1ah I-TAG behind its EtherType: flags and service, then the customer's addresses
/// and EtherType.
const BACKBONE_LEN: usize = 18;
/// Bytes of an 802.1BR E-TAG behind its EtherType, the EtherType that follows included.
const PORT_EXTENDER_LEN: usize = 8;
/// The same for a VN-tag.
const VN_TAG_LEN: usize = 6;
/// The length field of Cisco MetaData counts units of so many bytes, the EtherType that follows
/// included.
const CISCO_METADATA_UNIT: usize = 8;

/// A VLAN tag (IEEE 802.1Q): priority and VLAN id, then what the tag was put before.
#[inline(always)]
pub(super) fn vlan<R: PacketReader + ?Sized>(reader: &R, offset: usize) -> Option<Layer> {
    ends_at(reader, offset + 4)
}

/// Any other tag.
#[inline(always)]
pub(super) fn other<R: PacketReader + ?Sized>(reader: &R, tag: Layer) -> Option<Layer> {
    let len = match tag.kind {
        layer::BACKBONE => BACKBONE_LEN,
        layer::PORT_EXTENDER => PORT_EXTENDER_LEN,
        layer::VN_TAG => VN_TAG_LEN,
        // Version and length, then options such as a security group.
        _ => match reader.read(tag.offset)? {
            [_, 0] => return None,
            [_, units] => usize::from(units) * CISCO_METADATA_UNIT,
        },
    };
    ends_at(reader, tag.offset + len)
}

/// What follows a tag: its last two bytes are an EtherType or the length of an LLC frame.
#[inline(always)]
fn ends_at<R: PacketReader + ?Sized>(reader: &R, end: usize) -> Option<Layer> {
    Some(Layer { kind: by_length_or_ethertype(reader.read(end - 2)?), offset: end })
}
