//! The sum of base-2 exponential histograms, and their quantiles.
//!
//! Histograms of one scale add up exactly. Those of different scales add up at the smallest of them,
//! at which two buckets of the next larger scale are one.

use std::collections::BTreeMap;

use pktvisor_api::{ExponentialBucket, ExponentialHistogram, Quantiles};

use crate::document::BUCKETS_MAX;

/// An agent takes each value as the middle of a bucket that is at most a 128th of it wide.
const ERROR_OF_AGENT: f64 = 1.0 / 256.0;

/// The sum of several histograms.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistogramSum {
    /// The smallest scale of all; `None` before the first histogram.
    scale: Option<i8>,
    zero: u64,
    sum: f64,
    buckets: BTreeMap<i32, u64>,
}

impl HistogramSum {
    /// Adds a histogram of which the scale is known to be valid.
    pub(crate) fn add(&mut self, histogram: &ExponentialHistogram) {
        let scale = self.scale.unwrap_or(histogram.scale).min(histogram.scale);
        self.scale_down(scale);
        let shift = shift(histogram.scale, scale);
        for bucket in &histogram.buckets {
            add_to(&mut self.buckets, bucket.index >> shift, bucket.count);
        }
        self.zero = self.zero.saturating_add(histogram.zero);
        self.sum += histogram.sum;
        while self.buckets.len() > BUCKETS_MAX {
            self.scale_down(self.scale.unwrap_or(scale).saturating_sub(1));
        }
    }

    fn scale_down(&mut self, scale: i8) {
        let shift = shift(self.scale.unwrap_or(scale), scale);
        self.scale = Some(scale);
        if shift > 0 {
            for (index, count) in std::mem::take(&mut self.buckets) {
                add_to(&mut self.buckets, index >> shift, count);
            }
        }
    }

    /// The sum as a histogram. Its count is the sum of its buckets; the counts that agents state are not used.
    pub(crate) fn histogram(self) -> ExponentialHistogram {
        let buckets = self.buckets.into_iter().map(|(index, count)| ExponentialBucket { index, count });
        let buckets: Vec<_> = buckets.filter(|bucket| bucket.count > 0).collect();
        let count = buckets.iter().fold(self.zero, |sum, bucket| sum.saturating_add(bucket.count));
        ExponentialHistogram {
            scale: self.scale.unwrap_or_default(),
            zero: self.zero,
            count,
            sum: self.sum,
            buckets,
        }
    }
}

fn add_to(buckets: &mut BTreeMap<i32, u64>, index: i32, count: u64) {
    let sum = buckets.entry(index).or_default();
    *sum = sum.saturating_add(count);
}

/// By how many bits an index shrinks on the way to a smaller scale.
fn shift(from: i8, to: i8) -> u32 {
    u32::try_from(i32::from(from) - i32::from(to)).unwrap_or(0).min(31)
}

/// The four quantiles of a merged histogram; `None` if it has no value.
pub fn quantiles(histogram: &ExponentialHistogram) -> Option<Quantiles> {
    let [p50, p90, p95, p99] = [50, 90, 95, 99].map(|percent| quantile(histogram, percent));
    Some(Quantiles { p50: p50?, p90: p90?, p95: p95?, p99: p99? })
}

/// The value of rank floor(p n) + 1 of n sorted values, capped at n: the middle of its bucket. `None`
/// if there is no value.
pub fn quantile(histogram: &ExponentialHistogram, percent: u8) -> Option<u64> {
    let count = histogram.count;
    let below = u128::from(count) * u128::from(percent.min(100)) / 100;
    let rank = u64::try_from(below).ok()?.saturating_add(1).min(count);
    if count == 0 || rank <= histogram.zero {
        return (count > 0).then_some(0);
    }
    let mut seen = histogram.zero;
    let bucket = histogram.buckets.iter().find(|bucket| {
        seen = seen.saturating_add(bucket.count);
        seen >= rank
    })?;
    let middle = (f64::from(bucket.index) + 0.5) / f64::from(histogram.scale).exp2();
    // Larger values than an integer can hold become the largest one.
    Some(middle.exp2().round() as u64)
}

/// By how much a quantile of this histogram may differ from that of the exact values, as a share of it.
/// Values below 256 are exact at scale 8.
pub fn relative_error(histogram: &ExponentialHistogram) -> f64 {
    let half_a_bucket = (0.5 / f64::from(histogram.scale).exp2()).exp2() - 1.0;
    half_a_bucket + ERROR_OF_AGENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scale: i8, buckets: &[(i32, u64)]) -> ExponentialHistogram {
        let buckets: Vec<_> =
            buckets.iter().map(|&(index, count)| ExponentialBucket { index, count }).collect();
        let count = buckets.iter().map(|bucket| bucket.count).sum();
        ExponentialHistogram { scale, count, buckets, ..Default::default() }
    }

    fn sum(histograms: &[ExponentialHistogram]) -> ExponentialHistogram {
        let mut sum = HistogramSum::default();
        histograms.iter().for_each(|histogram| sum.add(histogram));
        sum.histogram()
    }

    #[test]
    fn histograms_of_one_scale_add_up_bucket_by_bucket() {
        let both = sum(&[of(8, &[(1, 2), (5, 1)]), of(8, &[(5, 4), (9, 1)])]);
        assert_eq!(both, of(8, &[(1, 2), (5, 5), (9, 1)]));
    }

    #[test]
    fn the_smaller_scale_decides_in_either_order() {
        // Two steps of scale: four buckets become one, below zero as well.
        let (fine, coarse) = (of(5, &[(-5, 1), (-4, 1), (3, 1), (4, 1)]), of(3, &[(0, 10)]));
        let expected = of(3, &[(-2, 1), (-1, 1), (0, 11), (1, 1)]);
        assert_eq!(sum(&[fine.clone(), coarse.clone()]), expected);
        assert_eq!(sum(&[coarse, fine]), expected);
    }

    #[test]
    fn quantiles_are_middles_of_buckets_by_rank() {
        // At scale 0 the bucket 3 holds the values above 8 up to 16.
        let mut histogram = of(0, &[(3, 90), (9, 10)]);
        assert_eq!(quantiles(&histogram).map(|q| [q.p50, q.p90, q.p99]), Some([11, 724, 724]));
        histogram.zero = 900;
        histogram.count = 1000;
        assert_eq!(quantiles(&histogram).map(|q| [q.p50, q.p90, q.p99]), Some([0, 11, 724]));
        assert_eq!(quantiles(&of(0, &[])), None);
        assert!(quantile(&of(8, &[(16_383, 1)]), 50) > Some(u64::MAX / 1000 * 998));
    }

    #[test]
    fn hostile_buckets_neither_panic_nor_take_memory() {
        let odd = [(i32::MIN, u64::MAX), (i32::MAX, u64::MAX), (0, 1)];
        let mut histograms = vec![of(20, &[(0, 0)]), of(-10, &[(0, 1)])];
        histograms[0].buckets =
            odd.iter().map(|&(index, count)| ExponentialBucket { index, count }).collect();
        histograms[0].count = 7;
        let merged = sum(&histograms);
        assert_eq!(merged.count, u64::MAX);
        assert!(quantiles(&merged).is_some());
        assert_eq!(quantile(&histograms[0], 99), Some(0));
        let many: Vec<_> =
            (0..4).map(|part| of(20, &(0..20_000).map(|n| (n * 4 + part, 1)).collect::<Vec<_>>())).collect();
        let merged = sum(&many);
        assert!(merged.buckets.len() <= BUCKETS_MAX);
        assert_eq!(merged.count, 80_000);
    }
}
