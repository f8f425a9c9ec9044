//! Building blocks: list entries and quantiles.

use serde::{Deserialize, Serialize};

/// One line of a top list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TopEntry {
    /// The counted item: a name, an address, a code.
    pub name: String,
    /// How often it was seen.
    pub estimate: u64,
    /// The true count is at least this. Absent from 3.0 agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<u64>,
    /// The true count is at most this. Absent from 3.0 agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<u64>,
    /// The estimate divided by the achieved sampling rate; only in lists made by deep analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaled: Option<u64>,
}

/// Four quantiles: the value of rank floor(p n) + 1 of n sorted values, capped at n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quantiles {
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
}
