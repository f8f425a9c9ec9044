//! One GET, with limits on time and size, and with checks of the answer.

use std::{
    io::{self, Read},
    time::Duration,
};

use pktvisor_api::ErrorBody;
use serde::de::DeserializeOwned;
use ureq::{RequestBuilder, typestate::WithoutBody, unversioned::transport::DefaultConnector};

use super::{
    access::AgentAccess,
    endpoint::{AgentEndpoint, Zone},
    resolver::ZonedResolver,
    tls_errors,
};
use crate::format::without_number;

/// What is read of an answer. Beyond it, the answer is not one of an agent.
#[derive(Clone, Copy)]
struct AnswerBounds {
    bytes: u64,
    /// Members of objects and lists. One of two bytes, such as `{}` in a list, takes a hundred times as
    /// much memory once it is read.
    values: usize,
}

impl AnswerBounds {
    /// A window of ours is about 20 KiB, and ten times that where every octet of every name is
    /// escaped.
    const USUAL: Self = Self { bytes: 1 << 20, values: 1 << 16 };
    /// Findings, which have names, too.
    const PAGE: Self = Self { bytes: 32 << 20, values: 1 << 16 };
    /// Lists of 1,000 entries, which make an answer a hundred times as long.
    const LONG: Self = Self { bytes: 32 << 20, values: 1 << 20 };
    /// Sketches with lists of 100 entries: 0.5 MiB, and several times that where every octet of every
    /// name is escaped. A fleet keeps those of all its agents.
    const SKETCHES: Self = Self { bytes: 4 << 20, values: 1 << 18 };
}

/// Why a page could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No connection that is secure.
    #[error("no secure connection: {0}")]
    Insecure(String),
    /// The agent needs a token, and none was given.
    #[error("the agent needs its token: give --auth-token-file")]
    TokenMissing,
    /// The agent needs another token.
    #[error("the agent does not accept the token of --auth-token-file")]
    TokenWrong,
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

/// What all agents are asked with.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// What is trusted and shown.
    pub access: AgentAccess,
}

impl HttpSettings {
    /// A client for this agent.
    pub fn client(&self, endpoint: &AgentEndpoint) -> Http {
        Http::with_access(endpoint.clone(), self.timeout, self.access.clone())
    }
}

/// An HTTP client for one agent. Connections are kept open between questions.
pub struct Http {
    agent: ureq::Agent,
    endpoint: AgentEndpoint,
    access: AgentAccess,
    timeout: Duration,
}

impl Http {
    /// A client without TLS and token that gives up on each answer after `timeout`.
    pub fn new(endpoint: AgentEndpoint, timeout: Duration) -> Self {
        Self::with_access(endpoint, timeout, AgentAccess::default())
    }

    fn with_access(endpoint: AgentEndpoint, timeout: Duration, access: AgentAccess) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // HTTP_PROXY is meant for the internet.
            .proxy(None)
            .tls_config(access.tls())
            .user_agent(concat!("pktvisor/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = ZonedResolver::new(endpoint.zone().cloned());
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { agent, endpoint, access, timeout }
    }

    fn request(&self, path: &str) -> RequestBuilder<WithoutBody> {
        let request = self.agent.get(self.endpoint.url(path));
        match self.access.authorization() {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    /// What an answer without metrics means.
    fn check(&self, status: u16) -> Result<(), FetchError> {
        match (status, self.access.authorization()) {
            (401, None) => Err(FetchError::TokenMissing),
            (401, Some(_)) => Err(FetchError::TokenWrong),
            _ => Ok(()),
        }
    }

    /// Gets `path` and reads its JSON.
    ///
    /// Agents of the 3.0 line answer errors with status 200 and call their JSON text/json, so
    /// neither decides.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, AnswerBounds::USUAL)
    }

    /// As [`get`](Self::get), of a page with many names.
    pub(super) fn get_page<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, AnswerBounds::PAGE)
    }

