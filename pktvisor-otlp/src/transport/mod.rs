//! One request to the collector, and why it failed.
//!
//! A [`CollectorConnection`] is made when there is something to send and closed when nothing waits any more. So
//! the name of the collector is looked up again each time, a collector behind a load balancer can move,
//! and no connection has to be kept alive for minutes.

mod connect;
mod grpc;
mod http;

use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use tokio::time::timeout;

use crate::collector::OtlpCollector;
use crate::endpoint::Protocol;

/// How long a connection may take, and how long an answer.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What requests call the agent.
const USER_AGENT: &str = concat!("pktvisor/", env!("CARGO_PKG_VERSION"));

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PushError {
    /// One sentence, in the middle of a sentence: "does not answer within 10 s".
    pub(crate) reason: String,
    pub(crate) remedy: Remedy,
}

/// What helps after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The same request later; the collector may say how much later.
    TryAgain { after: Option<Duration> },
    /// The same: the connection broke. If it was in use before, the collector may only have closed it.
    Reconnect,
    /// Nothing: the collector will never accept this request.
    GiveUp,
}

impl PushError {
    fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: Remedy::TryAgain { after: None } }
    }

    fn broken(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: Remedy::Reconnect }
    }

    fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: Remedy::GiveUp }
    }
}

/// What the collector said of a request that it accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Points that it did not take.
    pub(crate) rejected_points: u64,
    /// Why, or another remark.
    pub(crate) message: String,
}

impl From<ExportMetricsServiceResponse> for Accepted {
    fn from(response: ExportMetricsServiceResponse) -> Self {
        let partial = response.partial_success.unwrap_or_default();
        Self {
            rejected_points: u64::try_from(partial.rejected_data_points).unwrap_or(0),
            message: shortened(&partial.error_message),
        }
    }
}

/// A connection to the collector.
pub(crate) enum CollectorConnection {
    Grpc(grpc::GrpcClient),
    Http(http::HttpClient),
}

impl CollectorConnection {
    /// Connects to the collector.
    pub(crate) async fn open(collector: &OtlpCollector) -> Result<Self, PushError> {
        let open = async {
            let stream = connect::connect(collector).await?;
            match collector.endpoint().protocol() {
                Protocol::Grpc => grpc::GrpcClient::start(stream, collector).await.map(Self::Grpc),
                Protocol::Http => http::HttpClient::start(stream, collector).await.map(Self::Http),
            }
        };
        within(CONNECT_MAX, open).await
    }

    /// Sends one request, encoded.
    pub(crate) async fn send(&mut self, request: Bytes) -> Result<Accepted, PushError> {
        match self {
            Self::Grpc(client) => within(ANSWER_MAX, client.send(request)).await,
            Self::Http(client) => within(ANSWER_MAX, client.send(&request)).await,
        }
    }
}

async fn within<T>(
    longest: Duration,
    work: impl Future<Output = Result<T, PushError>>,
) -> Result<T, PushError> {
    let seconds = longest.as_secs();
    let late = |_| PushError::passing(format!("does not answer within {seconds} s"));
    timeout(longest, work).await.map_err(late)?
}

/// A text of the collector, for the log: on one line and not too long. The log escapes the rest.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(CHARACTERS_MAX) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// The error behind others, which says what happened.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests;
