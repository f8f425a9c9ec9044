//! Sizes of messages and ratios of sizes: counts by bucket in a plain array, so that counting takes
//! a few instructions.
//!
//! The buckets are those of [`Distribution`](crate::distribution::Distribution): values below 256
//! are exact, larger ones to within 0.4 %. The array is as long as the largest bucket seen; it takes
//! 10 KiB for 64 KiB.

use pktvisor_api as api;

use crate::exponential::exponential_histogram;

/// Values below this have a bucket each.
const EXACT: u32 = 256;
/// Buckets of each power of two from there on.
const STEPS: usize = 128;

/// A distribution of sizes or ratios.
#[derive(Clone, Debug, Default)]
pub(crate) struct SizeCounts {
    counts: Vec<u64>,
}

impl SizeCounts {
    /// Counts one value.
    #[inline]
    pub(crate) fn record(&mut self, value: u32) {
        let bucket = bucket(value);
        if bucket >= self.counts.len() {
            self.lengthen(bucket + 1);
        }
        self.counts[bucket] += 1;
    }

    #[cold]
    fn lengthen(&mut self, needed: usize) {
        let len = needed.next_multiple_of(STEPS);
        self.counts.reserve_exact(len - self.counts.len());
        self.counts.resize(len, 0);
    }

    /// Adds the counts of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.lengthen(other.counts.len());
        }
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*other);
        }
    }

    /// Takes away the counts of an older copy.
    pub(crate) fn subtract(&mut self, earlier: &Self) {
        for (count, earlier) in self.counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*earlier);
        }
    }

    /// The values by the buckets of a base-2 exponential histogram.
    pub(crate) fn exponential_histogram(&self) -> api::ExponentialHistogram {
        exponential_histogram(self.counts.iter().enumerate().map(|(bucket, count)| (middle(bucket), *count)))
    }

    /// The four quantiles that the API reports, or `None` if there is no value.
    pub(crate) fn report(&self) -> Option<api::Quantiles> {
        let total: u64 = self.counts.iter().sum();
        let mut quantiles = [50_u128, 90, 95, 99].map(|percent| {
            let below = u128::from(total) * percent / 100;
            (below as u64 + 1).min(total)
        });
        if total == 0 {
            return None;
        }
        let mut seen = 0;
        let mut next = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            while let Some(quantile) = quantiles.get_mut(next)
                && *quantile <= seen
            {
                *quantile = middle(bucket);
                next += 1;
            }
        }
        let [p50, p90, p95, p99] = quantiles;
        Some(api::Quantiles { p50, p90, p95, p99 })
    }
}

#[inline]
fn bucket(value: u32) -> usize {
    if value < EXACT {
        return value as usize;
    }
    // The highest 8 bits tell the bucket.
    let shift = 24 - value.leading_zeros();
    (shift as usize - 1) * STEPS + STEPS + (value >> shift) as usize
}

/// The middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(EXACT as usize) else { return bucket as u64 };
    let shift = above / STEPS + 1;
    let low = ((above % STEPS + STEPS) as u64) << shift;
    low + (1 << shift >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;

    #[test]
    fn quantiles_are_those_of_the_histogram_of_times() {
        let values: Vec<u32> =
            (0..9_000_u32).map(|n| n.wrapping_mul(2_654_435_761) >> (n % 30 + 2)).collect();
        let (mut sizes, mut distribution) = (SizeCounts::default(), Distribution::default());
        assert_eq!(sizes.report(), None);
        for (index, &value) in values.iter().enumerate() {
            sizes.record(value);
            distribution.record(u64::from(value));
            if index % 100 == 0 {
                assert_eq!(sizes.report(), distribution.report());
            }
        }
    }

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut last = 0;
        for value in 0..200_000 {
            let bucket = bucket(value);
            assert!(bucket == last || bucket == last + 1, "{value}");
            last = bucket;
            assert!(middle(bucket).abs_diff(u64::from(value)) * 250 <= u64::from(value), "{value}");
        }
        assert_eq!(bucket(u32::MAX), bucket(u32::MAX - 1));
    }

    #[test]
    fn merging_equals_counting_together() {
        let empty = SizeCounts::default;
        let (mut first, mut second, mut both) = (empty(), empty(), empty());
        for value in [1, 70, 300, 40_000] {
            first.record(value);
            both.record(value);
        }
        for value in [70, 65_535] {
            second.record(value);
            both.record(value);
        }
        first.merge(&second);
        assert_eq!(first.report(), both.report());
    }
}
