//! Paths and methods: one function per path, with its [OpenAPI](super::openapi) description above it.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::HeaderMap;
use pktvisor_api::{App, ErrorBody, FindingsDocument, Rates, SeriesDocument};
use pktvisor_metrics::{ListLength, RollingSpan};
use serde::Serialize;
use serde_json::Value;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reject::MethodNotAllowed;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::answer::{Document, Failure, Gzip, failed};
use super::api::{Api, respond};
use super::cache::{Cache, CacheKey};
use super::common_failures::CommonFailures;
use super::limits::Limits;
use super::listing::{listing, number};
use super::page;
use super::period::KeyedPeriod;
use super::prometheus::{self, MetricsFormat};
use super::query;
use super::sketches::sketches;
use super::source::{AnswerSource, PeriodError};
use super::statistics::Statistics;
use super::watching::{focus, packets};

/// All paths.
pub(super) type Handler = BoxedFilter<(Response,)>;

/// The paths of the HTTP API, answered from `source` and described by `openapi`.
pub(super) fn routes(
    source: Arc<dyn AnswerSource>,
    limits: Limits,
    statistics: Arc<Statistics>,
    openapi: &Value,
) -> Handler {
    let cache = Cache::new(limits.cache, statistics.clone());
    let api = Arc::new(Api { source, cache, statistics, openapi: Document::json(openapi) });
    let api = warp::any().map(move || api.clone());
    // After a matched path: the method, then the arguments of the handlers.
    let get = read_only().and(api).and(gzip());
    let app = warp::path!("api" / "v1" / "metrics" / "app").and(get.clone()).then(app);
    let rates = warp::path!("api" / "v1" / "metrics" / "rates").and(get.clone()).then(rates);
    let series = warp::path!("api" / "v1" / "metrics" / "series").and(get.clone()).then(series);
    let findings = warp::path!("api" / "v1" / "findings").and(get.clone()).then(findings);
    let bucket = warp::path!("api" / "v1" / "metrics" / "bucket" / String)
        .and(query_string())
        .and(get.clone())
        .then(bucket);
    let window = warp::path!("api" / "v1" / "metrics" / "window" / String)
        .and(query_string())
        .and(get.clone())
        .then(window);
    let rolling = warp::path!("api" / "v1" / "metrics" / "rolling" / String);
    let rolling = rolling.and(query_string()).and(get.clone()).then(self::rolling);
    let sketches = warp::path!("api" / "v1" / "sketches" / "window" / String);
    let sketches = sketches.and(query_string()).and(get.clone()).then(self::sketches);
    let focus = warp::path!("api" / "v1" / "focus").and(query_string()).and(get.clone()).then(focus);
    let packets = warp::path!("api" / "v1" / "packets").and(query_string()).and(get.clone()).then(packets);
    let openapi = warp::path!("api" / "v1" / "openapi.json").and(get.clone()).then(description);
    let metrics = warp::path!("metrics").and(format()).and(get.clone()).then(metrics);
    let health = warp::path!("healthz").and(get).then(health);
    let paths = app.or(rates).unify().or(series).unify().or(bucket).unify().or(window).unify();
    let paths = paths.or(findings).unify().or(rolling).unify().or(focus).unify().or(packets).unify();
    let paths = paths.or(sketches).unify().or(openapi).unify().or(metrics).unify().or(health).unify();
    let paths = paths.or(page::paths()).unify();
    no_trailing_slash().and(paths).recover(rejected).unify().boxed()
}

/// Rejects `/metrics/`, which warp takes for `/metrics`: a resource has one name.
fn no_trailing_slash() -> impl Filter<Extract = (), Error = Rejection> + Clone {
    let check = |path: FullPath| async move {
        if path.as_str() != "/" && path.as_str().ends_with('/') {
            Err(warp::reject::not_found())
        } else {
            Ok(())
        }
    };
    warp::path::full().and_then(check).untuple_one()
}

fn read_only() -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::get().or(warp::head()).unify()
}

/// The query string, which may be absent.
fn query_string() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

fn gzip() -> impl Filter<Extract = (Gzip,), Error = Infallible> + Clone {
    warp::header::headers_cloned().map(|headers: HeaderMap| Gzip::of(&headers))
}

/// The format of `/metrics`.
fn format() -> impl Filter<Extract = (MetricsFormat,), Error = Infallible> + Clone {
    warp::header::headers_cloned().map(|headers: HeaderMap| MetricsFormat::of(&headers))
}

