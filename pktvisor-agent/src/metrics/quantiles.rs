//! Quantiles of times and rates: a histogram with bounded relative error.
//!
//! Values below 256 are exact, above they are known to within 0.4 % (HDR histogram with two significant digits,
//! each bucket read at its middle). Histograms add up exactly, whatever the shards and periods.

use hdrhistogram::Histogram;
use pktvisor_common::api;

/// A distribution of unsigned values, and its running 90th percentile.
#[derive(Clone, Debug, Default)]
pub struct Quantiles {
    /// None before the first value.
    histogram: Option<Histogram<u64>>,
    slow: SlowMark,
}

/// Keeps hold of the bucket of the 90th percentile while values come in, so that asking costs nothing.
#[derive(Clone, Copy, Debug, Default)]
struct SlowMark {
    /// Lowest value of the bucket.
    bucket: u64,
    /// Values below the bucket.
    below: u64,
}

impl Quantiles {
    /// Counts one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts the same value `count` times.
    pub fn record_n(&mut self, value: u64, count: u64) {
        if count == 0 {
            return;
        }
        let Some(histogram) = allocated(&mut self.histogram) else { return };
        // Fails only where the histogram may not grow; ours may.
        if histogram.record_n(value, count).is_ok() {
            if value < self.slow.bucket {
                self.slow.below += count;
            }
            self.slow.settle(histogram);
        }
    }

    /// Number of values.
    pub fn len(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// Whether there is no value yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `value` is at or above the 90th percentile of the values so far.
    #[inline]
    pub fn is_slow(&self, value: u64) -> bool {
        value >= self.slow.bucket
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.histogram else { return };
        let Some(ours) = allocated(&mut self.histogram) else { return };
        if ours.add(theirs).is_ok() {
            self.slow = SlowMark::default();
            self.slow.settle(ours);
        }
    }

    /// The four quantiles the API reports, or `None` where there is no value.
    pub fn report(&self) -> Option<api::Quantiles> {
        let histogram = self.histogram.as_ref().filter(|h| !h.is_empty())?;
        let ranks = [50, 90, 95, 99].map(|percent| rank(histogram.len(), percent));
        let mut found = Vec::with_capacity(ranks.len());
        let mut seen = 0;
        for step in histogram.iter_recorded() {
            seen += step.count_at_value();
            while found.len() < ranks.len() && ranks[found.len()] <= seen {
                found.push(histogram.median_equivalent(step.value_iterated_to()));
            }
        }
        let &[p50, p90, p95, p99] = found.as_slice() else { return None };
        Some(api::Quantiles { p50, p90, p95, p99 })
    }
}

/// The histogram, made when first needed: two significant digits are 256 buckets of one unit, then 128 to each power
/// of two.
fn allocated(histogram: &mut Option<Histogram<u64>>) -> Option<&mut Histogram<u64>> {
    if histogram.is_none() {
        *histogram = Histogram::new(2).ok();
    }
    histogram.as_mut()
}

/// floor(p n) + 1, capped at n; counted from 1.
fn rank(n: u64, percent: u64) -> u64 {
    let below = u128::from(n) * u128::from(percent) / 100;
    (below as u64 + 1).min(n)
}

impl SlowMark {
    /// Moves to the bucket that holds the rank wanted now. Neighbouring values settle in a step or two.
    fn settle(&mut self, histogram: &Histogram<u64>) {
        let rank = rank(histogram.len(), 90);
        while self.below >= rank {
            let Some(previous) = self.bucket.checked_sub(1) else { return };
            self.bucket = histogram.lowest_equivalent(previous);
            self.below -= histogram.count_at(self.bucket);
        }
        loop {
            let here = histogram.count_at(self.bucket);
            if self.below + here >= rank {
                return;
            }
            self.below += here;
            self.bucket = histogram.next_non_equivalent(self.bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Quantiles {
        let mut quantiles = Quantiles::default();
        for value in values {
            quantiles.record(value);
        }
        quantiles
    }

    fn exact(sorted: &[u64], percent: usize) -> u64 {
        sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
    }

    #[test]
    fn nothing_has_no_quantiles() {
        assert_eq!(Quantiles::default().report(), None);
    }

    #[test]
    fn small_values_are_exact() {
        let mut values: Vec<u64> = (0..210).map(|n| n * 7919 % 256).collect();
        let report = of(values.iter().copied()).report().unwrap();
        values.sort_unstable();
        assert_eq!(
            [report.p50, report.p90, report.p95, report.p99],
            [50, 90, 95, 99].map(|percent| exact(&values, percent))
        );
    }

    #[test]
    fn large_values_are_within_one_percent() {
        let mut values: Vec<u64> = (1..5_000u64).map(|n| n * n * n).collect();
        let report = of(values.iter().copied()).report().unwrap();
        values.sort_unstable();
        for (found, percent) in [(report.p50, 50), (report.p90, 90), (report.p95, 95), (report.p99, 99)] {
            let exact = exact(&values, percent) as f64;
            assert!((found as f64 / exact - 1.0).abs() < 0.01, "p{percent}: {found} for {exact}");
        }
    }

    #[test]
    fn one_value_is_every_quantile() {
        let report = of([7]).report().unwrap();
        assert_eq!([report.p50, report.p90, report.p95, report.p99], [7; 4]);
    }

    #[test]
    fn the_largest_value_does_not_overflow() {
        let report = of([u64::MAX]).report().unwrap();
        assert!(report.p50 > u64::MAX / 100 * 99);
    }

    #[test]
    fn merging_equals_recording_together() {
        let (first, second): (Vec<u64>, Vec<u64>) = ((0..900).map(|n| n * n).collect(), (0..300).collect());
        let mut merged = of(first.iter().copied());
        merged.merge(&of(second.iter().copied()));
        assert_eq!(merged.report(), of(first.into_iter().chain(second)).report());
    }

    #[test]
    fn the_running_percentile_follows_the_values() {
        let mut state = 1u64;
        let mut quantiles = Quantiles::default();
        let mut values = Vec::new();
        for _ in 0..2_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let value = (state >> 33) % 250;
            quantiles.record(value);
            values.push(value);
            values.sort_unstable();
            assert_eq!(quantiles.slow.bucket, exact(&values, 90));
        }
    }
}
