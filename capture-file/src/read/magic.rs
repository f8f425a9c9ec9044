//! The first bytes of a capture: which container it is, and in which byte order.

use super::byte_order::ByteOrder;

/// Section Header Block of pcapng: the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;

/// Byte order, unit of the fraction in nanoseconds, and length of a packet header for a magic
/// number. The last pair is Alexey Kuznetsov's format of old Linux systems, which adds interface,
/// protocol and packet type.
pub(super) fn variant(magic: [u8; 4]) -> Option<(ByteOrder, u64, usize)> {
    use ByteOrder::{Big, Little};
    Some(match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Little, 1000, 16),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Big, 1000, 16),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Little, 1, 16),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Big, 1, 16),
        [0x34, 0xcd, 0xb2, 0xa1] => (Little, 1000, 24),
        [0xa1, 0xb2, 0xcd, 0x34] => (Big, 1000, 24),
        _ => return None,
    })
}
/// Whether these bytes, which are no plausible record, begin a file header of either container.
pub(super) fn begins_capture(bytes: &[u8; 16]) -> bool {
    let [a, b, c, d, ..] = *bytes;
    let magic = [a, b, c, d];
    magic == SECTION_HEADER.to_be_bytes() || variant(magic).is_some()
}
/// Whether these bytes begin a file header of a known version.
pub(super) fn begins_file_header(bytes: &[u8; 12]) -> bool {
    let [a, b, c, d, ..] = *bytes;
    variant([a, b, c, d])
        .is_some_and(|(order, ..)| order.u16_at(bytes, 4) == 2 && order.u16_at(bytes, 6) <= 4)
}
