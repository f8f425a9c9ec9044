//! Times, and which of them are slow: those at or above the 90th percentile of all times so far.

use crate::distribution::Distribution;

/// A distribution of times that keeps its 90th percentile up to date, so that reading it costs
/// nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    values: Distribution,
    count: u64,
    bucket: PercentileBucket,
}

/// The running 90th percentile is meaningful only above this number of values.
const VALUES_MIN: u64 = 10;

/// The bucket of the 90th percentile.
#[derive(Clone, Copy, Debug, Default)]
struct PercentileBucket {
    /// Lowest value of the bucket.
    low: u64,
    /// Lowest value above it.
    end: u64,
    /// Number of values below the bucket.
    below: u64,
    /// Number of values in the bucket.
    within: u64,
}

impl Times {
    /// Counts one value, and returns whether it is slow.
    #[inline]
    pub(super) fn record(&mut self, value: u64) -> bool {
        self.values.record(value);
        self.count += 1;
        if value < self.bucket.low {
            self.bucket.below += 1;
        } else if value < self.bucket.end {
            self.bucket.within += 1;
        }
        if !self.bucket.holds(rank(self.count)) {
            self.bucket.settle(&self.values, self.count);
        }
        self.count > VALUES_MIN && value >= self.bucket.low
    }

    /// All values.
    pub(super) fn values(&self) -> &Distribution {
        &self.values
    }

    /// Adds all values of `other`.
    pub(super) fn merge(&mut self, other: &Self) {
        self.values.merge(&other.values);
        self.settle();
    }

    /// Takes away all values of `earlier`, an older copy.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.values.subtract(&earlier.values);
        self.settle();
    }

    fn settle(&mut self) {
        self.count = self.values.count();
        self.bucket = PercentileBucket::default();
        if self.count > 0 {
            self.bucket.settle(&self.values, self.count);
        }
    }
}

/// The rank of the 90th percentile: floor(0.9 n) + 1, capped at n; counted from 1.
#[inline]
fn rank(n: u64) -> u64 {
    (n - n.div_ceil(10) + 1).min(n)
}

impl PercentileBucket {
    /// Whether the value of this rank lies in the bucket.
    #[inline]
    fn holds(&self, rank: u64) -> bool {
        self.below < rank && rank <= self.below + self.within
    }

    /// Moves to the bucket of the current rank. Similar values need one or two steps.
    #[cold]
    fn settle(&mut self, values: &Distribution, count: u64) {
        let rank = rank(count);
        self.low = values.bucket_of(self.low).low;
        while self.below >= rank {
            let Some(previous) = self.low.checked_sub(1) else { break };
            let bucket = values.bucket_of(previous);
            self.low = bucket.low;
            self.below -= bucket.count;
        }
        loop {
            let bucket = values.bucket_of(self.low);
            (self.within, self.end) = (bucket.count, bucket.end);
            // The last bucket holds all ranks that are left.
            if self.below + self.within >= rank || self.end == u64::MAX {
                return;
            }
            self.below += self.within;
            self.low = self.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudorandom numbers.
    fn numbers() -> impl Iterator<Item = u64> {
        std::iter::successors(Some(1u64), |state| {
            Some(state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407))
        })
        .map(|state| state >> 33)
    }

    #[test]
    fn the_running_percentile_follows_the_values() {
        let mut times = Times::default();
        let mut sorted = Vec::new();
        for value in numbers().map(|number| number % 250).take(2_000) {
            let is_slow = times.record(value);
            sorted.push(value);
            sorted.sort_unstable();
            let percentile = sorted[(sorted.len() * 90 / 100).min(sorted.len() - 1)];
            assert_eq!(times.bucket.low, percentile);
            assert_eq!(is_slow, sorted.len() > 10 && value >= percentile);
        }
    }

    #[test]
    fn the_bucket_of_the_percentile_depends_on_the_values_alone() {
        // Wide buckets, and a stream whose level rises and falls.
        let values: Vec<u64> =
            numbers().take(3_000).enumerate().map(|(i, n)| (n % 7_919) << (i / 500 % 3 * 6)).collect();
        let mut times = Times::default();
        for (i, &value) in values.iter().enumerate() {
            times.record(value);
            if i % 97 == 0 {
                let mut merged = Times::default();
                merged.merge(&times);
                assert_eq!(format!("{:?}", merged.bucket), format!("{:?}", times.bucket), "after {i}");
            }
        }
    }
}
