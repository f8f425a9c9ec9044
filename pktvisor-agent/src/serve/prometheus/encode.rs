//! A snapshot in a format.

use std::fmt;

use hyper::body::Bytes;
use metric_families::FamilySnapshot;
use prometheus_client::encoding::{prometheus_protobuf, prometheus_text, text};
use prometheus_client::registry::Registry;

use super::collector::{FamilyCollector, HistogramForm};
use super::format::MetricsFormat;

/// Writes all families of the snapshot, with its labels at each series.
///
/// # Errors
///
/// A family's name or values do not fit its kind.
pub(in crate::serve) fn encode(snapshot: FamilySnapshot, format: MetricsFormat) -> Result<Bytes, fmt::Error> {
    let labels = snapshot.labels.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    let mut registry = Registry::with_labels(labels);
    let form = match format {
        MetricsFormat::Text | MetricsFormat::OpenMetrics => HistogramForm::Classic,
        MetricsFormat::Protobuf => HistogramForm::Native,
    };
    registry.register_collector(Box::new(FamilyCollector::new(snapshot, form)));
    let mut body = String::new();
    match format {
        MetricsFormat::Text => prometheus_text::encode(&mut body, &registry)?,
        MetricsFormat::OpenMetrics => text::encode(&mut body, &registry)?,
        MetricsFormat::Protobuf => {
            let messages = prometheus_protobuf::encode_to_vec(&registry);
            return messages.map(Bytes::from).map_err(|_| fmt::Error);
        }
    }
    Ok(body.into())
}
