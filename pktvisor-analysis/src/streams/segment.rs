//! One TCP segment (RFC 9293 section 3.1) for reassembly.

use etherparse::TcpHeaderSlice;
use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::{Class, tcp_flags};

/// The data of a segment that reassembly needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSegment<'a> {
    /// Sequence number of the SYN if there is one, else of the first payload byte.
    pub sequence: u32,
    /// The next byte that the sender expects from its peer. Valid only with the flag ACK.
    pub acknowledgement: u32,
    /// CWR ECE URG ACK PSH RST SYN FIN, as in the header.
    pub flags: u8,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload bytes on the wire: more than `payload` holds if the capture was snapped.
    pub wire_len: u32,
}

impl<'a> TcpSegment<'a> {
    /// The segment in a classified packet. `data` begins with the link-layer header. `None` if the
    /// TCP header is cut or inconsistent.
    pub fn of(data: &'a [u8], class: &Class) -> Option<Self> {
        let segment = data.get(usize::from(class.transport_offset)..)?;
        let header = TcpHeaderSlice::from_slice(segment).ok()?;
        let captured = segment.get(header.slice().len()..)?;
        let payload = captured.get(..usize::from(class.payload_len)).unwrap_or(captured);
        let on_wire = ip_end(data, class).and_then(|end| {
            let start = u32::from(class.transport_offset).checked_add(header.slice().len() as u32)?;
            end.checked_sub(start)
        });
        Some(Self {
            sequence: header.sequence_number(),
            acknowledgement: header.acknowledgment_number(),
            flags: class.tcp_flags,
            payload,
            wire_len: on_wire.unwrap_or(0).max(payload.len() as u32),
        })
    }
}

impl TcpSegment<'_> {
    /// Whether an unknown stream begins with this segment. A bare FIN or RST only ends a stream
    /// that was not seen.
    pub(super) fn begins_stream(&self) -> bool {
        self.flags & tcp_flags::RST == 0 && (self.flags & tcp_flags::SYN != 0 || self.wire_len > 0)
    }

    /// The position up to which the sender has received its peer's stream. A SYN's acknowledgement
    /// belongs to the handshake, and the sender of a RST need not know the connection (RFC 9293
    /// section 3.5.2).
    #[inline]
    pub(super) fn acknowledged(&self) -> Option<u32> {
        let kind = self.flags & (tcp_flags::ACK | tcp_flags::SYN | tcp_flags::RST);
        (kind == tcp_flags::ACK).then_some(self.acknowledgement)
    }

    /// Payload bytes on the wire, at least those that were captured.
    #[inline]
    pub(super) fn payload_len(&self) -> u32 {
        self.wire_len.max(self.payload.len() as u32)
    }
}

/// The end of the IP packet by its own length, in bytes from the first byte of `data`. `None` for a
/// length of 0: then the network card does the segmentation, and only the captured end is known.
fn ip_end(data: &[u8], class: &Class) -> Option<u32> {
    const IPV4_TOTAL_LENGTH_OFFSET: usize = 2;
    const IPV6_PAYLOAD_LENGTH_OFFSET: usize = 4;
    const IPV6_HEADER_LEN: u32 = 40;
    let header = data.get(usize::from(class.network_offset)..)?;
    let (offset, header_len) = match class.ip_version? {
        IpVersion::V4 => (IPV4_TOTAL_LENGTH_OFFSET, 0),
        IpVersion::V6 => (IPV6_PAYLOAD_LENGTH_OFFSET, IPV6_HEADER_LEN),
    };
    match u16::from_be_bytes(*header.get(offset..)?.first_chunk()?) {
        0 => None,
        len => Some(u32::from(class.network_offset) + header_len + u32::from(len)),
    }
}