    /// As [`get`](Self::get), of a page with long lists.
    pub fn get_long<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, AnswerBounds::LONG)
    }

    /// As [`get`](Self::get), of sketches.
    pub(super) fn get_sketches<T: DeserializeOwned>(&self, path: &str) -> Result<T, FetchError> {
        self.get_within(path, AnswerBounds::SKETCHES)
    }

    /// Gets `path` as a stream that ends after `patience` at the latest.
    pub fn stream(&self, path: &str, patience: Duration) -> Result<impl Read + use<>, FetchError> {
        let request = self.request(path).config().timeout_global(Some(patience));
        let mut response = request.build().call().map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        self.check(status)?;
        if status == 200 {
            return Ok(response.into_body().into_reader());
        }
        let bounds = AnswerBounds::USUAL;
        let body = response.body_mut().with_config().limit(bounds.bytes).read_to_vec();
        read(status, path, bounds, &body.map_err(|error| self.explain(error))?)
            .and_then(|_: serde::de::IgnoredAny| Err(FetchError::Status(status, path.to_owned())))
    }

    fn get_within<T: DeserializeOwned>(&self, path: &str, bounds: AnswerBounds) -> Result<T, FetchError> {
        let mut response = self.request(path).call().map_err(|error| self.explain(error))?;
        let status = response.status().as_u16();
        self.check(status)?;
        let body = response
            .body_mut()
            .with_config()
            .limit(bounds.bytes)
            .read_to_vec()
            .map_err(|error| self.explain(error))?;
        read(status, path, bounds, &body)
    }

    fn explain(&self, error: ureq::Error) -> FetchError {
        match error {
            ureq::Error::Timeout(_) => FetchError::Timeout(self.timeout),
            ureq::Error::Io(error) => match tls_errors::within(&error) {
                Some(error) => FetchError::Insecure(tls_errors::explain(error)),
                // During a TLS handshake.
                None if error.get_ref().is_some() && error.kind() == io::ErrorKind::TimedOut => {
                    FetchError::Timeout(self.timeout)
                }
                None => FetchError::Connect(self.plain_words(&error)),
            },
            ureq::Error::Rustls(error) => FetchError::Insecure(tls_errors::explain(&error)),
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

fn read<T: DeserializeOwned>(
    status: u16,
    path: &str,
    bounds: AnswerBounds,
    body: &[u8],
) -> Result<T, FetchError> {
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
    if count_values(body) > bounds.values {
        return Err(FetchError::Foreign(format!("{path}: it has more than {} values", bounds.values)));
    }
    serde_json::from_slice(body).map_err(|error| FetchError::Foreign(format!("{path}: {error}")))
}

/// The members of all objects and lists: each of them follows a comma, or an opening bracket.
fn count_values(json: &[u8]) -> usize {
    let (mut count, mut in_string, mut is_escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'{' | b'[' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use pktvisor_api::{App, PeriodDocument};

    use super::*;

    fn read_usual<T: DeserializeOwned>(status: u16, path: &str, body: &[u8]) -> Result<T, FetchError> {
        read(status, path, AnswerBounds::USUAL, body)
    }

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (json, count) in [
            ("", 0),
            ("1", 0),
            ("[]", 1),
            ("[1,2]", 2),
            (r#"{"a,b":"c,[{","d":[{}]}"#, 4),
            (r#"["\",",",","]"#, 3),
            (r#"["\\",","]"#, 2),
            (r#"["never closed,,,,"#, 1),
        ] {
            assert_eq!(count_values(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let body = br#"{"error": "invalid metrics period, specify [2, 5]"}"#;
        let error = read_usual::<App>(200, "/app", body).expect_err("an error body is no app");
        assert!(
            matches!(&error, FetchError::Refused(200, why) if why.starts_with("invalid metrics")),
            "{error}"
        );
    }

    #[test]
    fn an_answer_that_is_not_json_is_foreign() {
        for body in [&b"<html></html>"[..], b"", b"\xff\xfe", b"[1]", b"{\"5m\": 3}"] {
            let error = read_usual::<PeriodDocument>(200, "/window/5", body).expect_err("not a document");
            assert!(matches!(error, FetchError::Foreign(_)), "{error}");
        }
    }

    #[test]
    fn a_status_without_a_word_is_named() {
        let error = read_usual::<App>(502, "/app", b"<html>").expect_err("a gateway's page");
        assert_eq!(error.to_string(), "HTTP status 502 for /app");
    }
}