async fn rejected(rejection: Rejection) -> Result<Response, Infallible> {
    let failure = match rejection.find::<MethodNotAllowed>() {
        Some(_) => Failure::Method,
        None => Failure::UnknownPath,
    };
    Ok(failed(&failure))
}

/// The agent about itself: settings, capture, and what happened to each packet.
#[utoipa::path(get, path = "/api/v1/metrics/app", tag = "metrics", responses(
    CommonFailures,
    (status = 200, description = "The agent's settings and state", body = App)))]
async fn app(api: Arc<Api>, gzip: Gzip) -> Response {
    let (source, statistics) = (api.source.clone(), api.statistics.clone());
    let make = move || {
        let mut app = source.app();
        app.app.http = Some(statistics.info());
        Document::json(&app).map(Arc::new)
    };
    let made = api.cache.make(make).await;
    respond(made, gzip)
}

/// Counts of the last full second.
#[utoipa::path(get, path = "/api/v1/metrics/rates", tag = "metrics", responses(
    CommonFailures,
    (status = 200, description = "Counts of the last full second", body = Rates)))]
async fn rates(api: Arc<Api>, gzip: Gzip) -> Response {
    let source = api.source.clone();
    let made = api.cache.make(move || Document::json(&source.rates()).map(Arc::new)).await;
    respond(made, gzip)
}

/// The last 300 full seconds in columns, one value a second; fewer after start.
#[utoipa::path(get, path = "/api/v1/metrics/series", tag = "metrics", responses(
    CommonFailures,
    (status = 200, description = "Consecutive seconds, oldest first", body = SeriesDocument)))]
async fn series(api: Arc<Api>, gzip: Gzip) -> Response {
    let source = api.source.clone();
    let make = move || Document::json(&source.series());
    respond(api.cache.get(CacheKey::Series, api.source.moment(), make).await, gzip)
}

/// What is wrong now, the most severe first; docs/findings.md describes the rules.
#[utoipa::path(get, path = "/api/v1/findings", tag = "metrics", responses(
    CommonFailures,
    (status = 200, description = "The findings at the end of the last second", body = FindingsDocument)))]
async fn findings(api: Arc<Api>, gzip: Gzip) -> Response {
    let source = api.source.clone();
    // Not cached: if no further moment is published, that is a finding, too.
    let made = api.cache.make(move || Document::json(&source.findings()).map(Arc::new)).await;
    respond(made, gzip)
}

/// One period of 60 seconds.
#[utoipa::path(get, path = "/api/v1/metrics/bucket/{n}", tag = "metrics",
    params(
        ("n" = usize, Path, description = "0 is the live period, 1 the last closed one"),
        ("top" = Option<usize>, Query, description = "Length of lists, 1 to 1000; 10 if absent")
    ),
    responses(
        CommonFailures,
        (status = 200, description = "The period under the key \"1m\"", body = KeyedPeriod),
        (status = 400, description = "No path, not exactly one valid Host header, or a bad length of lists", body = ErrorBody),
        (status = 404, description = "No such number; the sentence names the range", body = ErrorBody),
        (status = 425, description = "Not filled yet; the sentence names the filled range", body = ErrorBody),
        (status = 503, description = "Too many clients are being sent longer lists than usual", body = ErrorBody)))]
async fn bucket(segment: String, query: String, api: Arc<Api>, gzip: Gzip) -> Response {
    let n = number(&segment);
    let source = api.source.clone();
    let make = move |lists| Document::json(&KeyedPeriod::new(1, source.bucket(n, lists)?));
    listing(&query, ListLength::DEFAULT, &api, gzip, |lists| CacheKey::Bucket(n, lists), make).await
}

/// The newest periods merged, or all filled ones if those are fewer. `period` holds start and length.
#[utoipa::path(get, path = "/api/v1/metrics/window/{n}", tag = "metrics",
    params(
        ("n" = usize, Path, description = "How many periods, from 2 to as many as are kept"),
        ("top" = Option<usize>, Query, description = "Length of lists, 1 to 1000; 10 if absent")
    ),
    responses(
        CommonFailures,
        (status = 200, description = "The window under its length, such as \"5m\"", body = KeyedPeriod),
        (status = 400, description = "No path, not exactly one valid Host header, or a bad length of lists", body = ErrorBody),
        (status = 404, description = "No such number; the sentence names the range", body = ErrorBody),
        (status = 503, description = "Too many clients are being sent longer lists than usual", body = ErrorBody)))]
