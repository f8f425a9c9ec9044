//! The answer of `/api/v1/sketches/window/N`: a window in the form that merges with those of other agents.
//!
//! Numbers that add up, and lists with their bounds, are in the period. A distinct count does not add up,
//! nor does a quantile: those come as Apache DataSketches images and as histogram buckets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hll_image::HllImage;
use super::period::Period;

/// The version of this document's shape.
pub const SKETCHES_FORMAT: u32 = 1;

/// A window of one agent, ready to be merged with the same window of others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SketchDocument {
    /// [`SKETCHES_FORMAT`] of the agent that wrote it.
    pub format: u32,
    /// Number of periods merged.
    pub periods: u32,
    /// Counters, and lists with their bounds.
    pub period: Period,
    /// The HyperLogLog image of each distinct count, by its path in the period (`packets.cardinality.src_ips_in`).
    /// A count of zero has no image.
    pub distinct: BTreeMap<String, HllImage>,
    /// The values of which the period has quantiles, in their unit, by their path there
    /// (`dns.xact.in.quantiles_us`). No values have no histogram.
    pub histograms: BTreeMap<String, ExponentialHistogram>,
    /// What each list in the period says of the items that it leaves out, by its path there
    /// (`dns.top_qname2`). A list of places is missing if the agent cannot look places up.
    pub lists: BTreeMap<String, ListTotals>,
}

/// What a list states beside its entries. Lists of several agents merge with it: an item absent from
/// one of them may still have counted up to `absent_upper` there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ListTotals {
    /// The greatest true count that an item absent from the list can have.
    pub absent_upper: u64,
}

/// A base-2 exponential histogram, as OpenTelemetry defines it: with scale s, the bucket of index i holds
/// the values v with b^i < v <= b^(i + 1), where b = 2^(2^-s). Histograms of one scale add up exactly. A
/// smaller scale follows by `index >> k`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ExponentialHistogram {
    /// The scale; Prometheus calls it the schema of a native histogram.
    pub scale: i8,
    /// Values of zero.
    pub zero: u64,
    /// All values.
    pub count: u64,
    /// The sum of all values, to within 0.4 %.
    pub sum: f64,
    /// The buckets that are not empty, by rising index.
    pub buckets: Vec<ExponentialBucket>,
}

/// One bucket of an [`ExponentialHistogram`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ExponentialBucket {
    /// The index by OpenTelemetry's count; Prometheus' is one more.
    pub index: i32,
    /// The values in it.
    pub count: u64,
}
