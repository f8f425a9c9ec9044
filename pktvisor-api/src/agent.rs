//! The agent about itself: `/api/v1/metrics/app` and `/api/v1/metrics/rates`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::capture_mode::CaptureMode;
use super::report::report;

pktvisor_definitions::ledger!(report);
pktvisor_definitions::direction_rates!(report);

/// The answer of `/api/v1/metrics/app`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct App {
    /// The agent.
    pub app: AppInfo,
    /// Its open transactions.
    pub dns: AppDns,
}

/// The agent's settings and state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AppInfo {
    /// Version of the agent.
    pub version: String,
    /// Ceiling of the share of DNS flows that are analysed, in percent.
    pub deep_sample_rate_pct: u64,
    /// Periods kept.
    pub periods: u64,
    /// Whether a capture file is one period.
    pub single_summary: bool,
    /// Minutes since start.
    pub up_time_min: f64,
    /// The source of packets. Absent from 3.0 agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureInfo>,
    /// What happened to the packets since start. Absent from 3.0 agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// Share of DNS flows that is analysed at the moment, in percent: below `deep_sample_rate_pct` under overload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deep_sample_rate_now_pct: Option<f64>,
    /// Packets lost since start, by cause. Absent for files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub losses: Option<Losses>,
    /// What the kernel keeps the process from doing. Absent from 3.0 agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxInfo>,
    /// Labels that the operator gave to the agent (`--label`). Every Prometheus series has them.
    pub labels: BTreeMap<String, String>,
    /// What has become of the periods that are archived. Absent without `--archive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveInfo>,
    /// What the web server did not grant its clients. Absent from older agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpInfo>,
}

/// What the agent's web server did not grant its clients, since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HttpInfo {
    /// Connections that were idle for longest and closed for new ones, because all were in use.
    pub closed_for_others: u64,
    /// Connections refused, because all were being answered.
    pub refused: u64,
    /// Connections closed because the client took too long to begin or send its request, or to read the answer.
    pub too_slow: u64,
    /// Requests refused, because too many clients waited for windows or read long lists.
    pub busy: u64,
    /// Requests that are not HTTP, have too large a header, or no path or host.
    pub malformed: u64,
    /// Requests on loopback addresses for a host name that is not allowed.
    pub foreign_host: u64,
    /// Requests without the token.
    pub unauthorized: u64,
    /// TLS handshakes that failed.
    pub tls_failed: u64,
}

/// What has become of the periods that the agent archives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct ArchiveInfo {
    /// Files written since start.
    pub written: u64,
    /// Bytes in them.
    pub written_bytes: u64,
    /// Files that wait to be written.
    pub waiting: u64,
    /// Periods given up since start, because the store was away for too long.
    pub given_up: u64,
    /// Attempts to write that failed since start.
    pub failures: u64,
    /// Why the last attempt failed. Absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}

/// What the kernel keeps the agent's process from doing, so that a fault in it harms nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SandboxInfo {
    /// Opening files that it does not need (Landlock).
    pub files: SandboxState,
    /// Opening TCP connections (Landlock).
    pub connections: SandboxState,
    /// Making system calls that it does not need, such as running a program (seccomp).
    pub system_calls: SandboxState,
}

/// Whether the kernel enforces a restriction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SandboxState {
    /// It does.
    Enforced,
    /// It enforces the part that it knows.
    Partial,
    /// It cannot.
    Unavailable,
    /// The agent did not ask for it (`--no-sandbox`).
    #[default]
    #[serde(other)]
    Off,
}

/// Packets lost since start, by cause. The first group was counted and is the ledger's `lost`; the second was never seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Losses {
    /// DNS packets for which the ring buffer had no room.
    pub ring_full: u64,
    /// DNS packets whose receive queue has no socket (`tap`).
    pub no_socket: u64,
    /// DNS packets whose bytes the kernel could not read.
    pub unreadable: u64,
    /// DNS packets for which the AF_XDP socket had no room (`tap`).
    pub xsk_full: u64,
    /// Packets for which the AF_PACKET ring had no room (`afpacket`); not counted.
    pub packet_socket: u64,
    /// Packets that the interfaces dropped (`rx_missed_errors`, `rx_over_errors`, `rx_fifo_errors`); not counted.
    pub driver: u64,
}

/// A watched interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CaptureInterface {
    /// Its name.
    pub name: String,
    /// The hook that sees incoming packets: `xdp`, `tcx`, `clsact`, `af_packet`.
    pub ingress: String,
    /// Why this hook, if there is a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress_reason: Option<String>,
    /// The hook that sees outgoing packets, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<String>,
    /// `up`; `down` if the link is down and no packet can arrive; `gone` if the interface does not exist or cannot be
    /// watched. Empty from agents that do not report it.
    pub state: String,
}

/// The source of packets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CaptureInfo {
    /// The target as the user wrote it.
    pub target: String,
    /// `file`, `inline`, `tap` or `afpacket`; `starting` while an interface is not yet watched.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mode: CaptureMode,
    /// The kernel hooks in use, if any, joined by `+`: `xdp`, `tcx`, `clsact`, `af_packet`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// Whether AF_XDP runs without copying.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zero_copy: Option<bool>,
    /// The interfaces watched; none for files.
    pub interfaces: Vec<CaptureInterface>,
    /// Link types seen, as tcpdump numbers them.
    pub link_types: Vec<u16>,
    /// Whether the whole file has been read.
    pub finished: bool,
    /// Addresses that are likely HOST: those that answer DNS most, in a capture file that was read without HOST.
    pub likely_host: Vec<String>,
    /// Failures and fallbacks, one sentence each.
    pub notes: Vec<String>,
}

/// Open transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AppDns {
    /// Transactions.
    pub xact: AppXact,
}

/// The transaction table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AppXact {
    /// Queries waiting for their response.
    pub open: u64,
    /// Of the open queries: those that have waited for longer than a second.
    pub waiting: u64,
}

/// The answer of `/api/v1/metrics/rates`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Rates {
    /// The last full second.
    pub packets: DirectionRates,
}
