//! Packets as Linux's netfilter log hands them out (link type 239,
//! <https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>).

use super::class::Class;
use super::layer::{self, Layer};
use super::verifier::note_offset;
use crate::reader::{OFFSET_MAX, PacketReader, be16};

/// Attributes looked at before the packet. The kernel knows about 20 kinds and writes each at most
/// once.
const ATTRIBUTES_MAX: usize = 32;
/// Address family, version and resource id.
const HEADER_LEN: usize = 4;
/// Length and type of an attribute.
const ATTRIBUTE_HEADER_LEN: usize = 4;
/// The attribute that holds the packet (`NFULA_PAYLOAD` of linux/netfilter/nfnetlink_log.h).
const PAYLOAD: u16 = 9;
/// Bits of an attribute's type that say something about its value (`NLA_TYPE_MASK` of
/// linux/netlink.h has the others).
const TYPE_FLAGS: u8 = 0xc0;

/// `AF_INET` and `AF_INET6` of Linux.
mod family {
    pub(super) const INET: u8 = 2;
    pub(super) const INET6: u8 = 10;
}

/// The packet: the value of one of the attributes behind the header. The address family says what
/// it is.
#[inline(always)]
pub(super) fn packet<R: PacketReader + ?Sized>(reader: &R, out: &mut Class) -> Option<Layer> {
    let kind = match reader.read(0)? {
        [family::INET] => layer::IPV4,
        [family::INET6] => layer::IPV6,
        _ => return None,
    };
    let mut offset = HEADER_LEN;
    let mut attributes = 0;
    while attributes < ATTRIBUTES_MAX {
        attributes += 1;
        let (len, attribute) = attribute(reader.read(offset)?);
        if attribute == PAYLOAD {
            return Some(Layer { kind, offset: offset + ATTRIBUTE_HEADER_LEN });
        }
        if !(ATTRIBUTE_HEADER_LEN..=OFFSET_MAX).contains(&len) {
            return None;
        }
        offset = note_offset(&mut out.network_offset, offset + len.next_multiple_of(4));
    }
    None
}

/// Length and type, in the byte order of the host that captured. All types are below 256, and none
/// is 0: the byte of the two that is set shows the byte order.
#[inline(always)]
fn attribute([l0, l1, t0, t1]: [u8; 4]) -> (usize, u16) {
    match (t0, t1 & !TYPE_FLAGS) {
        (1.., 0) => (usize::from(be16(l1, l0)), u16::from(t0)),
        _ => (usize::from(be16(l0, l1)), be16(t0 & !TYPE_FLAGS, t1)),
    }
}
