//! Rows of numbers that few entries of a table have, or that many of them share.

/// The number of a row, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowNumber(u32);

impl RowNumber {
    /// No row, which counts as one of zeros.
    pub(super) const NONE: Self = Self(0);

    fn place(self) -> usize {
        (self.0 as usize).wrapping_sub(1)
    }
}

/// Rows of as many numbers as the table has lists.
#[derive(Clone, Debug)]
pub(super) struct Rows<const W: usize>(Vec<[u64; W]>);

impl<const W: usize> Default for Rows<W> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const W: usize> Rows<W> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, row: RowNumber) -> [u64; W] {
        self.0.get(row.place()).copied().unwrap_or([0; W])
    }

    pub(super) fn get_mut(&mut self, row: RowNumber) -> Option<&mut [u64; W]> {
        self.0.get_mut(row.place())
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [u64; W]> {
        self.0.iter_mut()
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: [u64; W]) -> RowNumber {
        self.0.push(row);
        RowNumber(self.0.len() as u32)
    }

    /// A row with these numbers that others may have too.
    pub(super) fn shared(&mut self, row: [u64; W]) -> RowNumber {
        if row == [0; W] {
            RowNumber::NONE
        } else if self.0.last() == Some(&row) {
            RowNumber(self.0.len() as u32)
        } else {
            self.push(row)
        }
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }
}

/// Sums that stay at the largest number.
#[inline]
pub(super) fn added<const W: usize>(mut sums: [u64; W], weights: [u64; W]) -> [u64; W] {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = sum.saturating_add(weight);
    }
    sums
}
