//! Histograms: exponential where the family has such buckets, else with its fixed bounds.

use metric_families::{CumulativeBucket, ExponentialBuckets, Histogram, MetricFamily, Point, PointValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as otlp, AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint,
};

use super::{PointTimes, attributes};

/// Buckets of one point, empty ones between others included. A wider range gets a smaller scale, so that
/// no value from outside makes a request large.
const BUCKETS_MAX: usize = 2048;

pub(super) fn data(family: &MetricFamily, times: PointTimes) -> Data {
    let histograms = family.points.iter().filter_map(|point| match &point.value {
        PointValue::Histogram(histogram) => Some((point, histogram)),
        _ => None,
    });
    let histograms: Vec<_> = histograms.collect();
    let aggregation_temporality = AggregationTemporality::Cumulative as i32;
    if histograms.iter().all(|(_, histogram)| histogram.exponential.is_some()) {
        let points = histograms.into_iter().filter_map(|(point, histogram)| {
            let buckets = histogram.exponential.as_ref()?;
            Some(exponential(point, histogram, buckets, times))
        });
        Data::ExponentialHistogram(otlp::ExponentialHistogram {
            data_points: points.collect(),
            aggregation_temporality,
        })
    } else {
        let points = histograms.into_iter().map(|(point, histogram)| explicit(point, histogram, times));
        Data::Histogram(otlp::Histogram { data_points: points.collect(), aggregation_temporality })
    }
}

fn exponential(
    point: &Point,
    histogram: &Histogram,
    buckets: &ExponentialBuckets,
    times: PointTimes,
) -> ExponentialHistogramDataPoint {
    let (scale, positive) = dense(buckets);
    ExponentialHistogramDataPoint {
        attributes: attributes(point),
        start_time_unix_nano: times.since_ns,
        time_unix_nano: times.at_ns,
        count: histogram.count,
        sum: Some(histogram.sum),
        scale,
        zero_count: buckets.zero,
        positive: Some(positive),
        ..ExponentialHistogramDataPoint::default()
    }
}

/// The counts from the first bucket with values to the last one, and their scale.
fn dense(buckets: &ExponentialBuckets) -> (i32, Buckets) {
    let (Some((first, _)), Some((last, _))) = (buckets.counts.first(), buckets.counts.last()) else {
        return (i32::from(buckets.scale), Buckets::default());
    };
    let width = |shift: u32| (i64::from(*last) >> shift) - (i64::from(*first) >> shift) + 1;
    let shift = (0..31).find(|shift| width(*shift) <= BUCKETS_MAX as i64).unwrap_or(31);
    let offset = first >> shift;
    let mut bucket_counts = vec![0; usize::try_from(width(shift)).unwrap_or(0)];
    for (index, count) in &buckets.counts {
        let place = (index >> shift).checked_sub(offset).and_then(|place| usize::try_from(place).ok());
        if let Some(sum) = place.and_then(|place| bucket_counts.get_mut(place)) {
            *sum += count;
        }
    }
    let scale = i32::from(buckets.scale) - i32::try_from(shift).unwrap_or(0);
    (scale, Buckets { offset, bucket_counts })
}

fn explicit(point: &Point, histogram: &Histogram, times: PointTimes) -> HistogramDataPoint {
    let below = histogram.classic.iter().map(|bucket| bucket.count);
    let up_to = below.clone().chain([histogram.count]);
    let lower = [0].into_iter().chain(below);
    HistogramDataPoint {
        attributes: attributes(point),
        start_time_unix_nano: times.since_ns,
        time_unix_nano: times.at_ns,
        count: histogram.count,
        sum: Some(histogram.sum),
        bucket_counts: up_to.zip(lower).map(|(up_to, lower)| up_to.saturating_sub(lower)).collect(),
        explicit_bounds: histogram.classic.iter().map(|CumulativeBucket { bound, .. }| *bound).collect(),
        ..HistogramDataPoint::default()
    }
}