async fn window(segment: String, query: String, api: Arc<Api>, gzip: Gzip) -> Response {
    let n = number(&segment);
    let source = api.source.clone();
    let make = move |lists| {
        let window = source.window(n, lists)?;
        Document::json(&KeyedPeriod::new(window.minutes, window.period))
    };
    listing(&query, ListLength::DEFAULT, &api, gzip, |lists| CacheKey::Window(n, lists), make).await
}

/// The last seconds in the shape of a period: at least `s`, and up to 9 more once somebody has asked for a while. Before
/// that they begin with a period. `period` holds start and length. Distinct counts are 0 unless they begin with a period.
#[utoipa::path(get, path = "/api/v1/metrics/rolling/{s}", tag = "metrics",
    params(
        ("s" = u64, Path, description = "10, 20, 30, 40, 50 or 60"),
        ("top" = Option<usize>, Query, description = "Length of lists, 1 to 1000; 10 if absent")
    ),
    responses(
        CommonFailures,
        (status = 200, description = "The seconds under the key that was asked for, such as \"10s\"", body = KeyedPeriod),
        (status = 400, description = "No path, not exactly one valid Host header, or a bad length of lists", body = ErrorBody),
        (status = 404, description = "Another number of seconds; the sentence names those that exist", body = ErrorBody),
        (status = 503, description = "Too many clients are being sent longer lists than usual", body = ErrorBody)))]
async fn rolling(segment: String, query: String, api: Arc<Api>, gzip: Gzip) -> Response {
    let Some(span) = query::number(&segment).and_then(RollingSpan::new) else {
        return failed(&Failure::Period(PeriodError::NoSpan));
    };
    let source = api.source.clone();
    let make =
        move |lists| Document::json(&KeyedPeriod::of_seconds(span.seconds(), source.rolling(span, lists)));
    listing(&query, ListLength::DEFAULT, &api, gzip, |lists| CacheKey::Rolling(span, lists), make).await
}

/// Counters since start, and the last closed period (the live one before the first rotation) as gauges. The Accept header
/// decides on the format: text 0.0.4, OpenMetrics 1.0, or protobuf with native histograms.
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses(
    CommonFailures,
    (status = 200, description = "The metric families", content(
        (String = MetricsFormat::Text.content_type()),
        (String = MetricsFormat::OpenMetrics.content_type()),
        (Vec<u8> = MetricsFormat::Protobuf.content_type())))))]
async fn metrics(format: MetricsFormat, api: Arc<Api>, gzip: Gzip) -> Response {
    let source = api.source.clone();
    let make = move || {
        let body = prometheus::encode(source.families(), format).map_err(|_| {
            tracing::error!("the metrics could not be written in the format {format:?}");
            Failure::Broken
        })?;
        Ok(Document::negotiated(format.content_type(), body))
    };
    respond(api.cache.get(CacheKey::Prometheus(format), api.source.moment(), make).await, gzip)
}

/// This OpenAPI document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "agent", responses(
    CommonFailures,
    (status = 200, description = "An OpenAPI 3.1 document", body = Object)))]
async fn description(api: Arc<Api>, gzip: Gzip) -> Response {
    match &api.openapi {
        Ok(document) => document.response(gzip),
        Err(failure) => failed(failure),
    }
}

/// The agent is healthy.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the agent captures, or serves a finished file.
#[utoipa::path(get, path = "/healthz", tag = "agent", responses(
    (status = 200, description = "Capturing, or serving a finished file", body = Health),
    (status = 400, description = "No path, or not exactly one valid Host header", body = ErrorBody),
    (status = 403, description = "On a loopback address: a host name that --allow-host does not allow", body = ErrorBody),
    (status = 405, description = "Neither GET nor HEAD", body = ErrorBody),
    (status = 503, description = "Nothing is captured; the sentence says why: not yet, not any more, or the interface is gone", body = ErrorBody)))]
async fn health(api: Arc<Api>, gzip: Gzip) -> Response {
    let ok = Health { status: "ok" };
    let document = api.source.health().map_err(Failure::Unhealthy).and_then(|()| Document::json(&ok));
    respond(document.map(Arc::new), gzip)
}
