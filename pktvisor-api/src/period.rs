//! The document of one period or window.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dns::Dns;
use super::packets::Packets;

/// The answer of `/api/v1/metrics/bucket/N` and `window/N`: one key, the length in minutes ("1m", "5m").
pub type PeriodDocument = BTreeMap<String, Period>;

/// One period, or several merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Period {
    /// Its start and length.
    pub period: PeriodSpan,
    /// Counters of all packets.
    pub packets: Packets,
    /// The results of DNS analysis.
    pub dns: Dns,
    /// How much of the DNS was analysed.
    pub sampling: Sampling,
}

/// Start and length of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PeriodSpan {
    /// Start, in seconds since 1970-01-01 UTC.
    pub start_ts: i64,
    /// Length in seconds.
    pub length: i64,
}

/// How much of the DNS was analysed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Sampling {
    /// Analysed share of the DNS messages, 0 to 1; 1 if there were none.
    pub rate: f64,
    /// DNS messages analysed: the source of names, types, EDNS and transactions.
    pub messages: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { rate: 1.0, messages: 0 }
    }
}

/// The body of every error answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// One sentence.
    pub error: String,
}
