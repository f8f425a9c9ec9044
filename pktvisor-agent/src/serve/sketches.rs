//! A window in the form that merges with those of other agents.

use std::sync::Arc;

use pktvisor_api::{ErrorBody, SketchDocument};
use pktvisor_metrics::ListLength;
use warp::reply::Response;

use super::answer::{Document, Gzip};
use super::api::Api;
use super::cache::CacheKey;
use super::common_failures::CommonFailures;
use super::listing::{listing, number};

/// The length of lists if the client asks for no other. The longer they are, the tighter the bounds
/// of merged lists.
const USUAL_LENGTH: usize = 200;

/// The newest periods merged, with what is needed to merge them with the same window of other agents: DataSketches images
/// of distinct counts, exponential histograms of quantiles, and longer lists with the greatest count that each leaves out.
#[utoipa::path(get, path = "/api/v1/sketches/window/{n}", tag = "metrics",
    params(
        ("n" = usize, Path, description = "How many periods, from 1, the live one, to as many as are kept"),
        ("top" = Option<usize>, Query, description = "Length of lists, 1 to 1000; 200 if absent")
    ),
    responses(
        CommonFailures,
        (status = 200, description = "The window, or all filled periods if those are fewer", body = SketchDocument),
        (status = 400, description = "No path, not exactly one valid Host header, or a bad length of lists", body = ErrorBody),
        (status = 404, description = "No such number; the sentence names the range", body = ErrorBody),
        (status = 503, description = "Too many clients are being sent longer lists than usual", body = ErrorBody)))]
pub(super) async fn sketches(segment: String, query: String, api: Arc<Api>, gzip: Gzip) -> Response {
    let n = number(&segment);
    let source = api.source.clone();
    let usual = ListLength::new(USUAL_LENGTH).unwrap_or(ListLength::DEFAULT);
    let make = move |lists| Document::json(&source.sketches(n, lists)?);
    listing(&query, usual, &api, gzip, |lists| CacheKey::Sketches(n, lists), make).await
}
