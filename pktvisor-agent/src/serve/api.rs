//! What all handlers share: their state, and how they respond.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use warp::reply::Response;

use super::answer::{Document, Failure, Gzip, failed};
use super::cache::Cache;
use super::source::AnswerSource;
use super::statistics::Statistics;

/// The state that all handlers share.
pub(super) struct Api {
    pub(super) source: Arc<dyn AnswerSource>,
    pub(super) cache: Cache,
    pub(super) statistics: Arc<Statistics>,
    pub(super) openapi: Result<Document, Failure>,
}

/// Responds with a document that may have a place for long lists.
pub(super) fn respond_in(
    place: Option<OwnedSemaphorePermit>,
    result: Result<Arc<Document>, Failure>,
    gzip: Gzip,
) -> Response {
    match (place, result) {
        (Some(place), Ok(document)) => document.response_in(place, gzip),
        (_, result) => respond(result, gzip),
    }
}

/// Responds with a document.
pub(super) fn respond(result: Result<Arc<Document>, Failure>, gzip: Gzip) -> Response {
    match result {
        Ok(document) => document.response(gzip),
        Err(failure) => failed(&failure),
    }
}
