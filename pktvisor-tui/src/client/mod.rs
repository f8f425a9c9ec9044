//! Fetching: the address of an agent, the reading of its answers, and the thread that polls it.
//!
//! Nothing here depends on screens. The result are [`Update`]s: an [`AgentAnswer`], or the reason
//! for its absence.

mod access;
mod backoff;
mod endpoint;
mod filter;
mod http;
mod one_period;
mod packets;
mod permits;
mod poller;
mod protocol;
mod resolver;

use std::{sync::Arc, time::Duration};

use pktvisor_api::{App, DirectionRates, FindingsDocument, Period, SecondSeries, SketchDocument};

pub use access::AgentAccess;
pub use endpoint::{AgentEndpoint, DEFAULT_PORT, EndpointError};
pub use filter::{FilterKey, TrafficFilter};
pub use http::{FetchError, Http, HttpSettings};
pub use one_period::{OneEntry, OnePeriod};
pub use packets::{PacketsUpdate, save_packets};
pub use permits::Permits;
pub use poller::{Poller, PollerCommand};
pub use protocol::Session;

/// The window to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AskedWindow {
    /// The live period alone.
    Live,
    /// The newest N periods merged; N is 2 or more.
    Last(u64),
}

impl AskedWindow {
    /// The window of the newest `minutes` periods.
    pub fn minutes(minutes: u64) -> Self {
        if minutes < 2 { Self::Live } else { Self::Last(minutes) }
    }

    /// The number of periods.
    pub fn periods(self) -> u64 {
        match self {
            Self::Live => 1,
            Self::Last(periods) => periods,
        }
    }
}

/// How much of the lists the screen needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedLists {
    /// Their first rows.
    #[default]
    Short,
    /// Also the same of the last seconds.
    WithRates,
    /// As many rows as the agent gives, also of the last seconds.
    Long,
}

/// The data that the screen needs now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The chosen window; `None` for five minutes, or fewer if the agent keeps fewer.
    pub window: Option<AskedWindow>,
    /// Whether the agent is on the screen, and not only its row in the fleet.
    pub in_detail: bool,
    /// How much of the lists.
    pub lists: WantedLists,
    /// What the agent is looked into for.
    pub focus: Option<TrafficFilter>,
    /// Whether the agent is on the screen as a part of the whole fleet.
    pub in_union: bool,
}

/// The answers of one round of requests.
#[derive(Clone, Debug, Default)]
pub struct AgentAnswer {
    /// The agent about itself; not requested in every round.
    pub app: Option<App>,
    /// Whether it is of our line, or an older one.
    pub ours: bool,
    /// The last full second; absent if the agent has no such page.
    pub rates: Option<DirectionRates>,
    /// What is wrong; absent if the agent has no such page.
    pub findings: Option<FindingsDocument>,
    /// The last minutes by the second; absent if not wanted, or if the agent has no such page.
    pub series: Option<SecondSeries>,
    /// The key of the window's document: `5m`.
    pub window_name: String,
    /// The requested window.
    pub window: Period,
    /// The live period; absent from agents that do not mark it (3.0).
    pub live: Option<Period>,
    /// Closed periods that were not fetched before, in no order.
    pub closed: Vec<Period>,
    /// The last ten to nineteen seconds; absent if not wanted, or if the agent has no such page.
    pub rolling: Option<Period>,
    /// The window with long lists, and the same of the last seconds; not requested in every round.
    pub long: Option<LongLists>,
    /// What matches the wanted focus, or why there is none.
    pub focus: Option<FocusAnswer>,
    /// The window with its sketches; not requested in every round.
    pub sketches: Option<Arc<SketchDocument>>,
    /// How long the whole round took.
    pub round_trip: Duration,
}

/// The window with long lists, and the last seconds.
#[derive(Clone, Debug, Default)]
pub struct LongLists {
    /// The window.
    pub window: Period,
    /// The last seconds.
    pub rolling: Option<Period>,
}

/// The answer of an agent that is looked into.
#[derive(Clone, Debug)]
pub struct FocusAnswer {
    /// The filter.
    pub filter: TrafficFilter,
    /// What matches, with the key of its document, or why there is none.
    pub period: Result<(String, Period), String>,
}

/// The result of a round.
#[derive(Debug)]
pub enum Update {
    /// The agent answered.
    Answer(Box<AgentAnswer>),
    /// The agent did not answer, and is asked again after `retry_in`.
    Failure {
        /// The reason.
        error: FetchError,
        /// Until the next try.
        retry_in: Duration,
    },
}
