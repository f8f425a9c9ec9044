//! A count of distinct items in a few bytes: HyperLogLog with linear counting (Flajolet et al.,
//! 2007).

/// `N` registers, a power of two of at least 16.
#[derive(Clone, Copy, Debug)]
pub(super) struct Distinct<const N: usize>([u8; N]);

impl<const N: usize> Default for Distinct<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Distinct<N> {
    /// Relative standard error of the estimate.
    pub(super) const fn error() -> f64 {
        if N >= 64 { 0.13 } else { 0.26 }
    }

    /// Counts the item with this keyed hash.
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        let value = hash.leading_zeros() as u8 + 1;
        let register = &mut self.0[hash as usize & (N - 1)];
        *register = value.max(*register);
    }

    /// Adds the items of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours = (*ours).max(*theirs);
        }
    }

    /// The estimated number of distinct items.
    pub(super) fn estimate(&self) -> f64 {
        let registers = N as f64;
        let sum: f64 = self.0.iter().map(|&value| half_to_the(value)).sum();
        let alpha = if N >= 64 { 0.709 } else { 0.673 };
        let raw = alpha * registers * registers / sum;
        let empty = self.0.iter().filter(|&&value| value == 0).count();
        if empty > 0 && raw <= 2.5 * registers {
            return registers * (registers / empty as f64).ln();
        }
        raw
    }
}

/// 2 to the power of minus `value`, which is at most 65: only an exponent (IEEE 754).
fn half_to_the(value: u8) -> f64 {
    f64::from_bits((1023 - u64::from(value)) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pktvisor_memory::keyed_hash;

    #[test]
    fn estimates_are_within_three_errors() {
        for count in [1_u64, 3, 10, 100, 1_000, 20_000] {
            let mut distinct = Distinct::<64>::default();
            for n in (0..count).chain(0..count) {
                distinct.add(keyed_hash::of_words([n, 0, 4]));
            }
            let error = (distinct.estimate() - count as f64).abs() / count as f64;
            assert!(error <= 4.0 * Distinct::<64>::error(), "{count}: {}", distinct.estimate());
        }
    }
}
