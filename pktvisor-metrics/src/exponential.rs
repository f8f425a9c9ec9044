//! Values as a base-2 exponential histogram, in the form of OpenTelemetry and Prometheus.

use pktvisor_api as api;

/// The scale of all histograms: buckets of 0.27 % width, narrower than most of ours, so that each
/// keeps a bucket of its own. Prometheus allows no larger one.
const SCALE: i8 = 8;

/// The histogram of rising values with their counts, each value the middle of one of our buckets.
pub(super) fn exponential_histogram(steps: impl Iterator<Item = (u64, u64)>) -> api::ExponentialHistogram {
    let mut histogram = api::ExponentialHistogram { scale: SCALE, ..Default::default() };
    for (value, count) in steps.filter(|(_, count)| *count > 0) {
        histogram.count = histogram.count.saturating_add(count);
        histogram.sum += value as f64 * count as f64;
        let Some(index) = index(value) else {
            histogram.zero = histogram.zero.saturating_add(count);
            continue;
        };
        match histogram.buckets.last_mut() {
            Some(last) if last.index == index => last.count = last.count.saturating_add(count),
            _ => histogram.buckets.push(api::ExponentialBucket { index, count }),
        }
    }
    histogram
}

/// The bucket of a value; `None` for 0, which has none. An upper bound belongs to its bucket, so a
/// power of two is in the bucket that ends there.
fn index(value: u64) -> Option<i32> {
    let whole = value.checked_ilog2()? as i32;
    if value.is_power_of_two() {
        return Some((whole << SCALE) - 1);
    }
    // The logarithm of a value that is no power of two is irrational, so it is never a bound.
    let steps = (value as f64).log2() * f64::from(1 << SCALE);
    Some((steps.ceil() as i32 - 1).clamp(whole << SCALE, ((whole + 1) << SCALE) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;

    fn bounds(index: i32) -> (f64, f64) {
        let base = f64::from(1 << SCALE);
        ((f64::from(index) / base).exp2(), (f64::from(index + 1) / base).exp2())
    }

    #[test]
    fn a_value_is_in_the_bucket_whose_bounds_enclose_it() {
        let values = (1..3_000).chain((1..64).flat_map(|bits| {
            let power = 1_u64 << bits;
            [power - 1, power, power + 1, power / 3 * 2 + 1]
        }));
        for value in values.filter(|value| *value > 0) {
            let (low, high) = bounds(index(value).unwrap());
            // Bounds are rounded, and so are values above 2^53.
            let value = value as f64;
            assert!(low * (1.0 - 1e-12) < value && value <= high * (1.0 + 1e-12), "{low} {value} {high}");
        }
        assert_eq!((index(1), index(2), index(0)), (Some(-1), Some(255), None));
        assert_eq!(index(u64::MAX), Some((64 << SCALE) - 1));
    }

    #[test]
    fn a_histogram_has_all_values_and_its_buckets_rise() {
        let mut values = Distribution::default();
        (0..40_000_u64).for_each(|n| values.record(n * n % 1_000_003));
        values.record_n(0, 5);
        let histogram = values.exponential_histogram();
        let counted: u64 = histogram.buckets.iter().map(|bucket| bucket.count).sum();
        assert_eq!((histogram.count, histogram.zero), (40_005, 6));
        assert_eq!(counted + histogram.zero, histogram.count);
        assert!(histogram.buckets.is_sorted_by(|a, b| a.index < b.index));
        assert!((histogram.sum / values.sum() as f64 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn small_values_have_a_bucket_each() {
        let mut values = Distribution::default();
        (1..=255).for_each(|value| values.record(value));
        assert!(values.exponential_histogram().buckets.iter().all(|bucket| bucket.count == 1));
        assert_eq!(values.exponential_histogram().buckets.len(), 255);
    }

    #[test]
    fn quantiles_of_the_buckets_are_those_of_the_distribution() {
        let mut values = Distribution::default();
        (1..30_000_u64).for_each(|n| values.record(n * n / 7));
        let histogram = values.exponential_histogram();
        let report = values.report().unwrap();
        let mut seen = histogram.zero;
        let rank = histogram.count * 99 / 100 + 1;
        let bucket = histogram.buckets.iter().find(|bucket| {
            seen += bucket.count;
            seen >= rank
        });
        let (low, high) = bounds(bucket.unwrap().index);
        assert!(low < report.p99 as f64 && report.p99 as f64 <= high);
    }
}
