//! One connection, from the TLS handshake to its last answer.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use warp::reply::Response;

use super::answer::{self, Failure, StreamedAnswer};
use super::host::HostPolicy;
use super::limits::Limits;
use super::origins::Origins;
use super::refusal;
use super::routes::Handler;
use super::statistics::Statistics;
use super::stream::{Phase, TimedStream};
use super::token::AccessToken;

/// Largest request header, in bytes; larger ones are answered with status 431.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The one path that needs no token: probes of orchestrators have none, and it holds no metrics.
const OPEN_PATH: &str = "/healthz";

/// What all connections share.
pub(super) struct HttpExchange {
    pub(super) handler: Handler,
    pub(super) origins: Origins,
    pub(super) token: Option<AccessToken>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) statistics: Arc<Statistics>,
    /// Cancelled at shutdown.
    pub(super) closing: CancellationToken,
}

impl HttpExchange {
    /// Serves one connection from its first request to its last.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        hosts: HostPolicy,
        watcher: Watcher,
        phase: Phase,
    ) {
        let Some(tls) = &self.tls else { return self.serve_http(stream, hosts, watcher, phase).await };
        if let Some(stream) = self.shake_hands(tls, stream).await {
            self.serve_http(stream, hosts, watcher, phase).await;
        }
    }

    /// Begins TLS. `None` if the client does not, or takes too long.
    async fn shake_hands(&self, tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Ok(None);
            }
            // A handshake begins with 22 (RFC 8446 section 5.1), a request with a letter.
            if first[0].is_ascii_uppercase() {
                refusal::refuse(&stream, &refusal::needs_tls());
                return Err(io::ErrorKind::InvalidData.into());
            }
            tls.accept(stream).await.map(Some)
        };
        let outcome = tokio::select! {
            () = self.closing.cancelled() => return None,
            outcome = timeout(self.limits.header, handshake) => outcome,
        };
        match outcome {
            Ok(Ok(stream)) => return stream,
            Ok(Err(error)) => {
                debug!("a TLS handshake failed: {error}");
                self.statistics.tls_failed.record();
            }
            Err(_elapsed) => self.statistics.too_slow.record(),
        }
        None
    }

    async fn serve_http<S>(self: &Arc<Self>, stream: S, hosts: HostPolicy, watcher: Watcher, phase: Phase)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = TimedStream::new(stream, self.limits, self.statistics.clone(), phase.clone());
        let exchange = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            phase.set_request_received();
            let (exchange, hosts, phase) = (exchange.clone(), hosts.clone(), phase.clone());
            async move {
                let response = exchange.respond(request, &hosts).await;
                match response.extensions().get() {
                    Some(StreamedAnswer) => phase.set_streaming(),
                    None => phase.set_answer_made(),
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut http = http1::Builder::new();
        // The stream keeps the time, which also covers idle connections and clients that do not read.
        http.header_read_timeout(None).max_buf_size(HEADER_BYTES_MAX);
        // A client may close its sending side (`nc -N`) and still wait for its answers.
        http.half_close(true);
        if let Err(error) = watcher.watch(http.serve_connection(TokioIo::new(stream), service)).await {
            debug!("HTTP connection ended: {error}");
        }
    }

    async fn respond(&self, mut request: Request<Incoming>, hosts: &HostPolicy) -> Response {
        // Before warp, which treats every target as a path.
        match hosts.check(&request).and_then(|()| refusal::with_path(request.uri())) {
            Ok(path) => *request.uri_mut() = path,
            // Not even to an allowed origin, because the request may come from a rebound name.
            Err(failure) => return self.failed(&failure),
        }
        let headers = if self.origins.is_empty() { HeaderMap::new() } else { request.headers().clone() };
        let mut response = match self.token.as_ref().map(|token| token.is_shown(request.headers())) {
            Some(false) if request.uri().path() != OPEN_PATH => match self.origins.preflight(&request) {
                Some(preflight) => preflight,
                None => self.failed(&Failure::Unauthorized),
            },
            _ => {
                let handler = TowerToHyperService::new(warp::service(self.handler.clone()));
                let answer = hyper::service::Service::call(&handler, request);
                match timeout(self.limits.request, answer).await {
                    Ok(Ok(response)) => response,
                    Err(_elapsed) => self.failed(&Failure::TimedOut),
                }
            }
        };
        self.origins.permit(&headers, &mut response);
        response
    }

    fn failed(&self, failure: &Failure) -> Response {
        match failure {
            Failure::NoPath | Failure::HostHeader => self.statistics.malformed.record(),
            Failure::ForeignHost => self.statistics.foreign_host.record(),
            Failure::Unauthorized => self.statistics.unauthorized.record(),
            _ => {}
        }
        answer::failed(failure)
    }
}
