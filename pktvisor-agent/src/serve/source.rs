//! What the agent can be asked. The state of the agent implements [`AnswerSource`]; the server knows nothing else of it.

use pktvisor_api as api;

/// Gives the answers. Called from threads that may block, a few at a time; merging belongs here.
pub trait AnswerSource: Send + Sync + 'static {
    /// The agent about itself.
    fn app(&self) -> api::App;

    /// Counts of the last full second.
    fn rates(&self) -> api::Rates;

    /// One period: 0 is the live one, 1 the last closed one.
    fn bucket(&self, n: usize) -> Result<api::Period, PeriodError>;

    /// The newest `n` periods merged, or as many as are filled.
    fn window(&self, n: usize) -> Result<Window, PeriodError>;

    /// The moment that answers are of now. Cheap.
    fn moment(&self) -> Moment;

    /// Whether packets are being captured, or a finished file is served; if not, why not, in one sentence. Cheap, never
    /// blocks.
    fn health(&self) -> Result<(), String>;
}

/// What an answer is of. An answer of one moment is not given in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many periods were closed since start.
    pub turns: u64,
    /// How many moments were published since start, where answers change only then; `None` where they change at any time.
    pub published: Option<u64>,
}

/// Several periods merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// The length that the key of the answer names ("5m"), whatever is filled.
    pub minutes: usize,
    /// The merged periods.
    pub period: api::Period,
}

/// There is no such period. The sentences are part of the HTTP contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// There never will be (404).
    #[error("invalid metrics period, specify [{first}, {last}]")]
    OutOfRange {
        /// Smallest valid number.
        first: usize,
        /// Largest valid number.
        last: usize,
    },
    /// There will be later (425).
    #[error("this metrics period has not yet accumulated, current range is [0, {last}]")]
    NotYet {
        /// The oldest filled bucket.
        last: usize,
    },
}
