//! A histogram of times since start in seconds, made of a distribution in microseconds.

use metric_families::{CumulativeBucket, ExponentialBuckets, Histogram};
use pktvisor_metrics::Distribution;

/// The lowest classic bound is 64 µs.
const FIRST_EXPONENT: u32 = 6;

/// The highest classic bound is 8.4 s.
const CLASSIC_BOUNDS: usize = 18;

/// Each exponential bucket is 1.1 % wider than the one below. With the 0.4 % of the distribution, a
/// quantile is then known to within 1.5 %.
///
/// The number of buckets that are not empty is bounded by 64 for each power of two: 1,920 for times
/// up to the longest possible timeout of queries, 600 s.
const SCALE: i8 = 6;

/// The times of a distribution in microseconds, as a histogram in seconds.
///
/// Classic bounds are powers of two microseconds, because buckets of the distribution end there: their
/// counts are exact.
pub fn since_start(times_us: &Distribution) -> Histogram {
    let bounds_us: [u64; CLASSIC_BOUNDS] =
        std::array::from_fn(|index| 1 << (FIRST_EXPONENT as usize + index));
    let below = times_us.at_most(bounds_us.map(|bound_us| bound_us - 1));
    let classic = bounds_us.into_iter().zip(below);
    Histogram {
        count: times_us.count(),
        sum: seconds(times_us.sum()),
        classic: classic.map(|(bound, count)| CumulativeBucket { bound: seconds(bound), count }).collect(),
        exponential: Some(exponential(times_us)),
    }
}

/// Puts the middle of each bucket into an exponential bucket. A power of two microseconds is none of
/// seconds, so that shifting indexes does not do.
fn exponential(times_us: &Distribution) -> ExponentialBuckets {
    let mut buckets = ExponentialBuckets { scale: SCALE, ..ExponentialBuckets::default() };
    for (middle_us, count) in times_us.buckets() {
        if middle_us == 0 {
            buckets.zero += count;
            continue;
        }
        let index = index_of(seconds(middle_us));
        match buckets.counts.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => buckets.counts.push((index, count)),
        }
    }
    buckets
}

/// The index of the bucket that holds a value above zero.
#[expect(clippy::cast_possible_truncation, reason = "at most 64 x 64")]
fn index_of(value_s: f64) -> i32 {
    (value_s.log2() * f64::from(1_u32 << SCALE)).ceil() as i32 - 1
}

#[expect(clippy::cast_precision_loss, reason = "known to within 0.4 % only")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The upper bound of a bucket.
    fn bound(index: i32) -> f64 {
        (f64::from(index + 1) / f64::from(1_u32 << SCALE)).exp2()
    }

    #[test]
    fn a_value_is_above_the_lower_bound_of_its_bucket_and_at_most_the_upper_one() {
        for value_us in (1..40).map(|n| 3_u64.pow(n)).chain([1, 64, 1_000_000, 2_000_000, 600_000_000]) {
            let value = seconds(value_us);
            let index = index_of(value);
            assert!(bound(index - 1) < value && value <= bound(index), "{value} is in {index}");
        }
    }
}
