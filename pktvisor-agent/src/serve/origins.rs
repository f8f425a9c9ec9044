//! The origins whose pages may read answers in a browser: `--allow-origin`.
//!
//! A browser lets the scripts of a page read answers of its own origin only (RFC 6454), unless the
//! answer names the page's origin in `Access-Control-Allow-Origin` (Fetch standard, section "CORS
//! protocol"). Every path is read by simple requests. Only an agent with a token is asked first
//! (a *preflight*), because a page has to send the token in a header.

use std::collections::BTreeSet;

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use hyper::{HeaderMap, Method, Request, StatusCode};
use warp::reply::Response;

/// The allowed origins, as browsers write them.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(BTreeSet<String>);

impl Origins {
    /// These origins, such as `http://metrics.example:10853`.
    pub(super) fn of(origins: &[String]) -> Self {
        Self(origins.iter().cloned().collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets the page that sent a request read its answer, if its origin is allowed.
    pub(super) fn permit(&self, request: &HeaderMap, answer: &mut Response) {
        if self.is_empty() {
            return;
        }
        // Every answer depends on the origin, so that caches keep those of several origins apart.
        answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = self.allowed(request) {
            answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
    }

    /// The answer to a browser that asks whether an allowed origin may send the token with a request
    /// that reads. The question itself never has the token.
    pub(super) fn preflight<B>(&self, request: &Request<B>) -> Option<Response> {
        let asked = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD)?;
        let is_read = asked == "GET" || asked == "HEAD";
        if request.method() != Method::OPTIONS || !is_read || self.allowed(request.headers()).is_none() {
            return None;
        }
        let mut answer = Response::default();
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization"));
        Some(answer)
    }

    /// The origin of a request, if it is allowed.
    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let mut values = request.get_all(ORIGIN).iter();
        match (values.next(), values.next()) {
            (Some(origin), None) if self.0.contains(origin.to_str().ok()?) => Some(origin.clone()),
            _ => None,
        }
    }
}
