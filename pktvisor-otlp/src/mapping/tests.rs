//! The bytes of a request, decoded again, say what the families said.

use std::time::Duration;

use metric_families::{CumulativeBucket, ExponentialBuckets, Histogram};
use prost::Message;

use super::*;

const SINCE_NS: u64 = 1_000_000_000;
const AT_NS: u64 = 61_000_000_000;

/// The metrics of these families, through their encoding.
fn metrics(families: Vec<MetricFamily>) -> Vec<Metric> {
    let decoded = decoded(families);
    decoded.resource_metrics[0].scope_metrics[0].metrics.clone()
}

fn decoded(families: Vec<MetricFamily>) -> ExportMetricsServiceRequest {
    let snapshot = FamilySnapshot {
        since: UNIX_EPOCH + Duration::from_nanos(SINCE_NS),
        at: UNIX_EPOCH + Duration::from_nanos(AT_NS),
        labels: vec![("site".into(), "fra \"1\"".to_owned())],
        families,
    };
    let resource = ResourceAttributes {
        service_name: "pktvisor".to_owned(),
        service_version: "4.0.0".to_owned(),
        service_instance_id: "ns1/eth0".to_owned(),
        host_name: "ns1".to_owned(),
    };
    let bytes = request(&snapshot, &resource).encode_to_vec();
    ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap()
}

fn family(name: &'static str, kind: FamilyKind) -> MetricFamily {
    MetricFamily::new(name, kind, "What it means.")
}

fn text(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |attribute: &KeyValue| match &attribute.value {
        Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => text.clone(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn the_resource_names_service_host_and_the_labels_of_the_operator() {
    let request = decoded(Vec::new());
    let attributes = &request.resource_metrics[0].resource.as_ref().unwrap().attributes;
    let expected = [
        pair("service.name", "pktvisor"),
        pair("service.version", "4.0.0"),
        pair("service.instance.id", "ns1/eth0"),
        pair("host.name", "ns1"),
        pair("site", "fra \"1\""),
    ];
    assert_eq!(text(attributes), expected);
}

#[test]
fn a_counter_is_a_cumulative_monotonic_sum() {
    let counter = family("pktvisor_lost_packets", FamilyKind::Counter)
        .with([("cause", "driver")], 7_u64)
        .with([("cause", "ring_full")], u64::MAX);
    let [metric] = metrics(vec![counter]).try_into().unwrap();
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("pktvisor.lost.packets", ""));
    assert_eq!(metric.description, "What it means.");
    let Some(Data::Sum(sum)) = metric.data else { panic!("{metric:?}") };
    assert!(sum.is_monotonic);
    assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Cumulative);
    let [first, second] = sum.data_points.try_into().unwrap();
    assert_eq!(text(&first.attributes), [pair("cause", "driver")]);
    assert_eq!(first.value, Some(number_data_point::Value::AsInt(7)));
    assert_eq!((first.start_time_unix_nano, first.time_unix_nano), (SINCE_NS, AT_NS));
    // The protocol has no larger one.
    assert_eq!(second.value, Some(number_data_point::Value::AsInt(i64::MAX)));
}

#[test]
fn a_gauge_has_a_unit_and_no_start() {
    let gauge = family("pktvisor_period_length_seconds", FamilyKind::Gauge).with([], 59.5);
    let [metric] = metrics(vec![gauge]).try_into().unwrap();
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("pktvisor.period.length", "s"));
    let Some(Data::Gauge(gauge)) = metric.data else { panic!("{metric:?}") };
    assert_eq!(gauge.data_points[0].value, Some(number_data_point::Value::AsDouble(59.5)));
    assert_eq!((gauge.data_points[0].start_time_unix_nano, gauge.data_points[0].time_unix_nano), (0, AT_NS));
}

#[test]
fn quantiles_are_a_gauge_with_the_quantile_as_attribute() {
    let quantiles = PointValue::Quantiles(vec![(0.5, 0.25), (0.99, 1.5)]);
    let mut summary = family("pktvisor_wait_seconds", FamilyKind::Summary);
    summary.points.push(Point { labels: vec![("direction".into(), "in".to_owned())], value: quantiles });
    let [metric] = metrics(vec![summary]).try_into().unwrap();
    let Some(Data::Gauge(gauge)) = metric.data else { panic!("{metric:?}") };
    let points: Vec<_> =
        gauge.data_points.iter().map(|point| (text(&point.attributes), point.value.unwrap())).collect();
    let value = number_data_point::Value::AsDouble;
    let expected = [
        (vec![pair("direction", "in"), pair("quantile", "0.5")], value(0.25)),
        (vec![pair("direction", "in"), pair("quantile", "0.99")], value(1.5)),
    ];
    assert_eq!(points, expected);
}

