//! The classic format: a file header of 24 bytes, then packets of one link type, each behind a
//! short header.
//!
//! Our own reader instead of pcap-parser 0.17: 52 ns against 82 ns for each packet of a mapped file
//! of a million packets, page faults included. It also reports where damage begins, and goes on
//! with joined captures.

use super::CaptureRecord;
use super::byte_order::ByteOrder;
use super::error::{ReadError, ReadStop, StopReason};
use super::input::Input;
use super::interface::packet_limit_bytes;
use super::magic::{begins_capture, variant};

const FILE_HEADER_BYTES: usize = 24;

/// Octets of a record's header in all files but those of a patched libpcap.
const PLAIN_HEADER_BYTES: usize = 16;

/// Bits 16 to 25 of the link-type field, which must be zero. The rest of the upper half gives the
/// length of a frame check sequence, which is left at the end of each packet.
const RESERVED_LINK_TYPE_BITS: u32 = 0x03ff_0000;

#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    /// Nanoseconds in one unit of a time stamp's second half.
    fraction_ns: u64,
    packet_header_bytes: usize,
    lengths: Lengths,
    packet_limit: u32,
    link_type: u16,
    /// Whether the file is of the most frequent form: little-endian, with short record headers, the
    /// captured length first.
    is_plain: bool,
}

/// Which of a packet's two lengths is the captured one. The order was unsettled before version 2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// Version 2.3 was written both ways: the smaller one is the captured one.
    SmallerIsCaptured,
}

