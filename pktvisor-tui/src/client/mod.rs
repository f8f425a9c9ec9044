//! Fetching: where an agent is, how its answers are read, and the thread that keeps asking.
//!
//! Nothing here knows of screens. What comes out are [`Update`]s: an [`AgentAnswer`], or why there is none.

mod backoff;
mod endpoint;
mod http;
mod one_period;
mod poller;
mod protocol;
mod resolver;

use std::time::Duration;

use pktvisor_api::{App, DirectionRates, Period};

pub use endpoint::{AgentEndpoint, DEFAULT_PORT, EndpointError};
pub use http::{FetchError, Http};
pub use one_period::{OneEntry, OnePeriod};
pub use poller::{Poller, PollerCommand};
pub use protocol::Session;

/// What to ask for.
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

    /// How many periods.
    pub fn periods(self) -> u64 {
        match self {
            Self::Live => 1,
            Self::Last(periods) => periods,
        }
    }
}

/// What the screen needs at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The window; five minutes, or what there is, unless chosen.
    pub window: Option<AskedWindow>,
    /// Whether what the agent says about itself is on the screen.
    pub about_itself: bool,
}

/// Everything that one round of questions brought.
#[derive(Clone, Debug, Default)]
pub struct AgentAnswer {
    /// The agent about itself; not asked for in every round.
    pub app: Option<App>,
    /// Whether it is of our line, or an older one.
    pub ours: bool,
    /// The last full second; absent where the agent has no such page.
    pub rates: Option<DirectionRates>,
    /// The key of the window's document: `5m`.
    pub window_name: String,
    /// The window that was asked for.
    pub window: Period,
    /// The live period; absent from agents that cannot tell which one it is (3.0).
    pub live: Option<Period>,
    /// Closed periods that were not fetched before, in no order.
    pub closed: Vec<Period>,
    /// How long the whole round took.
    pub round_trip: Duration,
}

/// One thing that happened to the connection with an agent.
#[derive(Debug)]
pub enum Update {
    /// It answered.
    Answer(Box<AgentAnswer>),
    /// It did not, and will be asked again after `retry_in`.
    Failure {
        /// Why.
        error: FetchError,
        /// Until the next try.
        retry_in: Duration,
    },
}
