//! The paths that start something: a focus, and a stream of packets.

use std::sync::Arc;

use pktvisor_api::ErrorBody;
use pktvisor_metrics::ListLength;
use pktvisor_metrics::watch::{MessageFilter, TooManyWatches};
use warp::reply::Response;

use super::answer::{self, Document, Failure, Gzip, PCAPNG, failed};
use super::api::{Api, respond_in};
use super::common_failures::CommonFailures;
use super::filter::{FilterParameters, take_filter};
use super::packets::{PacketBounds, PacketStream, StreamQueue};
use super::period::KeyedPeriod;
use super::query::{ParameterError, Parameters};

const FILTER_PARAMETERS: &str = "client, server, network, zone, name, rcode and qtype";
const FOCUS_PARAMETERS: &str = "client, server, network, zone, name, rcode, qtype and top";

/// A recorder of its own for the DNS messages that match all parameters, from the first request on, in the shape of a
/// period. It is kept for a minute after the last request.
#[utoipa::path(get, path = "/api/v1/focus", tag = "metrics",
    params(
        FilterParameters,
        ("top" = Option<usize>, Query, description = "Length of lists, 1 to 1000; 10 if absent")
    ),
    responses(
        CommonFailures,
        (status = 200, description = "What matched since the focus was opened, under the key \"focus\"", body = KeyedPeriod),
        (status = 400, description = "No path, not exactly one valid Host header, no filter, or a bad or unknown parameter", body = ErrorBody),
        (status = 429, description = "As many focuses are open as may be", body = ErrorBody),
        (status = 503, description = "Too many clients are being sent longer lists than usual", body = ErrorBody)))]
pub(super) async fn focus(query: String, api: Arc<Api>, gzip: Gzip) -> Response {
    let (filter, lists) = match focus_of(&query) {
        Ok(wanted) => wanted,
        Err(failure) => return failed(&failure),
    };
    let place = match api.cache.place(lists) {
        Ok(place) => place,
        Err(failure) => return failed(&failure),
    };
    let source = api.source.clone();
    let make = move || {
        let period = source.focus(&filter, lists).map_err(|TooManyWatches| Failure::TooManyFocuses)?;
        Document::json(&KeyedPeriod::of_focus(period)).map(Arc::new)
    };
    respond_in(place, api.cache.make(make).await, gzip)
}

fn focus_of(query: &str) -> Result<(MessageFilter, ListLength), Failure> {
    let mut parameters = Parameters::parse(query)?;
    let (filter, lists) =
        (take_filter(&mut parameters)?, parameters.take_top()?.unwrap_or(ListLength::DEFAULT));
    parameters.finish(FOCUS_PARAMETERS)?;
    if filter.is_empty() {
        return Err(ParameterError::Missing { known: FILTER_PARAMETERS }.into());
    }
    Ok((filter, lists))
}

const PACKETS_PARAMETERS: &str = "client, server, network, zone, name, rcode, qtype, limit and seconds";

/// The packets of the DNS messages that match all parameters and reach analysis from now on, as a stream of pcapng. Its
/// last block states how many packets were written, and how many were dropped because the client was too slow.
#[utoipa::path(get, path = "/api/v1/packets", tag = "packets",
    params(
        FilterParameters,
        ("limit" = Option<u64>, Query, description = "End after this number of packets, 1 to 100000; 1000 if absent"),
        ("seconds" = Option<u64>, Query, description = "End after this time, 1 to 300; 30 if absent")
    ),
    responses(
        (status = 200, description = "A pcapng section", body = Vec<u8>, content_type = PCAPNG),
        (status = 400, description = "No path, not exactly one valid Host header, or a bad or unknown parameter", body = ErrorBody),
        (status = 403, description = "The agent was started without --allow-packets; or, on a loopback address, a host name that --allow-host does not allow", body = ErrorBody),
        (status = 405, description = "Neither GET nor HEAD", body = ErrorBody),
        (status = 429, description = "As many streams are open as may be", body = ErrorBody)))]
pub(super) async fn packets(query: String, api: Arc<Api>, _gzip: Gzip) -> Response {
    match packet_stream(&query, &api) {
        Ok(stream) => answer::packets(stream),
        Err(failure) => failed(&failure),
    }
}

fn packet_stream(query: &str, api: &Api) -> Result<PacketStream, Failure> {
    let mut parameters = Parameters::parse(query)?;
    let filter = take_filter(&mut parameters)?;
    let limit = 1..=PacketBounds::PACKETS_MAX;
    let limit = parameters.take_number("limit", "a number from 1 to 100000", limit)?;
    let seconds = 1..=PacketBounds::SECONDS_MAX;
    let seconds = parameters.take_number("seconds", "a number from 1 to 300", seconds)?;
    parameters.finish(PACKETS_PARAMETERS)?;
    let bounds = PacketBounds {
        packets: limit.unwrap_or(PacketBounds::PACKETS_DEFAULT),
        seconds: seconds.unwrap_or(PacketBounds::SECONDS_DEFAULT),
    };
    let (queue, queued) = StreamQueue::new();
    let watch = api.source.packets(filter, queue.clone())?;
    Ok(PacketStream::new(queue, queued, watch, bounds))
}
