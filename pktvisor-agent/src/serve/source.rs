//! What the server needs from the agent. It knows nothing else of it.

use std::sync::Arc;

use metric_families::FamilySnapshot;
use pktvisor_api as api;
use pktvisor_metrics::watch::{MessageFilter, PACKET_WATCHES_MAX, PacketSink, PacketWatch, TooManyWatches};
use pktvisor_metrics::{ListLength, RollingSpan};

/// The source of all answers. A few threads that may block call it at a time, so merging belongs
/// here.
pub trait AnswerSource: Send + Sync + 'static {
    /// The agent about itself.
    fn app(&self) -> api::App;

    /// Counts of the last full second.
    fn rates(&self) -> api::Rates;

    /// The last 300 full seconds.
    fn series(&self) -> api::SeriesDocument;

    /// What is wrong now.
    fn findings(&self) -> api::FindingsDocument;

    /// All numbers of one moment as metric families.
    fn families(&self) -> FamilySnapshot;

    /// One period with lists of this length: 0 is the live one, 1 the last closed one.
    fn bucket(&self, n: usize, lists: ListLength) -> Result<api::Period, PeriodError>;

    /// The newest `n` periods merged, or all that are filled if those are fewer.
    fn window(&self, n: usize, lists: ListLength) -> Result<Window, PeriodError>;

    /// The last seconds in the shape of a period: at least `span`, or as many as there are.
    fn rolling(&self, span: RollingSpan, lists: ListLength) -> api::Period;

    /// What the focus of this filter has recorded. Opens it if there is none.
    fn focus(&self, filter: &MessageFilter, lists: ListLength) -> Result<api::Period, TooManyWatches>;

    /// Hands the packets of matching messages to `sink` until the result is dropped.
    fn packets(&self, filter: MessageFilter, sink: Arc<dyn PacketSink>) -> Result<PacketWatch, PacketsError>;

    /// The moment that answers describe now. Cheap.
    fn moment(&self) -> Moment;

    /// Whether packets are being captured, or a finished file is served. If not, one sentence says
    /// why. Cheap, never blocks.
    fn health(&self) -> Result<(), String>;
}

/// The moment that an answer describes. The cache never gives it in another moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Number of periods closed since start.
    pub rotations: u64,
    /// Number of moments published since start, if answers change only then; `None` if they change
    /// at any time.
    pub published: Option<u64>,
}

/// Several periods merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// The length in the key of the answer ("5m"), even if fewer periods are filled.
    pub minutes: usize,
    /// The merged periods.
    pub period: api::Period,
}

/// The period does not exist. The sentences are part of the HTTP contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It never will (404).
    #[error("invalid metrics period, specify [{first}, {last}]")]
    OutOfRange {
        /// Smallest valid number.
        first: usize,
        /// Largest valid number.
        last: usize,
    },
    /// It is no number of seconds for the last seconds (404).
    #[error("invalid number of seconds, specify 10, 20, 30, 40, 50 or 60")]
    NoSpan,
    /// It will later (425).
    #[error("this metrics period has not yet accumulated, current range is [0, {last}]")]
    NotYet {
        /// The oldest filled bucket.
        last: usize,
    },
}

/// No packets are streamed. The sentences are part of the HTTP contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketsError {
    /// The operator has not allowed it (403).
    #[error("this agent does not stream packets; start it with --allow-packets to allow that")]
    NotAllowed,
    /// As many streams are open as may be (429).
    #[error("{PACKET_WATCHES_MAX} streams of packets are open; try again when one has ended")]
    TooMany,
}

impl From<TooManyWatches> for PacketsError {
    fn from(TooManyWatches: TooManyWatches) -> Self {
        Self::TooMany
    }
}
