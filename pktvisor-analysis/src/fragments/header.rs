//! One fragment: its datagram, and its part of the data.

use etherparse::{
    IpFragOffset, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice,
};
use pktvisor_common::address::{AddressPair, IpVersion};
use pktvisor_common::classify::Class;

/// The key that the fragments of one datagram share.
///
/// IPv4: source, destination, protocol, identification (RFC 791 section 3.2), and the protocol is
/// always UDP here. IPv6: source, destination, identification (RFC 8200 section 4.5); the next
/// header of a fragment is none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DatagramKey {
    pub(super) addresses: AddressPair,
    pub(super) identification: u32,
}

/// One fragment, borrowed from its packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) key: DatagramKey,
    /// The protocol of the fragmentable part, according to this fragment.
    pub(super) protocol: IpNumber,
    pub(super) offset: IpFragOffset,
    pub(super) more_fragments: bool,
    /// The captured part of its data.
    pub(super) data: &'a [u8],
    /// Length of its data on the wire, in bytes.
    pub(super) wire_len: usize,
}

impl<'a> Fragment<'a> {
    /// The fragment in a classified packet. `packet` begins with the link-layer header. `None` if
    /// the headers are cut or contradictory.
    pub(super) fn of(packet: &'a [u8], class: &Class) -> Option<Self> {
        let datagram = packet.get(usize::from(class.network_offset)..)?;
        let fragment = match class.ip_version? {
            IpVersion::V4 => Self::of_ipv4(datagram, class)?,
            IpVersion::V6 => Self::of_ipv6(datagram, class)?,
        };
        let is_aligned = !fragment.more_fragments || fragment.wire_len.is_multiple_of(8);
        (is_aligned && fragment.wire_len > 0).then_some(fragment)
    }

    fn of_ipv4(datagram: &'a [u8], class: &Class) -> Option<Self> {
        let header = Ipv4HeaderSlice::from_slice(datagram).ok()?;
        // 0: the network card does the segmentation.
        let end = match usize::from(header.total_len()) {
            0 => datagram.len(),
            total_len => total_len,
        };
        let start = header.slice().len();
        Some(Self {
            key: key(class, header.identification().into())?,
            protocol: header.protocol(),
            offset: header.fragments_offset(),
            more_fragments: header.more_fragments(),
            data: datagram.get(start..end.min(datagram.len()))?,
            wire_len: end.checked_sub(start)?,
        })
    }

    fn of_ipv6(datagram: &'a [u8], class: &Class) -> Option<Self> {
        let header = Ipv6HeaderSlice::from_slice(datagram).ok()?;
        let end = match usize::from(header.payload_length()) {
            0 => datagram.len(),
            payload_len => header.header_len() + payload_len,
        };
        let mut start = header.header_len();
        let protocol = walk_extensions(header.next_header(), datagram, &mut start);
        if protocol != IpNumber::IPV6_FRAGMENTATION_HEADER {
            return None;
        }
        let header = Ipv6FragmentHeaderSlice::from_slice(datagram.get(start..)?).ok()?;
        start += header.slice().len();
        Some(Self {
            key: key(class, header.identification())?,
            protocol: header.next_header(),
            offset: header.fragment_offset(),
            more_fragments: header.more_fragments(),
            data: datagram.get(start..end.min(datagram.len()))?,
            wire_len: end.checked_sub(start)?,
        })
    }
}

fn key(class: &Class, identification: u32) -> Option<DatagramKey> {
    Some(DatagramKey { addresses: class.addresses()?, identification })
}

/// Walks hop-by-hop, routing and destination options from `*offset` on (RFC 8200 section 4).
/// Returns the next protocol and moves `offset` to it. Stops at a cut header.
pub(super) fn walk_extensions(mut next: IpNumber, bytes: &[u8], offset: &mut usize) -> IpNumber {
    const EXTENSIONS_MAX: usize = 8;
    for _ in 0..EXTENSIONS_MAX {
        if !matches!(
            next,
            IpNumber::IPV6_HEADER_HOP_BY_HOP
                | IpNumber::IPV6_ROUTE_HEADER
                | IpNumber::IPV6_DESTINATION_OPTIONS
        ) {
            break;
        }
        let Some(Ok(header)) = bytes.get(*offset..).map(Ipv6RawExtHeaderSlice::from_slice) else { break };
        next = header.next_header();
        *offset += header.slice().len();
    }
    next
}
