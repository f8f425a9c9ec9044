//! From the outermost IP header to the transport header.

use super::class::{Class, flags};
use super::dns_ports::DnsPorts;
use super::protocol::next_header;
use super::transport;
use super::verifier::note_offset;
use crate::address::{IpVersion, widened};
use crate::reader::{PacketReader, be16};

/// IPv6 extension headers looked through; a packet with more is malformed.
const EXTENSION_HEADERS_MAX: usize = 8;

/// IPv4 (RFC 791 section 3.1).
#[inline(always)]
pub(super) fn ipv4<R: PacketReader + ?Sized>(
    reader: &R,
    offset: usize,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    out.ip_version = Some(IpVersion::V4);
    let offset = note_offset(&mut out.network_offset, offset);
    let Some(header) = reader.read::<20>(offset) else { return without_addresses(out) };
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header[0] >> 4 != 4 || header_len < 20 {
        return without_addresses(out);
    }
    // All 16 bytes, although the rest is zero already: a read of the address in words must not wait
    // until a narrower write has left the store buffer.
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = header;
    out.source = widened([s0, s1, s2, s3]);
    out.destination = widened([d0, d1, d2, d3]);
    out.protocol = header[9];

    let captured_end = reader.captured_len();
    let start = offset + header_len;
    let end = match be16(header[2], header[3]) {
        // Segmentation offload: the length does not fit, or is filled in later.
        0 => captured_end,
        total_len => offset + usize::from(total_len),
    };
    // Also where the options are cut: the field lies before them.
    let fragment = be16(header[6], header[7]);
    set_fragment(out, fragment & 0x1fff, fragment & 0x2000);
    if start > captured_end || start > end {
        out.flags |= flags::MALFORMED;
        return;
    }
    transport::transport(reader, start, end, dns_ports, out);
}

/// IPv6 (RFC 8200), through the extension headers that are no end in themselves.
///
/// An extension header that is cut by the capture or by the packet's own length leaves the packet
/// malformed, and `protocol` at the value that announced this header: the last one that was
/// reached.
#[inline(always)]
pub(super) fn ipv6<R: PacketReader + ?Sized>(
    reader: &R,
    offset: usize,
    dns_ports: &DnsPorts,
    out: &mut Class,
) {
    out.ip_version = Some(IpVersion::V6);
    let offset = note_offset(&mut out.network_offset, offset);
    // The last part first: with it the whole header is there.
    let (Some(destination), Some(source), Some([version, _, _, _, len_high, len_low, next_header, _])) =
        (reader.read(offset + 24), reader.read(offset + 8), reader.read(offset))
    else {
        return without_addresses(out);
    };
    if version >> 4 != 6 {
        return without_addresses(out);
    }
    out.source = by_words(source);
    out.destination = by_words(destination);
    out.protocol = next_header;

    let captured_end = reader.captured_len();
    let mut start = offset + 40;
    let end = match be16(len_high, len_low) {
        // A jumbogram (RFC 2675), or segmentation offload.
        0 => captured_end,
        payload_len => start + usize::from(payload_len),
    };
    let mut headers = 0;
    while matches!(
        out.protocol,
        next_header::HOP_BY_HOP | next_header::ROUTING | next_header::FRAGMENT | next_header::DESTINATION
    ) {
        let Some(extension) = extension(reader, start, out.protocol) else {
            out.flags |= flags::MALFORMED;
            return;
        };
        headers += 1;
        start += extension.len;
        if headers > EXTENSION_HEADERS_MAX || start > end || start > captured_end {
            out.flags |= flags::MALFORMED;
            return;
        }
        if out.has(flags::FRAGMENT) {
            out.flags |= flags::EXTENSION_FIRST;
        }
        out.protocol = extension.next;
        set_fragment(out, extension.fragment & 0xfff8, extension.fragment & 1);
        if out.has(flags::LATER_FRAGMENT) {
            break;
        }
    }
    transport::transport(reader, start, end, dns_ports, out);
}

/// One IPv6 extension header.
struct Extension {
    next: u8,
    len: usize,
    /// Offset, reserved bits and M of a fragment header (RFC 8200 section 4.5); 0 for the others.
    fragment: u16,
}

#[inline(always)]
fn extension<R: PacketReader + ?Sized>(reader: &R, offset: usize, protocol: u8) -> Option<Extension> {
    // All of them are at least 8 bytes long.
    let [next, len, high, low, ..] = reader.read::<8>(offset)?;
    Some(if protocol == next_header::FRAGMENT {
        Extension { next, len: 8, fragment: be16(high, low) }
    } else {
        Extension { next, len: (usize::from(len) + 1) * 8, fragment: 0 }
    })
}

/// A datagram with offset 0 and nothing to follow is none, although IPv6 may say so with a header
/// ("atomic", RFC 6946).
#[inline(always)]
fn set_fragment(out: &mut Class, offset: u16, more: u16) {
    if offset != 0 {
        out.flags |= flags::FRAGMENT | flags::LATER_FRAGMENT;
    } else if more != 0 {
        out.flags |= flags::FRAGMENT;
    }
}

/// The same address, but written as two words; BPF would otherwise do it byte by byte.
#[inline(always)]
fn by_words(address: [u8; 16]) -> [u8; 16] {
    u128::from_ne_bytes(address).to_ne_bytes()
}

#[inline(always)]
fn without_addresses(out: &mut Class) {
    out.flags |= flags::MALFORMED | flags::NO_ADDRESSES;
}
