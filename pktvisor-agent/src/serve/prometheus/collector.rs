//! Hands the families of a snapshot to the crate that writes them.

use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

use metric_families::{
    BaseUnit, FamilyKind, FamilySnapshot, Histogram, MetricFamily, Point, PointLabel, PointValue,
};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry;

use super::native::NativeBuckets;

/// No values are remembered as examples.
const NO_EXEMPLAR: Option<&Exemplar<NoLabelSet, f64>> = None;
const NO_EXEMPLARS: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;

/// Which buckets histograms have. A family never has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HistogramForm {
    /// A few fixed buckets, each a series.
    Classic,
    /// Many narrow buckets in one series.
    Native,
}

/// The families of a snapshot.
#[derive(Debug)]
pub(super) struct FamilyCollector {
    snapshot: FamilySnapshot,
    form: HistogramForm,
}

impl FamilyCollector {
    pub(super) fn new(snapshot: FamilySnapshot, form: HistogramForm) -> Self {
        Self { snapshot, form }
    }
}

impl Collector for FamilyCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Self { snapshot, form } = self;
        for family in &snapshot.families {
            let unit = family.unit.map(unit);
            // The crate appends the unit to the name.
            let name = family.name_without_unit();
            let kind = metric_type(family.kind, *form);
            let mut encoder = encoder.encode_descriptor(name, &family.help, unit.as_ref(), kind)?;
            for point in &family.points {
                encode_point(family, point, &mut encoder, *form, snapshot.since)?;
            }
        }
        Ok(())
    }
}

fn metric_type(kind: FamilyKind, form: HistogramForm) -> MetricType {
    match (kind, form) {
        (FamilyKind::Counter, _) => MetricType::Counter,
        (FamilyKind::Gauge, _) => MetricType::Gauge,
        (FamilyKind::Histogram, _) => MetricType::Histogram,
        // A label `quantile` belongs to a summary, which the crate does not have, or to no type.
        (FamilyKind::Summary, HistogramForm::Classic) => MetricType::Unknown,
        // In the messages, a value without a type is not where the crate puts it.
        (FamilyKind::Summary, HistogramForm::Native) => MetricType::Gauge,
    }
}

fn unit(unit: BaseUnit) -> registry::Unit {
    match unit {
        BaseUnit::Seconds => registry::Unit::Seconds,
        BaseUnit::Bytes => registry::Unit::Bytes,
        BaseUnit::Ratio => registry::Unit::Other(unit.name().to_owned()),
    }
}

fn encode_point(
    family: &MetricFamily,
    point: &Point,
    encoder: &mut MetricEncoder<'_>,
    form: HistogramForm,
    since: SystemTime,
) -> fmt::Result {
    let labels = pairs(&point.labels);
    let mut series = encoder.encode_family(&labels)?;
    match (family.kind, &point.value) {
        (FamilyKind::Counter, PointValue::Whole(value)) => series.encode_counter(value, NO_EXEMPLAR),
        (FamilyKind::Counter, PointValue::Number(value)) => series.encode_counter(value, NO_EXEMPLAR),
        (FamilyKind::Gauge, PointValue::Whole(value)) => series.encode_gauge(value),
        (FamilyKind::Gauge, PointValue::Number(value)) => series.encode_gauge(value),
        (FamilyKind::Summary, PointValue::Quantiles(quantiles)) => {
            quantiles.iter().try_for_each(|(quantile, value)| {
                let quantile = quantile.to_string();
                let labels = [labels.as_slice(), &[("quantile", quantile.as_str())]].concat();
                encoder.encode_family(&labels)?.encode_gauge(value)
            })
        }
        (FamilyKind::Histogram, PointValue::Histogram(histogram)) => match form {
            HistogramForm::Classic => encode_classic(histogram, series),
            HistogramForm::Native => encode_native(histogram, series, since),
        },
        _ => Err(fmt::Error),
    }
}

fn pairs(labels: &[PointLabel]) -> Vec<(&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect()
}

/// The crate adds the counts up, so it gets those between bounds.
fn encode_classic(histogram: &Histogram, mut series: MetricEncoder<'_>) -> fmt::Result {
    let mut below = 0;
    let mut buckets: Vec<(f64, u64)> = Vec::with_capacity(histogram.classic.len() + 1);
    for bucket in &histogram.classic {
        buckets.push((bucket.bound, bucket.count.saturating_sub(below)));
        below = bucket.count;
    }
    buckets.push((f64::INFINITY, histogram.count.saturating_sub(below)));
    series.encode_histogram(histogram.sum, histogram.count, &buckets, NO_EXEMPLARS)
}

fn encode_native(histogram: &Histogram, mut series: MetricEncoder<'_>, since: SystemTime) -> fmt::Result {
    let exponential = histogram.exponential.as_ref().ok_or(fmt::Error)?;
    let buckets = NativeBuckets::new(exponential);
    let native = buckets.histogram(exponential, since);
    series.encode_histogram_with_native(histogram.sum, histogram.count, &[], NO_EXEMPLARS, native)
}
