//! How many packets a buffer of the kernel is on the wire.
//!
//! With segmentation offload (TSO, GRO) the kernel handles many packets of a flow as one buffer
//! with one header. What is counted is what passes the wire.

/// The packets that offload merged into one buffer: all of the same length but the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Wire {
    /// At least 1.
    pub packets: u32,
    /// Bytes of all of them.
    pub bytes: u32,
    /// Bytes of each of them except the last.
    pub segment_len: u32,
    /// Keeps the size a multiple of 8 without hidden bytes.
    pub reserved: u32,
}

impl Wire {
    /// One packet.
    #[inline(always)]
    pub const fn single(bytes: u32) -> Self {
        Self { packets: 1, bytes, segment_len: bytes, reserved: 0 }
    }

    /// A buffer of `len` bytes that begins with `header_len` bytes of headers; every segment has a
    /// copy of them and, except for the last, `payload_len` bytes of payload. `packets` is 0 where
    /// nobody has reckoned yet.
    #[inline(always)]
    pub fn segmented(len: u32, header_len: u32, payload_len: u32, packets: u32) -> Self {
        let payload = len.saturating_sub(header_len);
        let packets = match packets {
            0 if payload_len == 0 => 1,
            0 => payload.div_ceil(payload_len),
            known => known,
        };
        if packets <= 1 {
            return Self::single(len);
        }
        Self {
            packets,
            bytes: len.saturating_add(header_len.saturating_mul(packets - 1)),
            segment_len: header_len.saturating_add(payload_len),
            reserved: 0,
        }
    }

    /// Each packet has `bytes` more: a tag that is not in the buffer.
    #[inline(always)]
    pub fn add_to_each(&mut self, bytes: u32) {
        self.bytes = self.bytes.saturating_add(bytes.saturating_mul(self.packets));
        self.segment_len = self.segment_len.saturating_add(bytes);
    }

    /// Each packet has `bytes` less: what the buffer has before the link layer.
    #[inline(always)]
    pub fn take_from_each(&mut self, bytes: u32) {
        self.bytes = self.bytes.saturating_sub(bytes.saturating_mul(self.packets));
        self.segment_len = self.segment_len.saturating_sub(bytes);
    }

    /// Bytes of the last packet.
    #[inline(always)]
    pub fn last_len(&self) -> u32 {
        match self.packets {
            0 | 1 => self.bytes,
            packets => self.bytes.saturating_sub(self.segment_len.saturating_mul(packets - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_has_its_own_headers() {
        // 66 bytes of headers, 1448 + 1448 + 104 of payload.
        let wire = Wire::segmented(66 + 3000, 66, 1448, 3);
        assert_eq!(wire, Wire { packets: 3, bytes: 3 * 66 + 3000, segment_len: 1514, reserved: 0 });
        assert_eq!(wire.last_len(), 66 + 104);
        assert_eq!(Wire::segmented(66 + 3000, 66, 1448, 0), wire);
    }

    #[test]
    fn a_buffer_without_segments_is_one_packet() {
        assert_eq!(Wire::segmented(1514, 66, 0, 0), Wire::single(1514));
        assert_eq!(Wire::segmented(1514, 66, 1448, 0), Wire::single(1514));
        assert_eq!(Wire::segmented(60, 66, 1448, 0), Wire::single(60));
        assert_eq!(Wire::single(60).last_len(), 60);
    }

    #[test]
    fn a_stripped_tag_was_in_every_segment() {
        let mut wire = Wire::segmented(66 + 3000, 66, 1448, 3);
        wire.add_to_each(4);
        assert_eq!((wire.bytes, wire.segment_len, wire.last_len()), (3 * 70 + 3000, 1518, 70 + 104));
        wire.take_from_each(14);
        assert_eq!((wire.bytes, wire.segment_len, wire.last_len()), (3 * 56 + 3000, 1504, 56 + 104));
    }
}
