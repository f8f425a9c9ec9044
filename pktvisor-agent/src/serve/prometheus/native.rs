//! The buckets of a native histogram, as the messages of Prometheus carry them.
//!
//! A span is a run of neighbouring buckets: how far it is from the end of the span before (the first one:
//! from bucket 0), and how long it is. A count is written as the difference from the count before it.

use std::time::SystemTime;

use metric_families::ExponentialBuckets;
use prometheus_client::encoding::{NativeHistogram, NativeHistogramBuckets};

/// Values up to this are zero. A threshold above 0 also marks a histogram without values as native;
/// this one, 2^-128, is that of Prometheus' own clients.
const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

/// The spans and differences of the buckets of positive values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NativeBuckets {
    spans: Vec<(i32, u32)>,
    deltas: Vec<i64>,
}

impl NativeBuckets {
    pub(super) fn new(buckets: &ExponentialBuckets) -> Self {
        let mut native = Self::default();
        // The bucket behind the last span.
        let mut end = 0;
        let mut before = 0;
        for (index, count) in &buckets.counts {
            // OpenTelemetry names a bucket by its lower bound, Prometheus by its upper one.
            let index = index + 1;
            match native.spans.last_mut() {
                Some((_, length)) if index == end => *length += 1,
                _ => native.spans.push((index - end, 1)),
            }
            end = index + 1;
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            native.deltas.push(count - before);
            before = count;
        }
        native
    }

    /// The histogram with these buckets.
    pub(super) fn histogram(&self, buckets: &ExponentialBuckets, since: SystemTime) -> NativeHistogram<'_> {
        NativeHistogram {
            schema: i32::from(buckets.scale),
            zero_threshold: ZERO_THRESHOLD,
            zero_count: buckets.zero,
            negative: NativeHistogramBuckets { spans: &[], deltas: &[] },
            positive: NativeHistogramBuckets { spans: &self.spans, deltas: &self.deltas },
            created: Some(since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_span_and_counts_are_differences() {
        let counts = vec![(-5, 10), (-4, 7), (-1, 7), (0, 8), (9, 1)];
        let buckets = ExponentialBuckets { scale: 6, zero: 0, counts };
        let native = NativeBuckets::new(&buckets);
        assert_eq!(native.spans, [(-4, 2), (2, 2), (8, 1)]);
        assert_eq!(native.deltas, [10, -3, 0, 1, -7]);
    }

    #[test]
    fn no_values_are_no_spans() {
        assert_eq!(NativeBuckets::new(&ExponentialBuckets::default()), NativeBuckets::default());
    }
}
