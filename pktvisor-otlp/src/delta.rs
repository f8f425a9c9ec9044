//! What was added between two cumulative requests.

use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
};

/// Turns counters and histograms of `request` into what was added since `before`, which was made
/// earlier from the same agent. Without `before`, everything since start was added. Gauges stay.
///
/// Counters of an agent never fall. If one does all the same, its whole value counts as added.
pub(crate) fn subtract(
    request: &mut ExportMetricsServiceRequest,
    before: Option<&ExportMetricsServiceRequest>,
) {
    let before: HashMap<&str, &Metric> =
        before.into_iter().flat_map(metrics).map(|metric| (metric.name.as_str(), metric)).collect();
    let scopes = request.resource_metrics.iter_mut().flat_map(|resource| &mut resource.scope_metrics);
    for metric in scopes.flat_map(|scope| &mut scope.metrics) {
        let before = before.get(metric.name.as_str()).and_then(|before| before.data.as_ref());
        if let Some(data) = &mut metric.data {
            subtract_data(data, before);
        }
    }
}

fn metrics(request: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics)
}

fn subtract_data(data: &mut Data, before: Option<&Data>) {
    macro_rules! subtract {
        ($($kind:ident)*) => {
            match data {
                $(Data::$kind(now) => {
                    now.aggregation_temporality = AggregationTemporality::Delta as i32;
                    let before = match before {
                        Some(Data::$kind(before)) => before.data_points.as_slice(),
                        _ => &[],
                    };
                    subtract_points(&mut now.data_points, before);
                })*
                Data::Gauge(_) | Data::Summary(_) => {}
            }
        };
    }
    subtract!(Sum Histogram ExponentialHistogram);
}

/// A point of a counter or histogram.
trait Cumulative {
    fn attributes(&self) -> &[KeyValue];
    fn end_ns(&self) -> u64;
    fn start_ns(&mut self) -> &mut u64;
    /// Whether it was counted after `before`, in every part.
    fn contains(&self, before: &Self) -> bool;
    /// Takes off what was counted before.
    fn take_off(&mut self, before: &Self);
}

fn subtract_points<P: Cumulative>(points: &mut [P], before: &[P]) {
    let by_attributes: HashMap<String, &P> =
        before.iter().map(|point| (key(point.attributes()), point)).collect();
    // A point that is new was counted since the request before, as all others.
    let last_ns = before.iter().map(P::end_ns).max();
    for point in points {
        if let Some(last_ns) = last_ns {
            *point.start_ns() = last_ns;
        }
        if let Some(before) = by_attributes.get(&key(point.attributes()))
            && point.contains(before)
        {
            point.take_off(before);
        }
    }
}

/// The attributes in one text; label names hold no such separators.
fn key(attributes: &[KeyValue]) -> String {
    let mut key = String::new();
    for attribute in attributes {
        if let Some(AnyValue { value: Some(any_value::Value::StringValue(value)) }) = &attribute.value {
            key.extend([attribute.key.as_str(), "\u{1}", value.as_str(), "\0"]);
        }
    }
    key
}

impl Cumulative for NumberDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn end_ns(&self) -> u64 {
        self.time_unix_nano
    }

    fn start_ns(&mut self) -> &mut u64 {
        &mut self.start_time_unix_nano
    }

    fn contains(&self, before: &Self) -> bool {
        match (self.value, before.value) {
            (Some(Value::AsInt(now)), Some(Value::AsInt(before))) => now >= before,
            (Some(Value::AsDouble(now)), Some(Value::AsDouble(before))) => now >= before,
            _ => false,
        }
    }

    fn take_off(&mut self, before: &Self) {
        self.value = match (self.value, before.value) {
            (Some(Value::AsInt(now)), Some(Value::AsInt(before))) => {
                Some(Value::AsInt(now.saturating_sub(before)))
            }
            (Some(Value::AsDouble(now)), Some(Value::AsDouble(before))) => {
                Some(Value::AsDouble(now - before))
            }
            (now, _) => now,
        };
    }
}

impl Cumulative for HistogramDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn end_ns(&self) -> u64 {
        self.time_unix_nano
    }

    fn start_ns(&mut self) -> &mut u64 {
        &mut self.start_time_unix_nano
    }

    fn contains(&self, before: &Self) -> bool {
        let counts = self.bucket_counts.iter().zip(&before.bucket_counts);
        self.explicit_bounds == before.explicit_bounds
            && self.count >= before.count
            && counts.into_iter().all(|(now, before)| now >= before)
    }

    fn take_off(&mut self, before: &Self) {
        self.count -= before.count;
        self.sum = self.sum.map(|sum| sum - before.sum.unwrap_or_default());
        for (now, before) in self.bucket_counts.iter_mut().zip(&before.bucket_counts) {
            *now -= before;
        }
    }
}

impl Cumulative for ExponentialHistogramDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn end_ns(&self) -> u64 {
        self.time_unix_nano
    }

    fn start_ns(&mut self) -> &mut u64 {
        &mut self.start_time_unix_nano
    }

    fn contains(&self, before: &Self) -> bool {
        let Some(shift) = shift(self, before) else { return false };
        let counts = self.positive.iter().flat_map(indexed);
        let counts: HashMap<i32, u64> = counts.collect();
        let mut earlier: HashMap<i32, u64> = HashMap::new();
        for (index, count) in before.positive.iter().flat_map(indexed) {
            *earlier.entry(index >> shift).or_default() += count;
        }
        self.count >= before.count
            && self.zero_count >= before.zero_count
            && earlier.iter().all(|(index, count)| counts.get(index).is_some_and(|now| now >= count))
    }

    fn take_off(&mut self, before: &Self) {
        let shift = shift(self, before).unwrap_or(0);
        self.count -= before.count;
        self.zero_count -= before.zero_count;
        self.sum = self.sum.map(|sum| sum - before.sum.unwrap_or_default());
        let Some(now) = &mut self.positive else { return };
        for (index, count) in before.positive.iter().flat_map(indexed) {
            let place = usize::try_from(i64::from(index >> shift) - i64::from(now.offset)).ok();
            if let Some(now) = place.and_then(|place| now.bucket_counts.get_mut(place)) {
                *now -= count;
            }
        }
        trim(now);
    }
}

/// By how many bits the indexes of `before` are shifted in the later point, whose scale is the same or,
/// if its values have a wider range, smaller.
fn shift(now: &ExponentialHistogramDataPoint, before: &ExponentialHistogramDataPoint) -> Option<u32> {
    u32::try_from(before.scale.checked_sub(now.scale)?).ok().filter(|shift| *shift < 32)
}

/// The buckets that hold values, with their index.
fn indexed(buckets: &Buckets) -> impl Iterator<Item = (i32, u64)> {
    let counts = (buckets.offset..).zip(buckets.bucket_counts.iter().copied());
    counts.filter(|(_, count)| *count > 0)
}

/// Removes empty buckets at both ends.
fn trim(buckets: &mut Buckets) {
    let counts = &mut buckets.bucket_counts;
    let len = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    counts.truncate(len);
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    counts.drain(..first);
    buckets.offset += i32::try_from(first).unwrap_or(0);
}

#[cfg(test)]
mod tests;
