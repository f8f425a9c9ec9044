//! Quantiles of times, sizes and rates: counts by bucket in a plain array, so that counting takes a
//! few instructions.
//!
//! The buckets are those of an HDR histogram with two significant digits: values below 256 are
//! exact; larger values are exact to within 0.4 %, and each bucket is read at its middle.
//! Distributions of threads and periods add up exactly. The array is as long as the largest bucket
//! seen: 10 KiB up to 65,535, 28 KiB up to 2^33.
//!
//! Every message and transaction counts in several of them. hdrhistogram 7.6 takes 64 instructions a
//! value, this 14; tests compare the two.

use pktvisor_api as api;

use crate::exponential::exponential_histogram;

/// Values below this have a bucket each.
const EXACT: u64 = 256;
/// Buckets of each power of two from there on.
const STEPS: usize = 128;

/// A distribution of unsigned values.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    counts: Vec<u64>,
}

impl Distribution {
    /// Counts one value.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts the same value `count` times.
    #[inline]
    pub(crate) fn record_n(&mut self, value: u64, count: u64) {
        let bucket = bucket(value);
        if bucket >= self.counts.len() {
            if count == 0 {
                return;
            }
            self.lengthen(bucket + 1);
        }
        self.counts[bucket] += count;
    }

    #[cold]
    fn lengthen(&mut self, needed: usize) {
        let len = needed.next_multiple_of(STEPS);
        self.counts.reserve_exact(len - self.counts.len());
        self.counts.resize(len, 0);
    }

    /// Adds all values of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.lengthen(other.counts.len());
        }
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*other);
        }
    }

    /// Takes away the values of `earlier`, an older copy of this distribution.
    pub(crate) fn subtract(&mut self, earlier: &Self) {
        for (count, earlier) in self.counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*earlier);
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The buckets that are not empty, by rising value: their numbers and counts.
    fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0)
    }

    /// The middle of each bucket that is not empty, by rising value, and how many values it has.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        self.filled().map(|(bucket, count)| (middle(bucket), count))
    }

    /// The bucket of a value.
    #[inline]
    pub(super) fn bucket_of(&self, value: u64) -> DistributionBucket {
        let bucket = bucket(value);
        DistributionBucket {
            low: low(bucket),
            end: low(bucket + 1),
            count: self.counts.get(bucket).copied().unwrap_or(0),
        }
    }

    /// How many values are at most each of `bounds`, which rise. Exact where a bound is one less than a power of two, since a
    /// bucket ends there; elsewhere the bucket of the bound counts as a whole.
    pub fn at_most<const N: usize>(&self, bounds: [u64; N]) -> [u64; N] {
        let last = bounds.map(bucket);
        let mut counts = [0; N];
        for (bucket, count) in self.filled() {
            let first = last.partition_point(|&last| last < bucket);
            counts[first..].iter_mut().for_each(|sum| *sum += count);
        }
        counts
    }

    /// The sum of all values, each taken as the middle of its bucket.
    pub fn sum(&self) -> u64 {
        self.buckets().fold(0, |sum: u64, (value, count)| sum.saturating_add(value.saturating_mul(count)))
    }

    /// The values by the buckets of a base-2 exponential histogram, each value as the middle of its
    /// bucket here. They differ by less than 0.7 % from the values recorded.
    pub fn exponential_histogram(&self) -> api::ExponentialHistogram {
        exponential_histogram(self.buckets())
    }

    /// The four quantiles that the API reports, or `None` if there is no value.
    pub(crate) fn report(&self) -> Option<api::Quantiles> {
        let [p50, p90, p95, p99] = quantiles([50, 90, 95, 99], || self.filled())?;
        Some(api::Quantiles { p50, p90, p95, p99 })
    }

    /// The median and the 95th percentile of the values since `earlier`, an older copy of this
    /// distribution; `None` if there is no value since.
    pub(super) fn middle_and_high_since(&self, earlier: &Self) -> Option<[u64; 2]> {
        let before = |bucket: usize| earlier.counts.get(bucket).copied().unwrap_or(0);
        quantiles([50, 95], || {
            self.filled().map(|(bucket, count)| (bucket, count.saturating_sub(before(bucket))))
        })
    }
}

/// A bucket of a [`Distribution`].
#[derive(Clone, Copy, Debug)]
pub(super) struct DistributionBucket {
    /// Its lowest value.
    pub(super) low: u64,
    /// The lowest value above it; the largest value if there is none.
    pub(super) end: u64,
    /// Number of values in it.
    pub(super) count: u64,
}

/// The middles of the buckets with the values of these percentiles; `None` without a value.
fn quantiles<const N: usize, I: Iterator<Item = (usize, u64)>>(
    percents: [u64; N],
    buckets: impl Fn() -> I,
) -> Option<[u64; N]> {
    let count: u64 = buckets().map(|(_, count)| count).sum();
    let ranks = percents.map(|percent| rank(count, percent));
    let mut found = [None; N];
    let mut seen = 0;
    for (bucket, count) in buckets().filter(|(_, count)| *count > 0) {
        seen += count;
        for (value, rank) in found.iter_mut().zip(ranks) {
            if value.is_none() && rank <= seen {
                *value = Some(middle(bucket));
            }
        }
    }
    match found.iter().all(Option::is_some) {
        true => Some(found.map(|value| value.unwrap_or(0))),
        false => None,
    }
}

/// floor(p n) + 1, capped at n; counted from 1.
fn rank(n: u64, percent: u64) -> u64 {
    let below = u128::from(n) * u128::from(percent) / 100;
    (below as u64 + 1).min(n)
}

#[inline]
fn bucket(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    // The highest 8 bits tell the bucket.
    let shift = 56 - value.leading_zeros();
    (shift as usize - 1) * STEPS + STEPS + (value >> shift) as usize
}

/// The exponent of a bucket's width.
#[inline]
fn shift(bucket: usize) -> u32 {
    bucket.checked_sub(EXACT as usize).map_or(0, |above| (above / STEPS + 1) as u32)
}

/// The lowest value of a bucket; the largest value for a bucket behind the last.
#[inline]
fn low(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(EXACT as usize) else { return bucket as u64 };
    let shift = shift(bucket);
    if shift > 56 { u64::MAX } else { ((above % STEPS + STEPS) as u64) << shift }
}

/// The middle of a bucket.
fn middle(bucket: usize) -> u64 {
    low(bucket) + (1 << shift(bucket) >> 1)
}

#[cfg(test)]
mod tests;
