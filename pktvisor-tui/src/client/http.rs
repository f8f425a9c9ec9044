//! One GET, with limits on time and size, and with checks of the answer.

use std::{
    io::{self, Read},
    time::Duration,
};

use pktvisor_api::ErrorBody;
use serde::de::DeserializeOwned;
use ureq::unversioned::transport::DefaultConnector;

use super::{
    endpoint::{AgentEndpoint, Zone},
    resolver::ZonedResolver,
};
use crate::format::without_number;

/// Answers beyond this many bytes are not read. A window of ours is about 20 KiB, and ten times
/// that where every octet of every name is escaped.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// The same for lists of 1,000 entries, which make an answer a hundred times as long.
const LONG_BODY_BYTES_MAX: u64 = 32 << 20;
/// The same for sketches with lists of 100 entries: 0.5 MiB, and several times that where every octet
/// of every name is escaped. A fleet keeps those of all its agents.
const SKETCHES_BYTES_MAX: u64 = 4 << 20;

/// Why a page could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The answer took too long.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The agent refuses the request.
    #[error("the agent answers: {1}")]
    Refused(u16, String),
    /// An HTTP status without an explanation.
    #[error("HTTP status {0} for {1}")]
    Status(u16, String),
    /// The answer does not come from an agent.
    #[error("not an answer of pktvisord: {0}")]
    Foreign(String),
}

impl FetchError {
    /// Whether the agent answers that this page does not exist, so that another one should be
    /// requested.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(..) | Self::Status(..))
    }
}

/// An HTTP client for one agent. Connections are kept open between questions.
pub struct Http {
    agent: ureq::Agent,
    endpoint: AgentEndpoint,
    timeout: Duration,
}

impl Http {
    /// A client that gives up on each answer after `timeout`.
    pub fn new(endpoint: AgentEndpoint, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // HTTP_PROXY is meant for the internet.
            .proxy(None)
            .user_agent(concat!("pktvisor/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = ZonedResolver::new(endpoint.zone().cloned());
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, endpoint, timeout }
    }

    /// Gets `path` and reads its JSON.
    ///
    /// Agents of the 3.0 line answer errors with status 200 and call their JSON text/json, so
    /// neither decides.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, BODY_BYTES_MAX)
    }

    /// As [`get`](Self::get), of a page with long lists.
    pub fn get_long<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, LONG_BODY_BYTES_MAX)
    }

    /// As [`get`](Self::get), of sketches.
    pub(super) fn get_sketches<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, SKETCHES_BYTES_MAX)
    }

    /// Gets `path` as a stream that ends after `patience` at the latest.
    pub fn stream(&self, path: &str, patience: Duration) -> Result<impl Read + use<>, FetchError> {
        let request = self.agent.get(self.endpoint.url(path)).config().timeout_global(Some(patience));
        let mut response = request.build().call().map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response.into_body().into_reader());
        }
        let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec();
        read(status, path, &body.map_err(|error| self.explain(error))?)
            .and_then(|_: serde::de::IgnoredAny| Err(FetchError::Status(status, path.to_owned())))
    }

    fn get_within<T: DeserializeOwned>(&self, path: &str, limit: u64) -> Result<T, FetchError> {
        let mut response =
            self.agent.get(self.endpoint.url(path)).call().map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_vec()
            .map_err(|error| self.explain(error))?;
        read(status, path, &body)
    }

    fn explain(&self, error: ureq::Error) -> FetchError {
        match error {
            ureq::Error::Timeout(_) => FetchError::Timeout(self.timeout),
            ureq::Error::Io(error) => FetchError::Connect(self.plain_words(&error)),
            ureq::Error::HostNotFound => FetchError::Connect(match self.endpoint.zone() {
                Some(zone) => no_interface(zone),
                None => "no such host".to_owned(),
            }),
            ureq::Error::ConnectionFailed => FetchError::Connect("connection failed".to_owned()),
            ureq::Error::BodyExceedsLimit(limit) => {
                FetchError::Foreign(format!("it is longer than {} MiB", limit >> 20))
            }
            other => FetchError::Foreign(other.to_string()),
        }
    }

    /// The text of an I/O error without `(os error 111)`.
    fn plain_words(&self, error: &io::Error) -> String {
        match (error.kind(), self.endpoint.zone()) {
            (io::ErrorKind::ConnectionRefused, _) => "connection refused".to_owned(),
            (io::ErrorKind::ConnectionReset, _) => "connection reset".to_owned(),
            (io::ErrorKind::UnexpectedEof, _) => "connection closed".to_owned(),
            // Linux answers this for an interface that does not exist, is down, or has no IPv6.
            (io::ErrorKind::NetworkUnreachable, Some(zone)) => no_way_through(zone),
            _ => without_number(error),
        }
    }
}

fn no_way_through(zone: &Zone) -> String {
    let zone = zone.as_str();
    format!("interface {zone} does not exist, is down, or has no IPv6 address; `ip -6 address` lists them")
}

fn no_interface(zone: &Zone) -> String {
    format!("this machine has no interface {}; `ip link` lists them", zone.as_str())
}

fn read<T: DeserializeOwned>(status: u16, path: &str, body: &[u8]) -> Result<T, FetchError> {
    // Documents of data are larger, and every struct of them would accept an error body as "all
    // keys missing".
    const ERROR_BODY_BYTES_MAX: usize = 4096;
    if body.len() <= ERROR_BODY_BYTES_MAX
        && let Ok(ErrorBody { error }) = serde_json::from_slice(body)
    {
        return Err(FetchError::Refused(status, error));
    }
    if !(200..300).contains(&status) {
        return Err(FetchError::Status(status, path.to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| FetchError::Foreign(format!("{path}: {error}")))
}

#[cfg(test)]
mod tests {
    use pktvisor_api::{App, PeriodDocument};

    use super::*;

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let body = br#"{"error": "invalid metrics period, specify [2, 5]"}"#;
        let error = read::<App>(200, "/app", body).expect_err("an error body is no app");
        assert!(
            matches!(&error, FetchError::Refused(200, why) if why.starts_with("invalid metrics")),
            "{error}"
        );
    }

    #[test]
    fn an_answer_that_is_not_json_is_foreign() {
        for body in [&b"<html></html>"[..], b"", b"\xff\xfe", b"[1]", b"{\"5m\": 3}"] {
            let error = read::<PeriodDocument>(200, "/window/5", body).expect_err("not a document");
            assert!(matches!(error, FetchError::Foreign(_)), "{error}");
        }
    }

    #[test]
    fn a_status_without_a_word_is_named() {
        let error = read::<App>(502, "/app", b"<html>").expect_err("a gateway's page");
        assert_eq!(error.to_string(), "HTTP status 502 for /app");
    }
}
