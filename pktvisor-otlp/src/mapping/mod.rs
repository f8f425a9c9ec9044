//! A snapshot of metric families as an OTLP request.
//!
//! A family becomes a metric and a label an attribute. Counters become monotonic sums, gauges gauges, and
//! histograms exponential histograms, all of them cumulative; [`delta`](crate::delta) makes deltas of
//! them. The quantiles of a summary become a gauge with the attribute `quantile`: OTLP keeps its summary
//! for old clients only, and it demands a count and a sum.

mod histogram;
mod names;

use std::time::{SystemTime, UNIX_EPOCH};

use metric_families::{FamilyKind, FamilySnapshot, MetricFamily, Point, PointValue};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// The attributes of the resource, by the semantic conventions of OpenTelemetry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceAttributes {
    /// `service.name`
    pub service_name: String,
    /// `service.version`
    pub service_version: String,
    /// `service.instance.id`: differs between the agents of a fleet, and stays when one restarts.
    pub service_instance_id: String,
    /// `host.name`
    pub host_name: String,
}

/// A request with all points of the snapshot.
pub(crate) fn request(
    snapshot: &FamilySnapshot,
    resource: &ResourceAttributes,
) -> ExportMetricsServiceRequest {
    let times = PointTimes { since_ns: unix_ns(snapshot.since), at_ns: unix_ns(snapshot.at) };
    let families = snapshot.families.iter().filter(|family| !family.points.is_empty());
    let scope = InstrumentationScope {
        name: resource.service_name.clone(),
        version: resource.service_version.clone(),
        ..InstrumentationScope::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource_of(snapshot, resource)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics: families.map(|family| metric(family, times)).collect(),
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// When the values began to count, and the moment that they describe.
#[derive(Clone, Copy, Debug)]
struct PointTimes {
    since_ns: u64,
    at_ns: u64,
}

fn unix_ns(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}

/// The operator's own labels come last; a label cannot replace an attribute, because its name has no dot.
fn resource_of(snapshot: &FamilySnapshot, resource: &ResourceAttributes) -> Resource {
    let own = [
        ("service.name", &resource.service_name),
        ("service.version", &resource.service_version),
        ("service.instance.id", &resource.service_instance_id),
        ("host.name", &resource.host_name),
    ];
    let own = own.into_iter().map(|(key, value)| attribute(key, value));
    let given = snapshot.labels.iter().map(|(key, value)| attribute(key, value));
    Resource { attributes: own.chain(given).collect(), ..Resource::default() }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn metric(family: &MetricFamily, times: PointTimes) -> Metric {
    let data = match family.kind {
        FamilyKind::Counter => Data::Sum(Sum {
            data_points: numbers(family, times),
            aggregation_temporality: AggregationTemporality::Cumulative as i32,
            is_monotonic: true,
        }),
        FamilyKind::Gauge | FamilyKind::Summary => Data::Gauge(Gauge {
            // A gauge has no start.
            data_points: numbers(family, PointTimes { since_ns: 0, ..times }),
        }),
        FamilyKind::Histogram => histogram::data(family, times),
    };
    let names::MetricNaming { name, unit } = names::of(family);
    Metric {
        name,
        unit,
        description: family.help.clone().into_owned(),
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn numbers(family: &MetricFamily, times: PointTimes) -> Vec<NumberDataPoint> {
    let mut points = Vec::with_capacity(family.points.len());
    for point in &family.points {
        match &point.value {
            PointValue::Whole(value) => {
                let whole = i64::try_from(*value).unwrap_or(i64::MAX);
                points.push(number(point, times, number_data_point::Value::AsInt(whole)));
            }
            PointValue::Number(value) => {
                points.push(number(point, times, number_data_point::Value::AsDouble(*value)));
            }
            PointValue::Quantiles(quantiles) => {
                points.extend(quantiles.iter().map(|(quantile, value)| {
                    let mut of_quantile = number(point, times, number_data_point::Value::AsDouble(*value));
                    of_quantile.attributes.push(attribute("quantile", &quantile.to_string()));
                    of_quantile
                }));
            }
            // No counter or gauge has one.
            PointValue::Histogram(_) => {}
        }
    }
    points
}

fn number(point: &Point, times: PointTimes, value: number_data_point::Value) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(point),
        start_time_unix_nano: times.since_ns,
        time_unix_nano: times.at_ns,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn attributes(point: &Point) -> Vec<KeyValue> {
    point.labels.iter().map(|(key, value)| attribute(key, value)).collect()
}

#[cfg(test)]
mod tests;