fn histogram(exponential: Option<ExponentialBuckets>) -> Histogram {
    let classic = [(0.25, 2), (1.0, 5)].map(|(bound, count)| CumulativeBucket { bound, count });
    Histogram { count: 6, sum: 3.5, classic: classic.to_vec(), exponential }
}

#[test]
fn times_are_an_exponential_histogram_by_the_name_of_the_convention() {
    let buckets = ExponentialBuckets { scale: 3, zero: 1, counts: vec![(-10, 2), (-7, 3)] };
    let family = family("pktvisor_dns_transaction_duration_seconds", FamilyKind::Histogram)
        .with([("direction", "out")], histogram(Some(buckets)));
    let [metric] = metrics(vec![family]).try_into().unwrap();
    assert_eq!((metric.name.as_str(), metric.unit.as_str()), ("dns.lookup.duration", "s"));
    let Some(Data::ExponentialHistogram(histogram)) = metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.aggregation_temporality(), AggregationTemporality::Cumulative);
    let [point] = histogram.data_points.try_into().unwrap();
    assert_eq!((point.count, point.sum, point.scale, point.zero_count), (6, Some(3.5), 3, 1));
    let positive = point.positive.unwrap();
    assert_eq!((positive.offset, positive.bucket_counts), (-10, vec![2, 0, 0, 3]));
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (SINCE_NS, AT_NS));
}

#[test]
fn a_histogram_without_values_has_no_buckets() {
    let empty = Histogram { exponential: Some(ExponentialBuckets::default()), ..Histogram::default() };
    let family = family("a_seconds", FamilyKind::Histogram).with([], empty);
    let [metric] = metrics(vec![family]).try_into().unwrap();
    let Some(Data::ExponentialHistogram(histogram)) = metric.data else { panic!("{metric:?}") };
    assert_eq!(histogram.data_points[0].count, 0);
    assert!(histogram.data_points[0].positive.as_ref().unwrap().bucket_counts.is_empty());
}

#[test]
fn a_histogram_with_fixed_bounds_counts_each_bucket_alone() {
    let family = family("a_seconds", FamilyKind::Histogram).with([], histogram(None));
    let [metric] = metrics(vec![family]).try_into().unwrap();
    let Some(Data::Histogram(histogram)) = metric.data else { panic!("{metric:?}") };
    let [point] = histogram.data_points.try_into().unwrap();
    assert_eq!((point.explicit_bounds, point.bucket_counts), (vec![0.25, 1.0], vec![2, 3, 1]));
}

#[test]
fn a_wide_histogram_gets_a_smaller_scale_and_keeps_every_value() {
    let counts = vec![(i32::MIN, 1), (-5, 2), (0, 4), (i32::MAX, 8)];
    let wide = Histogram {
        count: 15,
        exponential: Some(ExponentialBuckets { scale: 8, zero: 0, counts }),
        ..Histogram::default()
    };
    let family = family("a_seconds", FamilyKind::Histogram).with([], wide);
    let [metric] = metrics(vec![family]).try_into().unwrap();
    let Some(Data::ExponentialHistogram(histogram)) = metric.data else { panic!("{metric:?}") };
    let point = &histogram.data_points[0];
    let positive = point.positive.as_ref().unwrap();
    assert_eq!(positive.bucket_counts.iter().sum::<u64>(), 15);
    assert_eq!((positive.bucket_counts.len(), point.scale, positive.offset), (2048, 8 - 21, -1024));
}

#[test]
fn names_have_dots_and_units_stand_apart() {
    for (family, name, unit) in [
        ("pktvisor_bytes", "pktvisor.bytes", "By"),
        ("pktvisor_period_sampling_ratio", "pktvisor.period.sampling", "1"),
        ("pktvisor_dns_wire_packets_ipv4", "pktvisor.dns.wire.packets.ipv4", ""),
        ("process_cpu_seconds", "process.cpu.time", "s"),
        ("pktvisor_cpu_seconds", "pktvisor.cpu.time", "s"),
        ("process_resident_memory_bytes", "process.memory.usage", "By"),
    ] {
        let [metric] =
            metrics(vec![self::family(family, FamilyKind::Gauge).with([], 1.0)]).try_into().unwrap();
        assert_eq!((metric.name.as_str(), metric.unit.as_str()), (name, unit));
    }
}

#[test]
fn families_without_points_are_left_out() {
    assert_eq!(metrics(vec![family("a", FamilyKind::Gauge)]), []);
}
