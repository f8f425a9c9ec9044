//! Answers with lists, whose length the client chooses.

use pktvisor_metrics::ListLength;
use warp::reply::Response;

use super::answer::{Document, Failure, Gzip, failed};
use super::api::{Api, respond_in};
use super::cache::CacheKey;
use super::query::{self, Parameters};

/// An answer with lists of the length that the query string asks for, or of the `usual` one.
pub(super) async fn listing(
    query: &str,
    usual: ListLength,
    api: &Api,
    gzip: Gzip,
    key: impl FnOnce(ListLength) -> CacheKey,
    make: impl FnOnce(ListLength) -> Result<Document, Failure> + Send + 'static,
) -> Response {
    let placed = lists_of(query, usual).and_then(|lists| Ok((lists, api.cache.place(lists)?)));
    match placed {
        Ok((lists, place)) => {
            let made = api.cache.get(key(lists), api.source.moment(), move || make(lists)).await;
            respond_in(place, made, gzip)
        }
        Err(failure) => failed(&failure),
    }
}

fn lists_of(query: &str, usual: ListLength) -> Result<ListLength, Failure> {
    // A path without parameters of its own never looked at the query string.
    if !query.contains("top=") {
        return Ok(usual);
    }
    Ok(Parameters::parse(query)?.take_top()?.unwrap_or(usual))
}

/// A period's number. Any other text becomes a number outside every range, so that the answer names
/// the range.
pub(super) fn number(segment: &str) -> usize {
    query::number(segment).and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX)
}
