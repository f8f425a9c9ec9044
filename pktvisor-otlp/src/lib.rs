//! Pushes metric families to an OpenTelemetry collector: OTLP over gRPC or HTTP (protobuf, gzip).
//!
//! ```text
//! endpoint    where the collector is, from the URL that the operator gives
//! collector   the endpoint, whom to trust over TLS, and the headers that the collector asks for
//! mapping     a snapshot of metric families as an OTLP request
//! delta       what was added between two requests
//! queue       snapshots that wait for the collector, in bounded memory
//! transport   one request to the collector, and why it failed
//! backoff     how long to wait after failures
//! statistics  what became of the requests, as metric families
//! pusher      takes snapshots and delivers them, in a thread of its own
//! ```
//!
//! Of the `opentelemetry*` crates only `opentelemetry-proto` fits, which has the messages of the
//! protocol. The instruments of `opentelemetry_sdk` count single events, but the numbers here are
//! already sums; the exporters of `opentelemetry-otlp` take only what these instruments produce, because
//! nobody else can construct its `ResourceMetrics`. `tonic` speaks gRPC here over a connection of our
//! own, without its `channel` (load balancing, buffers and reconnecting for which one request every few
//! seconds has no use). The same connection serves HTTP, and its errors have one wording.
//!
//! # Delivery
//!
//! A snapshot holds sums since the start of the agent. So a later snapshot contains everything that an
//! earlier one counted, and giving up an earlier one loses only time resolution. The queue keeps
//! snapshots in this form, and deltas are made from them when they are sent: the difference to the
//! snapshot that the collector accepted last. A snapshot that was given up is then part of the next
//! delta. No number of a counter or histogram is lost while the agent runs, with either temporality and
//! however long the collector is away.

mod backoff;
mod collector;
mod delta;
mod endpoint;
mod mapping;
mod pusher;
mod queue;
mod statistics;
mod transport;

pub use collector::OtlpCollector;
pub use endpoint::{CollectorEndpoint, CollectorUrlError, Protocol};
pub use mapping::ResourceAttributes;
pub use pusher::{FirstPush, PushSettings, Pusher, Undelivered};
pub use statistics::PushStatistics;

/// What the values of counters and histograms refer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    /// The start of the agent. A request that arrives twice, or not at all, changes no later value.
    #[default]
    Cumulative,
    /// The request before. A request that the collector took although its answer was lost is counted
    /// twice there.
    Delta,
}
