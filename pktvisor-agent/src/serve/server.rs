//! The accept loop: a bounded number of connections, and an end that lets answers finish.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::answer::{self, Failure};
use super::limits::Limits;
use super::listen::{BindError, listen};
use super::openapi;
use super::routes::{Handler, routes};
use super::source::Source;
use super::stream::{Phase, TimedStream};

/// Largest request header, in bytes; larger ones are answered with status 431.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Pause after a failed accept: descriptors run out for a while, not for a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The metrics web server, listening but not yet answering.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    limits: Limits,
}

impl Server {
    /// Listens on every address of `host` (`localhost`: both loopback addresses). Port 0 takes a free one.
    pub async fn bind(host: &str, port: u16) -> Result<Self, BindError> {
        Ok(Self { listeners: listen(host, port).await?, limits: Limits::default() })
    }

    /// Replaces the limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where it listens, with the actual port.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Answers until `shutdown` is ready, then stops accepting and lets answers in flight finish.
    pub async fn run(self, source: Arc<dyn Source>, shutdown: impl Future<Output = ()>) {
        let Self { listeners, limits } = self;
        let handler = routes(source, limits, &openapi::document());
        let places = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepting = async {
                let place = places.clone().acquire_owned().await;
                (place, accept(&listeners).await)
            };
            let (place, accepted) = tokio::select! {
                () = &mut shutdown => break,
                Some(_ended) = connections.join_next() => continue,
                pair = accepting => pair,
            };
            match accepted {
                Ok(stream) => {
                    let connection = serve(stream, handler.clone(), limits, &graceful);
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!("cannot accept an HTTP connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listeners);
        if timeout(limits.shutdown, graceful.shutdown()).await.is_err() {
            while connections.try_join_next().is_some() {}
            warn!("{} HTTP connections were cut off at shutdown", connections.len());
        }
    }
}

/// The next connection on any listener.
async fn accept(listeners: &[TcpListener]) -> io::Result<TcpStream> {
    poll_fn(|cx| {
        for listener in listeners {
            if let Poll::Ready(result) = listener.poll_accept(cx) {
                return Poll::Ready(result.map(|(stream, _peer)| stream));
            }
        }
        Poll::Pending
    })
    .await
}

/// One connection from its first request to its last.
fn serve(
    stream: TcpStream,
    handler: Handler,
    limits: Limits,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    let phase = Phase::default();
    let stream = TimedStream::new(stream, limits, phase.clone());
    let handler = TowerToHyperService::new(warp::service(handler));
    let service = service_fn(move |request| {
        phase.request_received();
        let answer = timeout(limits.request, handler.call(request));
        let phase = phase.clone();
        async move {
            let response = match answer.await {
                Ok(Ok(response)) => response,
                Err(_elapsed) => answer::failed(&Failure::TimedOut),
            };
            phase.answer_made();
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    // Time is kept by the stream, which also covers idle connections and clients that do not read.
    http.header_read_timeout(None).max_buf_size(HEADER_BYTES_MAX);
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    async move {
        if let Err(error) = connection.await {
            debug!("HTTP connection ended: {error}");
        }
    }
}
