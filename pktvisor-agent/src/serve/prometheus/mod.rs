//! `/metrics`: the agent's metric families in the formats that Prometheus reads.
//!
//! The crate `prometheus-client` writes all three formats: text 0.0.4, OpenMetrics 1.0 and the protobuf
//! messages with native histograms. It has no summaries; quantiles are series of a family without a
//! type, with the label `quantile` that they have in a summary.
//!
//! ```text
//! format      the formats, and which of them a client wants
//! encode      a snapshot in a format
//! collector   hands the families to the crate
//! native      the buckets of a native histogram
//! ```

mod collector;
mod encode;
mod format;
mod native;

pub(super) use encode::encode;
pub(super) use format::MetricsFormat;
