//! Bounds-checked access to the bytes of one packet: all that the classifier knows of its host.

/// Greatest offset that can be read at. No header of a real packet lies anywhere near; the BPF
/// verifier wants a bound, and userspace must agree with the kernel.
pub const OFFSET_MAX: usize = 0x3fff;

/// The captured bytes of one packet. Implemented for slices here, and by the BPF programs over
/// `data`/`data_end`.
pub trait PacketReader {
    /// The `N` bytes at `offset`, or `None` where the packet (as captured) ends before them or
    /// `offset` is above [`OFFSET_MAX`].
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// Captured length in bytes.
    fn captured_len(&self) -> usize;
}

impl PacketReader for [u8] {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if offset > OFFSET_MAX {
            return None;
        }
        let end = offset.checked_add(N)?;
        self.get(offset..end)?.try_into().ok()
    }

    #[inline(always)]
    fn captured_len(&self) -> usize {
        self.len()
    }
}

/// Two bytes in network byte order.
#[inline(always)]
pub(crate) const fn be16(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_the_capture_or_the_greatest_offset() {
        let packet = [7; 0x5000];
        let short = &packet[..10];
        assert_eq!(short.read(6), Some([7; 4]));
        assert_eq!(short.read::<4>(7), None);
        assert_eq!(short.read::<4>(usize::MAX), None);
        assert_eq!(packet[..].read(OFFSET_MAX), Some([7; 4]));
        assert_eq!(packet[..].read::<1>(OFFSET_MAX + 1), None);
    }
}
