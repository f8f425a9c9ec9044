//! Quantiles of times and rates: a histogram with bounded relative error.
//!
//! Values below 256 are exact; larger values are exact to within 0.4 % (HDR histogram with two
//! significant digits; each bucket is read at its middle). Histograms of threads and periods add up
//! exactly.

use hdrhistogram::Histogram;
use pktvisor_api as api;

/// A distribution of unsigned values.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// `None` before the first value.
    histogram: Option<Histogram<u64>>,
}

impl Distribution {
    /// Counts one value.
    #[inline]
    pub(crate) fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts the same value `count` times.
    pub(crate) fn record_n(&mut self, value: u64, count: u64) {
        if count == 0 {
            return;
        }
        let Some(histogram) = allocated(&mut self.histogram) else { return };
        // Fails only if the histogram may not grow; this one may.
        let _ = histogram.record_n(value, count);
    }

    /// The values by buckets; `None` before the first value.
    pub(super) fn histogram(&self) -> Option<&Histogram<u64>> {
        self.histogram.as_ref()
    }

    /// Adds all values of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        let Some(theirs) = &other.histogram else { return };
        let Some(ours) = allocated(&mut self.histogram) else { return };
        // As above.
        let _ = ours.add(theirs);
    }

    /// Takes away the values of `earlier`, an older copy of this distribution.
    pub(crate) fn subtract(&mut self, earlier: &Self) {
        let (Some(ours), Some(theirs)) = (&mut self.histogram, &earlier.histogram) else { return };
        // Fails only for values that this one never had.
        let _ = ours.subtract(theirs);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.histogram.as_ref().map_or(0, Histogram::len)
    }

    /// How many values are at most each of `bounds`, which rise. Exact where a bound is one less than a power of two, since a
    /// bucket ends there; elsewhere the bucket of the bound counts as a whole.
    pub fn at_most<const N: usize>(&self, bounds: [u64; N]) -> [u64; N] {
        let mut counts = [0; N];
        for step in self.histogram.iter().flat_map(Histogram::iter_recorded) {
            let first = bounds.partition_point(|&bound| bound < step.value_iterated_to());
            counts[first..].iter_mut().for_each(|count| *count += step.count_at_value());
        }
        counts
    }

    /// The middle of each bucket that is not empty, by rising value, and how many values it has.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.histogram.iter().flat_map(|histogram| {
            let of_step = |value, count| (histogram.median_equivalent(value), count);
            let steps = histogram.iter_recorded();
            steps.map(move |step| of_step(step.value_iterated_to(), step.count_at_value()))
        })
    }

    /// The sum of all values, each taken as the middle of its bucket.
    pub fn sum(&self) -> u64 {
        let Some(histogram) = &self.histogram else { return 0 };
        let of_step = |value, count| histogram.median_equivalent(value).saturating_mul(count);
        let steps = histogram.iter_recorded();
        steps
            .fold(0, |sum, step| sum.saturating_add(of_step(step.value_iterated_to(), step.count_at_value())))
    }

    /// The four quantiles that the API reports, or `None` if there is no value.
    pub(crate) fn report(&self) -> Option<api::Quantiles> {
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

    /// The median and the 95th percentile of the values since `earlier`, an older copy of this
    /// distribution; `None` if there is no value since.
    pub(super) fn middle_and_high_since(&self, earlier: &Self) -> Option<[u64; 2]> {
        let now = self.histogram.as_ref()?;
        let before = earlier.histogram.as_ref();
        let count = now.len().saturating_sub(earlier.count());
        let [middle, high] = [50, 95].map(|percent| rank(count, percent));
        let mut p50 = None;
        let mut seen = 0;
        for step in now.iter_recorded() {
            let value = step.value_iterated_to();
            // Above its maximum, `count_at` may return the count of the last bucket instead.
            let earlier = before.filter(|before| value <= before.max()).map_or(0, |it| it.count_at(value));
            let since = step.count_at_value().saturating_sub(earlier);
            if since == 0 {
                continue;
            }
            seen += since;
            if seen >= middle {
                p50.get_or_insert(now.median_equivalent(value));
            }
            if seen >= high {
                return Some([p50?, now.median_equivalent(value)]);
            }
        }
        None
    }
}

/// The histogram, made when first needed: two significant digits are 256 buckets of one unit, then
/// 128 to each power of two.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut quantiles = Distribution::default();
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
        assert_eq!(Distribution::default().report(), None);
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
    fn values_up_to_a_bound_before_a_power_of_two_are_counted_exactly() {
        let values: Vec<u64> = (0..40_000u64).map(|n| n * 37 % 20_011).collect();
        let bounds = [63, 255, 1023, 4095, 16_383, 1 << 40];
        let exact = bounds.map(|bound| values.iter().filter(|value| **value <= bound).count() as u64);
        assert_eq!(of(values).at_most(bounds), exact);
        assert_eq!(Distribution::default().at_most(bounds), [0; 6]);
    }

    #[test]
    fn the_sum_is_within_half_a_percent() {
        let values: Vec<u64> = (1..3_000u64).map(|n| n * n).collect();
        let exact: u64 = values.iter().sum();
        let found = of(values).sum() as f64 / exact as f64;
        assert!((found - 1.0).abs() < 0.005, "{found}");
    }

    #[test]
    fn quantiles_since_a_copy_are_those_of_the_values_since() {
        let (first, second): (Vec<u64>, Vec<u64>) =
            ((0..900).map(|n| n * 3).collect(), (0..700).map(|n| n * n).collect());
        for (before, since) in [(&first, &second), (&second, &first), (&first, &first), (&vec![], &second)] {
            let earlier = of(before.iter().copied());
            let mut now = earlier.clone();
            since.iter().for_each(|value| now.record(*value));
            let alone = of(since.iter().copied()).report().unwrap();
            assert_eq!(now.middle_and_high_since(&earlier), Some([alone.p50, alone.p95]));
            assert_eq!(now.middle_and_high_since(&now), None);
        }
        assert_eq!(Distribution::default().middle_and_high_since(&Distribution::default()), None);
    }

    #[test]
    fn what_is_left_without_a_copy_is_what_was_recorded_since() {
        let mut now = of((0..900).map(|n| n * n));
        let earlier = now.clone();
        (0..300).for_each(|value| now.record(value * 7));
        now.subtract(&earlier);
        assert_eq!(now.report(), of((0..300).map(|value| value * 7)).report());
        now.subtract(&now.clone());
        assert_eq!((now.report(), now.count()), (None, 0));
    }

    #[test]
    fn merging_equals_recording_together() {
        let (first, second): (Vec<u64>, Vec<u64>) = ((0..900).map(|n| n * n).collect(), (0..300).collect());
        let mut merged = of(first.iter().copied());
        merged.merge(&of(second.iter().copied()));
        assert_eq!(merged.report(), of(first.into_iter().chain(second)).report());
    }
}
