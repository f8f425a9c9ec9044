//! Bounds-checked access to the bytes of one packet: all that the classifier knows of its host.

/// The captured bytes of one packet. Implemented for slices here, and by the BPF programs over
/// `data`/`data_end`.
pub trait PacketReader {
    /// The `N` bytes at `offset`, or `None` where the packet (as captured) ends before them.
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// Captured length in bytes.
    fn captured_len(&self) -> usize;
}

impl PacketReader for [u8] {
    #[inline(always)]
    fn read<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let end = offset.checked_add(N)?;
        self.get(offset..end)?.try_into().ok()
    }

    #[inline(always)]
    fn captured_len(&self) -> usize {
        self.len()
    }
}
