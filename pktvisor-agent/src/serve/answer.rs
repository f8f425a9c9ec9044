//! Answers: documents, errors, compression.

use std::io::Write;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE,
    HeaderValue, VARY, WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, StatusCode};
use pktvisor_api::ErrorBody;
use pktvisor_metrics::watch::FOCUSES_MAX;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use warp::Reply;
use warp::reply::Response;

use super::packets::PacketStream;
use super::query::ParameterError;
use super::source::{PacketsError, PeriodError};
use super::token;

/// Compression of fewer bytes saves no packet.
const GZIP_BYTES_MIN: usize = 1024;

const JSON: &str = "application/json";

/// The media type that the draft of the format registers.
pub(super) const PCAPNG: &str = "application/pcapng";

/// The methods of every path.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// A body, and its compressed form after the first request for it.
#[derive(Debug)]
pub(super) struct Document {
    content_type: &'static str,
    /// The headers of a request that the answer depends on.
    vary: &'static str,
    plain: Bytes,
    gzip: OnceLock<Option<Bytes>>,
}

impl Document {
    pub(super) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { content_type, vary: "accept-encoding", plain: body.into(), gzip: OnceLock::new() }
    }

    /// A body whose type the client has chosen.
    pub(super) fn negotiated(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { vary: "accept, accept-encoding", ..Self::new(content_type, body) }
    }

    pub(super) fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value).map_err(|error| {
            tracing::error!("an HTTP answer could not be serialised: {error}");
            Failure::Broken
        })?;
        Ok(Self::new(JSON, body))
    }

    #[cfg(test)]
    pub(super) fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The answer with status 200, compressed if the client accepts that and it saves packets.
    pub(super) fn response(&self, gzip: Gzip) -> Response {
        self.respond(gzip, |body| body)
    }

    /// An answer that holds `place` until its body is sent or given up.
    pub(super) fn response_in(&self, place: OwnedSemaphorePermit, gzip: Gzip) -> Response {
        self.respond(gzip, |bytes| Bytes::from_owner(PlacedBody { bytes, _place: place }))
    }

    fn respond(&self, gzip: Gzip, body: impl FnOnce(Bytes) -> Bytes) -> Response {
        let gzip = match gzip {
            Gzip::Accepted => self.gzip(),
            Gzip::Unwanted => None,
        };
        let is_gzip = gzip.is_some();
        let mut response = Response::new(body(gzip.unwrap_or_else(|| self.plain.clone())).into());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static(self.vary));
        if is_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn gzip(&self) -> Option<Bytes> {
        if self.plain.len() < GZIP_BYTES_MIN {
            return None;
        }
        self.gzip.get_or_init(|| compress(&self.plain)).clone()
    }
}

/// A body and the place that it takes.
struct PlacedBody {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for PlacedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Whether a client accepts compressed answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gzip {
    Accepted,
    Unwanted,
}

impl Gzip {
    /// Reads it from a request's headers (RFC 9110 section 12.5.3).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if accepts_gzip(headers) { Self::Accepted } else { Self::Unwanted }
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut wildcard = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
            let wanted = weight.is_ok_and(|weight| weight > 0.0);
            match coding.trim() {
                coding if coding.eq_ignore_ascii_case("gzip") => return wanted,
                "*" => wildcard = wanted,
                _ => {}
            }
        }
    }
    wildcard
}

/// Why a request gets an error. The client gets the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("unknown path; /api/v1/openapi.json lists all paths")]
    UnknownPath,
    #[error("only GET and HEAD are allowed here")]
    Method,
    #[error("the request has no path; a path begins with a slash, as in GET /metrics")]
    NoPath,
    #[error(
        "the request needs exactly one Host header with a name or an address, as in Host: localhost:10853"
    )]
    HostHeader,
    #[error(
        "this agent does not answer requests for that host name; start it with --allow-host NAME to allow the name"
    )]
    ForeignHost,
    #[error(
        "this agent needs its token: send it as Authorization: Bearer TOKEN, or as the password in a browser"
    )]
    Unauthorized,
    #[error("too many clients are being answered; try again in a second")]
    Busy,
    #[error(transparent)]
    Period(#[from] PeriodError),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("{FOCUSES_MAX} focuses are open; one closes a minute after it was last asked for")]
    TooManyFocuses,
    #[error(transparent)]
    Packets(#[from] PacketsError),
    #[error("not capturing: {0}")]
    Unhealthy(String),
    #[error("the answer was not ready in time; the agent is overloaded")]
    TimedOut,
    #[error("the answer could not be made; see the log of the agent")]
    Broken,
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownPath | Self::Period(PeriodError::OutOfRange { .. } | PeriodError::NoSpan) => {
                StatusCode::NOT_FOUND
            }
            Self::Period(PeriodError::NotYet { .. }) => StatusCode::TOO_EARLY,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoPath | Self::HostHeader | Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ForeignHost | Self::Packets(PacketsError::NotAllowed) => StatusCode::FORBIDDEN,
            Self::TooManyFocuses | Self::Packets(PacketsError::TooMany) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unhealthy(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut | Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Marks an answer whose end is not known when it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamedAnswer;

/// A stream of packets. Its connection ends with it.
pub(super) fn packets(stream: PacketStream) -> Response {
    let mut response = warp::reply::stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PCAPNG));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"dns.pcapng\""));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response.extensions_mut().insert(StreamedAnswer);
    response
}

/// The answer with an error.
pub(super) fn failed(failure: &Failure) -> Response {
    let body = ErrorBody { error: failure.to_string() };
    // A struct of one string always serialises.
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = Document::new(JSON, body).response(Gzip::Unwanted);
    *response.status_mut() = failure.status();
    if *failure == Failure::Method {
        response.headers_mut().insert(ALLOW, METHODS);
    }
    if *failure == Failure::Unauthorized {
        for challenge in token::CHALLENGES {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        accepts_gzip(&headers)
    }

    #[test]
    fn gzip_is_used_only_if_the_client_accepts_it() {
        assert!(!accepts_gzip(&HeaderMap::new()));
        for yes in ["gzip", "GZIP", "deflate, gzip;q=0.5", "*", "br , gzip ; q=1.0"] {
            assert!(accepts(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "*, gzip;q=0", "*;q=0", "gzip;q=x"] {
            assert!(!accepts(no), "{no}");
        }
    }
}
