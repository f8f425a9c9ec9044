//! Times in few bytes: counts by half octaves.

/// The first bucket ends at 64 µs, the last begins at about 8.4 s.
const BUCKETS: usize = 36;
const FIRST_LOG2: f64 = 6.0;

/// Times by bucket. Bucket n > 0 begins at 2^(6 + (n - 1) / 2) µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct FewTimes([u16; BUCKETS]);

impl Default for FewTimes {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl FewTimes {
    /// Counts a time.
    #[inline]
    pub(super) fn add(&mut self, duration_us: u64) {
        let octave = duration_us.max(1).ilog2() as usize;
        // Above 2^(octave + 1/2): the square is at least 2^(2 octave + 1).
        let is_upper = u128::from(duration_us).pow(2) >> (2 * octave + 1) != 0;
        let half = (octave * 2 + usize::from(is_upper) + 1).saturating_sub(2 * FIRST_LOG2 as usize);
        let bucket = &mut self.0[half.min(BUCKETS - 1)];
        *bucket = bucket.saturating_add(1);
    }

    /// Adds the times of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours = ours.saturating_add(*theirs);
        }
    }

    /// Number of times.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    /// The median in µs, interpolated within its bucket; `None` without times.
    pub(super) fn median_us(&self) -> Option<f64> {
        self.at_rank(self.count() as f64 / 2.0)
    }

    /// The lower bound of the median, with 2.58 standard errors of its rank.
    pub(super) fn median_low_us(&self) -> Option<f64> {
        let count = self.count() as f64;
        self.at_rank((count / 2.0 - 1.29 * count.sqrt()).max(0.0))
    }

    fn at_rank(&self, rank: f64) -> Option<f64> {
        let mut below = 0.0;
        for (bucket, &count) in self.0.iter().enumerate() {
            let count = f64::from(count);
            if count > 0.0 && below + count >= rank {
                let start = bucket as f64 - 1.0 + (rank - below) / count;
                return Some(f64::exp2(FIRST_LOG2 + start / 2.0));
            }
            below += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_within_half_an_octave() {
        for median_us in [100_u64, 1_000, 3_320, 200_000, 5_000_000] {
            let mut times = FewTimes::default();
            for n in 0..101 {
                times.add(median_us * (50 + n) / 100);
            }
            let ratio = times.median_us().unwrap() / median_us as f64;
            assert!((0.7..1.42).contains(&ratio), "{median_us}: {ratio}");
        }
        assert_eq!(FewTimes::default().median_us(), None);
    }
}
