//! Deltas add up to the cumulative values, also where snapshots between them are missing.

use opentelemetry_proto::tonic::metrics::v1::{ExponentialHistogram, Gauge, Sum};

use super::*;

fn request(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let mut request = ExportMetricsServiceRequest::default();
    request.resource_metrics.push(Default::default());
    request.resource_metrics[0].scope_metrics.push(Default::default());
    request.resource_metrics[0].scope_metrics[0].metrics = metrics;
    request
}

fn attribute(value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: "cause".to_owned(), value: Some(value), ..KeyValue::default() }
}

fn number(cause: &str, at_ns: u64, value: Value) -> NumberDataPoint {
    NumberDataPoint {
        attributes: vec![attribute(cause)],
        start_time_unix_nano: 1,
        time_unix_nano: at_ns,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn counter(points: Vec<NumberDataPoint>) -> Metric {
    let sum = Sum { data_points: points, is_monotonic: true, aggregation_temporality: 2 };
    Metric { name: "lost".to_owned(), data: Some(Data::Sum(sum)), ..Metric::default() }
}

fn times(at_ns: u64, scale: i32, offset: i32, bucket_counts: Vec<u64>) -> Metric {
    let count = bucket_counts.iter().sum();
    let point = ExponentialHistogramDataPoint {
        start_time_unix_nano: 1,
        time_unix_nano: at_ns,
        count,
        sum: Some(count as f64),
        scale,
        positive: Some(Buckets { offset, bucket_counts }),
        ..ExponentialHistogramDataPoint::default()
    };
    let histogram = ExponentialHistogram { data_points: vec![point], aggregation_temporality: 2 };
    Metric {
        name: "times".to_owned(),
        data: Some(Data::ExponentialHistogram(histogram)),
        ..Metric::default()
    }
}

/// The delta of one metric.
fn delta(now: Metric, before: Option<Metric>) -> Data {
    let mut now = request(vec![now]);
    subtract(&mut now, before.map(|metric| request(vec![metric])).as_ref());
    now.resource_metrics[0].scope_metrics[0].metrics[0].data.take().unwrap()
}

fn points(data: Data) -> Vec<NumberDataPoint> {
    let Data::Sum(sum) = data else { panic!("{data:?}") };
    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
    sum.data_points
}

fn point(data: Data) -> ExponentialHistogramDataPoint {
    let Data::ExponentialHistogram(histogram) = data else { panic!("{data:?}") };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Delta);
    histogram.data_points[0].clone()
}

#[test]
fn the_first_delta_is_everything_since_start() {
    let now = counter(vec![number("driver", 5, Value::AsInt(7))]);
    assert_eq!(points(delta(now, None)), [number("driver", 5, Value::AsInt(7))]);
}

#[test]
fn a_delta_is_what_was_added_since_the_request_before() {
    let before = counter(vec![number("b", 5, Value::AsInt(7)), number("a", 5, Value::AsDouble(0.5))]);
    let now = counter(vec![
        number("a", 9, Value::AsDouble(2.0)),
        number("b", 9, Value::AsInt(7)),
        number("new", 9, Value::AsInt(3)),
    ]);
    let since = |point| NumberDataPoint { start_time_unix_nano: 5, ..point };
    let expected = [
        since(number("a", 9, Value::AsDouble(1.5))),
        since(number("b", 9, Value::AsInt(0))),
        since(number("new", 9, Value::AsInt(3))),
    ];
    assert_eq!(points(delta(now, Some(before))), expected);
}

#[test]
fn a_counter_that_fell_counts_whole() {
    let now = counter(vec![number("a", 9, Value::AsInt(3))]);
    let before = counter(vec![number("a", 5, Value::AsInt(7))]);
    assert_eq!(points(delta(now, Some(before)))[0].value, Some(Value::AsInt(3)));
}

#[test]
fn buckets_are_subtracted_by_index() {
    let before = times(5, 3, -4, vec![1, 0, 2]);
    let now = times(9, 3, -6, vec![5, 0, 1, 0, 4, 7]);
    let point = point(delta(now, Some(before)));
    let positive = point.positive.unwrap();
    assert_eq!((positive.offset, positive.bucket_counts), (-6, vec![5, 0, 0, 0, 2, 7]));
    assert_eq!((point.count, point.sum), (14, Some(14.0)));
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 9));
}

#[test]
fn a_delta_has_no_empty_buckets_at_its_ends() {
    let before = times(5, 3, -4, vec![1, 2, 3]);
    let now = times(9, 3, -4, vec![1, 3, 3]);
    let positive = point(delta(now, Some(before))).positive.unwrap();
    assert_eq!((positive.offset, positive.bucket_counts), (-3, vec![1]));
    let before = times(5, 3, -4, vec![1]);
    let positive = point(delta(times(9, 3, -4, vec![1]), Some(before))).positive.unwrap();
    assert!(positive.bucket_counts.is_empty());
}

#[test]
fn a_histogram_whose_scale_became_smaller_is_subtracted_at_the_smaller_scale() {
    // At scale 1 the buckets -3, -2 are the bucket -2 and -1 of scale 0.
    let before = times(5, 1, -3, vec![2, 3, 4]);
    let now = times(9, 0, -2, vec![3, 8, 1]);
    let point = point(delta(now, Some(before)));
    let positive = point.positive.unwrap();
    assert_eq!((positive.offset, positive.bucket_counts), (-2, vec![1, 1, 1]));
    assert_eq!((point.scale, point.count), (0, 3));
}

#[test]
fn gauges_stay() {
    let gauge = |value| {
        let points = vec![number("a", 9, Value::AsInt(value))];
        let data = Some(Data::Gauge(Gauge { data_points: points }));
        Metric { name: "open".to_owned(), data, ..Metric::default() }
    };
    assert_eq!(Some(delta(gauge(3), Some(gauge(2)))), gauge(3).data);
}

#[test]
fn deltas_add_up_to_the_sum_however_many_requests_are_left_out() {
    let at = |moment: u64| {
        let counts = vec![moment, moment * 2, moment / 3];
        let counter = counter(vec![number("a", moment, Value::AsInt(moment as i64 * 11))]);
        request(vec![counter, times(moment, 3, 0, counts)])
    };
    let mut accepted: Option<ExportMetricsServiceRequest> = None;
    let (mut sum, mut count) = (0, 0);
    for moment in [1, 2, 3, 7, 20, 21, 100] {
        let mut request = at(moment);
        subtract(&mut request, accepted.as_ref());
        for metric in metrics(&request) {
            match metric.data.as_ref().unwrap() {
                Data::Sum(delta) => match delta.data_points[0].value {
                    Some(Value::AsInt(value)) => sum += value,
                    other => panic!("{other:?}"),
                },
                Data::ExponentialHistogram(delta) => count += delta.data_points[0].count,
                other => panic!("{other:?}"),
            }
        }
        accepted = Some(at(moment));
    }
    assert_eq!((sum, count), (1100, 100 + 200 + 33));
}
