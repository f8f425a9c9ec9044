//! One GET, with limits on time and size, and with checks of the answer.

mod body;

use std::{
    io::{self, Read},
    time::Duration,
};

use body::{AnswerBounds, read};
use serde::de::DeserializeOwned;
use tls_credentials::{OptionNames, TlsRefusal};
use ureq::{RequestBuilder, typestate::WithoutBody, unversioned::transport::DefaultConnector};

use super::{
    access::AgentAccess,
    endpoint::{AgentEndpoint, Zone},
    resolver::ZonedResolver,
};
use crate::format::without_number;

const OPTIONS: OptionNames = OptionNames { authorities: "--tls-ca", server: "-H" };

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
            ureq::Error::Io(error) => match TlsRefusal::within(&error, OPTIONS) {
                Some(refusal) => FetchError::Insecure(refusal.to_string()),
                // During a TLS handshake.
                None if error.get_ref().is_some() && error.kind() == io::ErrorKind::TimedOut => {
                    FetchError::Timeout(self.timeout)
                }
                None => FetchError::Connect(self.plain_words(&error)),
            },
            ureq::Error::Rustls(error) => FetchError::Insecure(TlsRefusal::new(&error, OPTIONS).to_string()),
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
