//! gRPC: `tonic` over one HTTP/2 connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response};
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

use super::connect::CollectorStream;
use super::{Accepted, PushError, Remedy, USER_AGENT, innermost, shortened};
use crate::collector::OtlpCollector;

/// The method of the metrics service (opentelemetry/proto/collector/metrics/v1/metrics_service.proto).
const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// Largest answer that is read. A collector has little to say.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A collector that breaks the connection, or has no such service, often speaks something else.
const HINT: &str = "check the port (4317 is usual), whether it wants TLS (https://), \
                    and whether --otlp-protocol http is meant";

pub(crate) struct GrpcClient {
    grpc: tonic::client::Grpc<Http2>,
    headers: HeaderMap,
}

impl GrpcClient {
    pub(super) async fn start(stream: CollectorStream, collector: &OtlpCollector) -> Result<Self, PushError> {
        let handshake = http2::handshake(TokioExecutor::new(), stream).await;
        let (sender, connection) = handshake.map_err(|error| PushError::passing(innermost(&error)))?;
        // Its error is also the one of the request.
        tokio::spawn(async move { drop(connection.await) });
        let grpc = tonic::client::Grpc::with_origin(Http2(sender), collector.endpoint().origin().clone())
            .send_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Self { grpc, headers: collector.headers().clone() })
    }

    pub(super) async fn send(&mut self, request: Bytes) -> Result<Accepted, PushError> {
        self.grpc.ready().await.map_err(|error| broken(&error))?;
        let mut request = tonic::Request::new(request);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        request.metadata_mut().insert("user-agent", MetadataValue::from_static(USER_AGENT));
        match self.grpc.unary(request, PathAndQuery::from_static(EXPORT), Encoded).await {
            Ok(response) => Ok(response.into_inner().into()),
            Err(status) => Err(failure(&status)),
        }
    }
}

/// Which codes pass is in the specification of OTLP ("OTLP/gRPC Response", "Failures").
fn failure(status: &Status) -> PushError {
    if let Some(error) = std::error::Error::source(status) {
        return broken(error);
    }
    let message = shortened(status.message());
    let reason =
        format!("answers {:?}{}{message}", status.code(), if message.is_empty() { "" } else { ": " });
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => PushError::passing(reason),
        // With a time to wait, which is in a message of its own, it passes; without, it lasts.
        Code::ResourceExhausted if names_retry_info(status.details()) => PushError::passing(reason),
        Code::Unimplemented => PushError::lasting(format!("has no metrics service for gRPC there: {HINT}")),
        _ => PushError { reason, remedy: Remedy::GiveUp },
    }
}

/// Whether the details of a status hold a `google.rpc.RetryInfo`.
fn names_retry_info(details: &[u8]) -> bool {
    const NAME: &[u8] = b"google.rpc.RetryInfo";
    details.windows(NAME.len()).any(|window| window == NAME)
}

/// The connection broke before there was an answer.
fn broken(error: &(dyn std::error::Error + 'static)) -> PushError {
    let innermost = shortened(&innermost(error));
    PushError::broken(format!("ends the connection without a gRPC answer ({innermost}): {HINT}"))
}

/// One HTTP/2 connection as the service that `tonic` sends its requests to.
struct Http2(SendRequest<Body>);

impl tower_service::Service<Request<Body>> for Http2 {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = hyper::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// Requests that are encoded already.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = ExportMetricsServiceResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, request: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(request.len());
        buffer.put(request);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = ExportMetricsServiceResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        let answer = buffer.copy_to_bytes(buffer.remaining());
        // The collector has accepted the request, even if its answer cannot be read.
        Ok(Some(ExportMetricsServiceResponse::decode(answer).unwrap_or_default()))
    }
}
