//! A snapshot in a format.

use std::fmt;

use hyper::body::Bytes;
use metric_families::Snapshot;
use prometheus_client::encoding::{prometheus_protobuf, prometheus_text, text};
use prometheus_client::registry::Registry;

use super::collector::{FamilyCollector, HistogramForm};
use super::format::Format;

/// Writes all families of the snapshot, with its labels at each series.
///
/// # Errors
///
/// A family's name or values do not fit its kind.
pub(in crate::serve) fn encode(snapshot: Snapshot, format: Format) -> Result<Bytes, fmt::Error> {
    let labels = snapshot.labels.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    let mut registry = Registry::with_labels(labels);
    let form = match format {
        Format::Text | Format::OpenMetrics => HistogramForm::Classic,
        Format::Protobuf => HistogramForm::Native,
    };
    registry.register_collector(Box::new(FamilyCollector::new(snapshot, form)));
    let mut body = String::new();
    match format {
        Format::Text => prometheus_text::encode(&mut body, &registry)?,
        Format::OpenMetrics => text::encode(&mut body, &registry)?,
        Format::Protobuf => {
            let messages = prometheus_protobuf::encode_to_vec(&registry);
            return messages.map(Bytes::from).map_err(|_| fmt::Error);
        }
    }
    Ok(body.into())
}
