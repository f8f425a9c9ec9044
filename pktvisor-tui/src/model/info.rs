//! What an agent says of itself, and the state of the connection to it.

use std::time::Duration;

use pktvisor_api::{App, Ledger, Losses, SandboxInfo};

use super::{capture::CaptureState, printable::Printable};

/// The connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentLink {
    /// The first request is not answered yet.
    Connecting,
    /// The last request was answered.
    Up,
    /// The last request failed.
    Down {
        /// The reason.
        error: Printable,
        /// The time of the first failure since the last answer.
        since: Duration,
        /// The time of the next request.
        retry_at: Duration,
        /// Failures since the last answer.
        attempts: u32,
    },
    /// There is no agent: the data is from a file.
    Saved,
}

/// The state of an agent, for the badge in the corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Not known yet.
    Connecting,
    /// Data of the last seconds.
    Live,
    /// A capture file, read to its end.
    Finished,
    /// A saved JSON.
    Saved,
    /// Data of the past.
    Stale,
    /// No data at all.
    Absent,
}

/// The agent's description of itself, safe to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentInfo {
    /// Its version.
    pub version: Printable,
    /// Ceiling of the sampling, in per cent.
    pub deep_sample_rate_pct: u64,
    /// Periods kept.
    pub periods: u64,
    /// Whether a file is one period.
    pub single_summary: bool,
    /// Since its start.
    pub up: Duration,
    /// Open transactions.
    pub open_transactions: u64,
    /// Of these, queries that have waited for more than a second.
    pub waiting: u64,
    /// Share of the DNS flows that is analysed now, in per cent.
    pub deep_sample_rate_now_pct: Option<f64>,
    /// Lost packets by cause, since the start.
    pub losses: Option<Losses>,
    /// What the kernel keeps its process from doing.
    pub sandbox: Option<SandboxInfo>,
    /// The ledger of packets since the start.
    pub ledger: Option<Ledger>,
    /// The source of its packets.
    pub capture: Option<CaptureState>,
}

impl AgentInfo {
    pub(super) fn new(app: &App) -> Self {
        let minutes = app.app.up_time_min;
        Self {
            version: Printable::new(&app.app.version),
            deep_sample_rate_pct: app.app.deep_sample_rate_pct,
            periods: app.app.periods,
            single_summary: app.app.single_summary,
            up: Duration::try_from_secs_f64(minutes * 60.0).unwrap_or_default(),
            open_transactions: app.dns.xact.open,
            waiting: app.dns.xact.waiting,
            deep_sample_rate_now_pct: app.app.deep_sample_rate_now_pct.filter(|share| share.is_finite()),
            losses: app.app.losses,
            sandbox: app.app.sandbox,
            ledger: app.app.ledger,
            capture: app.app.capture.as_ref().map(CaptureState::new),
        }
    }

    /// Whether the agent restarted after `before`.
    pub(super) fn is_after_restart(&self, before: &Self) -> bool {
        self.up < before.up || self.version != before.version
    }
}
