//! A punted packet: a header and the packet's bytes, in a ring buffer or in an AF_XDP frame.

use crate::classify::LinkType;
use crate::direction::Direction;

/// Precedes the packet. It holds little more than what the bytes do not show, because the agent
/// classifies them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RecordHeader {
    /// CLOCK_MONOTONIC when the program saw the packet, in nanoseconds.
    pub timestamp_ns: u64,
    /// Index of the interface.
    pub ifindex: u32,
    /// Bytes on the wire of all `packets`.
    pub wire_len: u32,
    /// Bytes that follow this header, at most [`CAPTURED_MAX`].
    pub captured_len: u16,
    /// Packets on the wire: more than one for a buffer that segmentation offload will split or has
    /// merged.
    pub packets: u16,
    /// The type of the first header in the bytes.
    pub link_type: u16,
    /// A [`Direction`].
    pub direction: u8,
    /// See [`flags`].
    pub flags: u8,
}

/// Bytes of a [`RecordHeader`].
pub const HEADER_LEN: usize = size_of::<RecordHeader>();
const _: () = assert!(HEADER_LEN == 24);

/// Most bytes of a packet that are punted: nearly the longest IP datagram with its link layer, and
/// what 16 bits can count.
pub const CAPTURED_MAX: usize = u16::MAX as usize;

/// Bits of [`RecordHeader::flags`].
pub mod flags {
    /// Seen by an XDP program.
    pub const XDP: u8 = 1;
    /// The [epoch](crate::kernel::control::epoch) that the packet was counted in: two bits from
    /// [`EPOCH_SHIFT`].
    pub const EPOCH: u8 = 0b11 << EPOCH_SHIFT;
    /// Where the epoch begins.
    pub const EPOCH_SHIFT: u32 = 4;

    /// The bits of an epoch.
    #[inline(always)]
    pub const fn of_epoch(epoch: u32) -> u8 {
        ((epoch << EPOCH_SHIFT) as u8) & EPOCH
    }
}

impl RecordHeader {
    /// The type of the first header in the bytes.
    pub fn link_type(&self) -> LinkType {
        LinkType(self.link_type)
    }

    /// Which way the packet went when it was counted.
    pub fn direction(&self) -> Direction {
        match self.direction {
            1 => Direction::Received,
            2 => Direction::Sent,
            _ => Direction::Unknown,
        }
    }

    /// The epoch that the packet was counted in.
    pub fn epoch(&self) -> u32 {
        u32::from((self.flags & flags::EPOCH) >> flags::EPOCH_SHIFT)
    }

    /// Splits a record into header and bytes; `None` if it is too short for what it says.
    pub fn split(record: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = record.split_first_chunk::<HEADER_LEN>()?;
        // SAFETY: the bytes are initialised and as many as the header has; every value of them is a
        // valid header; the read is unaligned.
        let header: Self = unsafe { core::ptr::read_unaligned(header.as_ptr().cast()) };
        let bytes = rest.get(..usize::from(header.captured_len))?;
        Some((header, bytes))
    }
}

/// The sizes in which room for small packets is reserved in a ring buffer, header included:
/// multiples of 8. What a packet does not fill is lost.
pub const SMALL: [usize; 8] = [96, 128, 160, 192, 256, 320, 448, 600];
/// Most bytes of a packet that is small: nearly all messages of DNS in UDP.
pub const SMALL_MAX: usize = SMALL[SMALL.len() - 1] - HEADER_LEN;
/// The same for all packets.
pub const LARGE: [usize; 7] = [640, 960, 1536, 2560, 9216, 24 << 10, CAPTURED_MAX + 1 + HEADER_LEN];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_splits_into_header_and_bytes() {
        let mut record = vec![0; HEADER_LEN];
        record[..8].copy_from_slice(&7u64.to_ne_bytes());
        record[16..18].copy_from_slice(&3u16.to_ne_bytes());
        record[22] = 2;
        record.extend_from_slice(b"abcxx");
        let (header, bytes) = RecordHeader::split(&record).unwrap();
        assert_eq!((header.timestamp_ns, header.captured_len, bytes), (7, 3, &b"abc"[..]));
        assert_eq!(header.direction(), Direction::Sent);
    }

    #[test]
    fn a_record_shorter_than_its_header_says_is_rejected() {
        let mut record = vec![0; HEADER_LEN + 2];
        record[16..18].copy_from_slice(&3u16.to_ne_bytes());
        assert_eq!(RecordHeader::split(&record), None);
        assert_eq!(RecordHeader::split(&record[..HEADER_LEN - 1]), None);
    }

    #[test]
    fn every_packet_finds_room() {
        assert!(SMALL.is_sorted() && LARGE.is_sorted());
        assert!(SMALL.iter().chain(&LARGE).all(|size| size % 8 == 0));
        assert!(LARGE[LARGE.len() - 1] >= CAPTURED_MAX + HEADER_LEN);
    }
}
