//! The number of packets on the wire that offload merged into a frame.
//!
//! With segmentation offload the host hands down, and with receive offload it puts together, TCP
//! and UDP packets of up to 64 KiB (linux/virtio_net.h has the header that tells so). On the wire
//! there were as many packets as the payload fills, each with the headers of the first.

use std::mem::size_of;

use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};
use pktvisor_common::wire::Wire;

use super::bytes::u16_at;

/// `struct virtio_net_hdr`: flags, kind of segmentation, header length, segment size, checksum
/// start and offset, in the byte order of the machine.
pub(super) const HEADER_BYTES: usize = 2 + 4 * size_of::<u16>();

/// The checksum is still to be made, from the start of the innermost transport header on.
const F_NEEDS_CSUM: u8 = 1;
const GSO_NONE: u8 = 0;
const GSO_TCPV4: u8 = 1;
const GSO_TCPV6: u8 = 4;
/// A flag beside the kind.
const GSO_ECN: u8 = 0x80;

const UDP_HEADER_BYTES: usize = 8;

/// Reads the virtio header before the packet that begins at `start` in `frame` and had `len` bytes
/// before it was cut. What `link_type` names begins at `link_start`.
pub(super) fn wire(frame: &[u8], start: usize, len: u32, link_type: LinkType, link_start: usize) -> Wire {
    let headers = |packet: &[u8]| outer_headers(packet, link_type, link_start.checked_sub(start)?);
    match segment(frame, start, headers) {
        Some((header_len, payload_len)) => Wire::segmented(len, header_len, payload_len, 0),
        None => Wire::single(len),
    }
}

/// Bytes of the headers and of the payload of each packet that the frame was on the wire.
fn segment(frame: &[u8], start: usize, outer_headers: impl Fn(&[u8]) -> Option<usize>) -> Option<(u32, u32)> {
    let header = frame.get(start.checked_sub(HEADER_BYTES)?..start)?;
    let (flags, kind) = (header[0], header[1] & !GSO_ECN);
    if kind == GSO_NONE {
        return None;
    }
    let payload_len = u32::from(u16_at(header, 4)?);
    let packet = frame.get(start..)?;
    let known = (flags & F_NEEDS_CSUM != 0).then(|| usize::from(u16_at(header, 6).unwrap_or(0)));
    let header_len = match known {
        Some(transport) => transport + transport_header_bytes(packet, transport, kind)?,
        None => outer_headers(packet)?,
    };
    Some((u32::try_from(header_len).ok()?, payload_len))
}

fn transport_header_bytes(packet: &[u8], transport: usize, kind: u8) -> Option<usize> {
    match kind {
        // The data offset, in words (RFC 9293 section 3.1).
        GSO_TCPV4 | GSO_TCPV6 => Some(usize::from(packet.get(transport + 12)? >> 4) * 4),
        _ => Some(UDP_HEADER_BYTES),
    }
}

/// The headers up to the payload where the device does not tell: those of the outermost IP packet.
fn outer_headers(packet: &[u8], link_type: LinkType, link_start: usize) -> Option<usize> {
    let mut class = Class::default();
    classify(packet.get(link_start..)?, link_type, &DnsPorts::default(), &mut class);
    (class.payload_offset != 0).then_some(link_start + usize::from(class.payload_offset))
}
