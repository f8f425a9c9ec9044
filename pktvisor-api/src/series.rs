//! The answer of `/api/v1/metrics/series`: one number a second, in columns of the same length.

use serde::{Deserialize, Serialize};

/// The answer of `/api/v1/metrics/series`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SeriesDocument {
    /// The last 300 full seconds, or fewer after start.
    pub series: SecondSeries,
}

/// Consecutive seconds, oldest first. All columns have the same length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SecondSeries {
    /// The first second, since 1970-01-01 UTC; 0 while there is none.
    pub start_ts: i64,
    /// Seconds from one value to the next: 1.
    pub step_s: u64,
    /// Packets and bytes.
    pub packets: PacketSeries,
    /// DNS messages.
    pub dns: DnsSeries,
    /// Transactions.
    pub xact: TransactionSeries,
}

/// Packets and bytes of each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PacketSeries {
    /// Packets to HOST.
    #[serde(rename = "in")]
    pub received: Vec<u64>,
    /// Packets from HOST.
    #[serde(rename = "out")]
    pub sent: Vec<u64>,
    /// Packets of unknown direction.
    pub unknown: Vec<u64>,
    /// Wire bytes to HOST.
    pub bytes_in: Vec<u64>,
    /// Wire bytes from HOST.
    pub bytes_out: Vec<u64>,
}

/// DNS messages of each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DnsSeries {
    /// Queries.
    pub queries: Vec<u64>,
    /// Replies.
    pub replies: Vec<u64>,
    /// Replies with response code NOERROR.
    pub noerror: Vec<u64>,
    /// Replies with response code NXDOMAIN.
    pub nxdomain: Vec<u64>,
    /// Replies with response code SERVFAIL.
    pub srvfail: Vec<u64>,
    /// Replies with response code REFUSED.
    pub refused: Vec<u64>,
    /// Analysed replies that are truncated.
    pub tc: Vec<u64>,
}

/// Transactions of each second, in which their response came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TransactionSeries {
    /// Queries not answered within the time-out, which ended in this second.
    pub timed_out: Vec<u64>,
    /// HOST was asked.
    #[serde(rename = "in")]
    pub inbound: DirectionSeries,
    /// HOST asked.
    #[serde(rename = "out")]
    pub outbound: DirectionSeries,
}

/// Transactions of one direction in each second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DirectionSeries {
    /// Transactions.
    pub total: Vec<u64>,
    /// Median time from query to response in microseconds; null in a second without a time.
    pub p50_us: Vec<Option<u64>>,
    /// 95th percentile of these times; null in a second without a time.
    pub p95_us: Vec<Option<u64>>,
}
