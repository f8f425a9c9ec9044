//! The origins whose pages may read answers in a browser: `--allow-origin`.
//!
//! A browser lets the scripts of a page read answers of its own origin only (RFC 6454), unless the
//! answer names the page's origin in `Access-Control-Allow-Origin` (Fetch standard, section "CORS
//! protocol"). Every path is read by simple requests, so a preflight is never needed.

use std::collections::BTreeSet;

use hyper::HeaderMap;
use hyper::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue, ORIGIN, VARY};
use warp::Filter;
use warp::reply::Response;

use super::routes::Handler;

/// The allowed origins, as browsers write them.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(BTreeSet<String>);

impl Origins {
    /// These origins, such as `http://metrics.example:10853`.
    pub(super) fn of(origins: &[String]) -> Self {
        Self(origins.iter().cloned().collect())
    }

    /// A handler whose answers the pages of these origins may read.
    pub(super) fn permit(self, handler: Handler) -> Handler {
        if self.0.is_empty() {
            return handler;
        }
        let permit = move |request: HeaderMap, mut answer: Response| {
            // Every answer depends on the origin, so that caches keep those of several origins apart.
            answer.headers_mut().append(VARY, HeaderValue::from_static("origin"));
            if let Some(origin) = self.allowed(&request) {
                answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
            answer
        };
        warp::header::headers_cloned().and(handler).map(permit).boxed()
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
