//! What a header is: an EtherType (<https://www.iana.org/assignments/ieee-802-numbers>), or a
//! number beyond them for what has none. One name space, so that every header is read in one place,
//! however it was reached.

use crate::reader::be16;

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const VLAN: u32 = 0x8100;
pub(super) const VLAN_SERVICE: u32 = 0x88a8;
pub(super) const VLAN_LEGACY: u32 = 0x9100;
pub(super) const MPLS: u32 = 0x8847;
pub(super) const MPLS_UPSTREAM: u32 = 0x8848;
pub(super) const PPPOE_SESSION: u32 = 0x8864;
/// IEEE 802.1ah, the I-TAG of a provider backbone bridge.
pub(super) const BACKBONE: u32 = 0x88e7;
/// IEEE 802.1BR, the E-TAG of a bridge port extender.
pub(super) const PORT_EXTENDER: u32 = 0x893f;
/// The VN-tag of Cisco's fabric extenders.
pub(super) const VN_TAG: u32 = 0x8926;
/// Cisco MetaData.
pub(super) const CISCO_METADATA: u32 = 0x8909;

/// IEEE 802.2 logical link control.
pub(super) const LLC: u32 = 0x1_0000;
/// PPP from its address or protocol field on.
pub(super) const PPP: u32 = 0x1_0001;
/// IP of the version in its first nibble.
pub(super) const RAW_IP: u32 = 0x1_0002;
/// A number that no arm knows.
pub(super) const UNKNOWN: u32 = 0x1_0003;

/// Smallest EtherType; below it the field is an IEEE 802.3 length, and LLC follows.
pub(super) const ETHERTYPE_MIN: u16 = 0x0600;

/// A header that is still to be read.
#[derive(Clone, Copy)]
pub(super) struct Layer {
    /// One of the numbers above.
    pub(super) kind: u32,
    pub(super) offset: usize,
}

/// The field behind Ethernet addresses: an EtherType, or the length of an LLC frame.
#[inline(always)]
pub(super) fn by_length_or_ethertype([high, low]: [u8; 2]) -> u32 {
    match be16(high, low) {
        ETHERTYPE_MIN.. => u32::from(be16(high, low)),
        _ => LLC,
    }
}