impl Pcap {
    /// Reads the file header.
    ///
    /// # Errors
    /// The header belongs to another format, is cut off, or has an unknown version.
    pub(super) fn open(input: &mut Input) -> Result<Self, ReadError> {
        let magic = input.magic()?;
        let Some((order, fraction_ns, packet_header_bytes)) = variant(magic) else {
            return Err(input.not_a_capture());
        };
        let Some(header) = input.need_array::<FILE_HEADER_BYTES>() else {
            let stop = input.stop(input.position());
            return Err(input.header_error(*stop));
        };
        let (major, minor) = (order.u16_at(header, 4), order.u16_at(header, 6));
        let field = order.u32_at(header, 20);
        if major != 2 {
            let offset = input.position();
            return Err(ReadError::UnsupportedVersion { container: "pcap", major, minor, offset });
        }
        if field & RESERVED_LINK_TYPE_BITS != 0 {
            return Err(ReadError::ReservedLinkTypeBits { field });
        }
        input.take(FILE_HEADER_BYTES);
        let link_type = (field & 0xffff) as u16;
        let lengths = match minor {
            0..=2 => Lengths::OriginalFirst,
            3 => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        let packet_limit = packet_limit_bytes(link_type);
        let is_plain = order == ByteOrder::Little
            && packet_header_bytes == PLAIN_HEADER_BYTES
            && lengths == Lengths::CapturedFirst;
        Ok(Self { order, fraction_ns, packet_header_bytes, lengths, packet_limit, link_type, is_plain })
    }

    /// The next record, if it and the beginning of the next one lie in the window of a mapped file,
    /// and nothing about them is unusual; else `None`, and nothing is taken. As [`next`](Self::next),
    /// with a third of the instructions.
    #[inline(always)]
    pub(super) fn plain_record(&self, input: &mut Input) -> Option<CaptureRecord> {
        if !self.is_plain {
            return None;
        }
        let (header, rest) = input.mapped_window()?.split_first_chunk::<PLAIN_HEADER_BYTES>()?;
        let field = |at| ByteOrder::Little.u32_at(header, at);
        let (captured, original) = (field(8), field(12));
        if self.is_odd(captured, original) {
            return None;
        }
        let data_len = captured as usize;
        if data_len > rest.len() {
            return None;
        }
        let timestamp_ns = Some(u64::from(field(0)) * 1_000_000_000 + u64::from(field(4)) * self.fraction_ns);
        let wire_len = original.max(captured);
        if !input.is_plainly_intact(input.window_start() + PLAIN_HEADER_BYTES, data_len) {
            return None;
        }
        let data_at = input.take(PLAIN_HEADER_BYTES + data_len) + PLAIN_HEADER_BYTES;
        let (link_type, byte_order) = (self.link_type, ByteOrder::Little);
        Some(CaptureRecord { timestamp_ns, data_at, data_len, wire_len, link_type, interface: 0, byte_order })
    }

    #[inline]
    pub(super) fn next(&mut self, input: &mut Input) -> Result<CaptureRecord, Box<ReadStop>> {
        let Some(header) = input.need(self.packet_header_bytes).and_then(|header| header.first_chunk::<16>())
        else {
            return Err(input.stop(input.position()));
        };
        let seconds = u64::from(self.order.u32_at(header, 0));
        let fraction = u64::from(self.order.u32_at(header, 4));
        let (captured, original) = self.lengths(self.order.u32_at(header, 8), self.order.u32_at(header, 12));
        if self.is_odd(captured, original) {
            self.check_odd_record(input, captured)?;
        }
        let data_len = captured as usize;
        let record_len = self.packet_header_bytes + data_len;
        if !input.has(record_len) {
            return Err(input.stop(input.position()));
        }
        let data_at = input.take(record_len) + self.packet_header_bytes;
        // The sum of two 32-bit numbers, one of them times 1e9, fits; a fraction over one second is
        // carried.
        let timestamp_ns = Some(seconds * 1_000_000_000 + fraction * self.fraction_ns);
        let wire_len = original.max(captured);
        let (link_type, byte_order) = (self.link_type, self.order);
        Ok(CaptureRecord { timestamp_ns, data_at, data_len, wire_len, link_type, interface: 0, byte_order })
    }

    /// Whether the lengths are implausible for a packet with data: nothing captured, more than the
    /// packet had, or too much. File headers and zeros are odd, too, so that one comparison finds
    /// them all.
    #[inline(always)]
    fn is_odd(&self, captured: u32, original: u32) -> bool {
        captured.wrapping_sub(1) >= self.packet_limit.min(original)
    }

    /// Accepts an odd record that is a packet all the same; rejects the beginning of another
    /// capture, and damage.
    #[cold]
    #[inline(never)]
    fn check_odd_record(&self, input: &mut Input, captured: u32) -> Result<(), Box<ReadStop>> {
        let offset = input.position();
        let Some(&header) = input.need_array::<16>() else { return Err(input.stop(offset)) };
        if begins_capture(&header) {
            return Err(Box::new(ReadStop::AnotherCapture));
        }
        // No packet has neither time nor length. Such records appear where a file was emptied while
        // its writer went on, and where a file system lost the last writes.
        if header == [0; 16] {
            return Err(ReadStop::damage(offset, StopReason::Zeros));
        }
        if captured > self.packet_limit {
            let reason = StopReason::PacketTooLong { length: captured, limit: self.packet_limit };
            return Err(ReadStop::damage(offset, reason));
        }
        Ok(())
    }

    /// Whether a whole record lies at the beginning of `window`, or one too damaged to wait for.
    #[inline]
    pub(super) fn begins_with_packet(&self, window: &[u8]) -> bool {
        let header = window.get(..self.packet_header_bytes).and_then(|header| header.first_chunk::<16>());
        let Some(header) = header else { return false };
        let (captured, original) = self.lengths(self.order.u32_at(header, 8), self.order.u32_at(header, 12));
        if self.is_odd(captured, original) && begins_capture(header) {
            return false;
        }
        captured > self.packet_limit || window.len() >= self.packet_header_bytes + captured as usize
    }

    /// Captured and original length.
    #[inline(always)]
    fn lengths(&self, first: u32, second: u32) -> (u32, u32) {
        match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        }
    }
}
