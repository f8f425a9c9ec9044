//! OTLP over HTTP: protobuf in the body of a POST, compressed.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::connect::CollectorStream;
use super::{Accepted, PushError, Remedy, innermost, shortened};
use crate::collector::OtlpCollector;
use crate::endpoint::CollectorEndpoint;

/// Largest answer that is read. A collector has little to say.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A collector that breaks the connection often speaks something else; then the port is wrong.
const HINT: &str = "check the port (4318 is usual), whether it wants TLS (https://), \
                    and whether --otlp-protocol grpc is meant";

pub(crate) struct HttpClient {
    sender: SendRequest<Full<Bytes>>,
    endpoint: CollectorEndpoint,
    headers: HeaderMap,
}

impl HttpClient {
    pub(super) async fn start(stream: CollectorStream, collector: &OtlpCollector) -> Result<Self, PushError> {
        let handshake = http1::handshake(stream).await;
        let (sender, connection) = handshake.map_err(|error| PushError::passing(innermost(&error)))?;
        // Its error is also the one of the request.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, endpoint: collector.endpoint().clone(), headers: collector.headers().clone() })
    }

    pub(super) async fn send(&mut self, request: &[u8]) -> Result<Accepted, PushError> {
        let authority = self.endpoint.origin().authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.path().as_str())
            .header(HOST, authority)
            .header(USER_AGENT, super::USER_AGENT)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(CONTENT_ENCODING, "gzip")
            .body(Full::from(gzip(request)))
            .map_err(|error| PushError::lasting(error.to_string()))?;
        request.headers_mut().extend(self.headers.clone());
        self.sender.ready().await.map_err(|error| broken(&error))?;
        let answer = self.sender.send_request(request).await.map_err(|error| broken(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        if head.status.is_success() {
            // The collector has accepted the request, even if its answer cannot be read.
            return Ok(ExportMetricsServiceResponse::decode(body).unwrap_or_default().into());
        }
        Err(failure(head.status, &head.headers, &body))
    }
}

/// Which codes pass is in the specification of OTLP ("OTLP/HTTP Response", "Retryable Response Codes").
fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> PushError {
    let message = message(body);
    let reason = format!("answers {status}{}{message}", if message.is_empty() { "" } else { ": " });
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            PushError { reason, remedy: Remedy::TryAgain { after: retry_after(headers) } }
        }
        StatusCode::NOT_FOUND => {
            PushError::lasting(format!("has no metrics service at this path: it {reason}"))
        }
        _ => PushError::lasting(reason),
    }
}

/// In seconds; dates are left to our own back-off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The message of a `google.rpc.Status`, or a text.
fn message(body: &[u8]) -> String {
    #[derive(Clone, PartialEq, prost::Message)]
    struct RpcStatus {
        #[prost(string, tag = "2")]
        message: String,
    }
    match RpcStatus::decode(body) {
        Ok(failure) if !failure.message.is_empty() => shortened(&failure.message),
        _ => std::str::from_utf8(body).map(shortened).unwrap_or_default(),
    }
}

/// The connection broke before there was an answer.
fn broken(error: &hyper::Error) -> PushError {
    let innermost = shortened(&innermost(error));
    PushError::broken(format!("ends the connection without an HTTP answer ({innermost}): {HINT}"))
}

fn gzip(request: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(request.len() / 4), Compression::fast());
    // Writing into a Vec does not fail.
    let _ = encoder.write_all(request);
    encoder.finish().unwrap_or_default().into()
}
