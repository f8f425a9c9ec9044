//! The accept loop: a bounded number of connections, and a shutdown that lets answers finish.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::answer::{self, Failure, StreamedAnswer};
use super::connections::{Connections, Crowd};
use super::host::{HostNames, HostPolicy};
use super::limits::Limits;
use super::listen::{BindError, listen};
use super::origins::Origins;
use super::routes::{Handler, routes};
use super::source::AnswerSource;
use super::stream::{Phase, TimedStream};
use super::{openapi, refusal};

/// Largest request header, in bytes; larger ones are answered with status 431.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Pause after a failed accept, because descriptors run out for longer than a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for the place of a connection that was closed.
const CLOSING: Duration = Duration::from_secs(1);

/// The metrics web server, listening but not yet answering.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    limits: Limits,
    names: HostNames,
    origins: Origins,
}

impl Server {
    /// Listens on every address of `host` (`localhost`: both loopback addresses). Port 0 takes a
    /// free one.
    ///
    /// On loopback addresses it answers only requests for an address, `localhost`, `host`, or a name
    /// of this machine.
    pub async fn bind(host: &str, port: u16) -> Result<Self, BindError> {
        let listeners = listen(host, port).await?;
        let mut names = HostNames::of_machine();
        names.add(host);
        Ok(Self { listeners, limits: Limits::default(), names, origins: Origins::default() })
    }

    /// Also answers requests for these host names on loopback addresses.
    pub fn with_allowed_hosts(mut self, hosts: &[String]) -> Self {
        for host in hosts {
            self.names.add(host);
        }
        self
    }

    /// Also lets pages of these origins read the answers, such as `http://metrics.example:10853`.
    pub fn with_allowed_origins(self, origins: &[String]) -> Self {
        Self { origins: Origins::of(origins), ..self }
    }

    /// Replaces the limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The addresses that it listens on, with the actual port.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Answers until `shutdown` is ready, then stops accepting and lets answers in flight finish.
    pub async fn run(self, source: Arc<dyn AnswerSource>, shutdown: impl Future<Output = ()>) {
        let Self { listeners, limits, names, origins } = self;
        let listeners = with_policies(listeners, names);
        let limits = Limits { connections: within_descriptors(limits.connections), ..limits };
        let handler = origins.permit(routes(source, limits, &openapi::document()));
        let mut acceptor = Acceptor::new(handler, limits);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_ended) = acceptor.tasks.join_next() => continue,
                accepted = accept(&listeners) => accepted,
            };
            match accepted {
                Ok((stream, hosts)) => acceptor.take(stream, hosts).await,
                Err(error) => acceptor.handle_failure(&error).await,
            }
        }
        drop(listeners);
        let Acceptor { graceful, mut tasks, .. } = acceptor;
        if timeout(limits.shutdown, graceful.shutdown()).await.is_err() {
            while tasks.try_join_next().is_some() {}
            warn!("{} HTTP connections were cut off at shutdown", tasks.len());
        }
    }
}

/// As many connections as leave half of the process's file descriptors to the capture.
fn within_descriptors(connections: usize) -> usize {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) => connections.min(usize::try_from(soft / 2).unwrap_or(usize::MAX)).max(1),
        Err(_) => connections,
    }
}

/// Finds a place for each new connection.
struct Acceptor {
    handler: Handler,
    limits: Limits,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
    tasks: JoinSet<()>,
    connections: Connections,
    crowd: Crowd,
    /// Connections accepted so far.
    count: u64,
}

impl Acceptor {
    fn new(handler: Handler, limits: Limits) -> Self {
        Self {
            handler,
            limits,
            places: Arc::new(Semaphore::new(limits.connections)),
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
            connections: Connections::default(),
            crowd: Crowd::default(),
            count: 0,
        }
    }

    /// Serves a new connection, in the place of an idle one if no other is free; else refuses it.
    async fn take(&mut self, stream: TcpStream, hosts: HostPolicy) {
        let Some(place) = self.place().await else {
            self.crowd.record_refused(self.limits.connections);
            refuse(&stream);
            return;
        };
        let phase = Phase::default();
        let handler = self.handler.clone();
        let connection = serve(stream, hosts, handler, self.limits, &self.graceful, phase.clone());
        let task = self.tasks.spawn(async move {
            connection.await;
            drop(place);
        });
        self.count += 1;
        self.connections.add(self.count, phase, task);
    }

    async fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        if !self.connections.close_idlest() {
            return None;
        }
        self.crowd.record_closed(self.limits.connections);
        // Soon: a thread drops the closed connection when it next runs.
        timeout(CLOSING, self.places.clone().acquire_owned()).await.ok()?.ok()
    }

    /// Handles a failed accept: closes an idle connection if descriptors ran out.
    async fn handle_failure(&mut self, error: &io::Error) {
        if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
            && self.connections.close_idlest()
        {
            self.crowd.record_closed(self.connections.len());
        } else {
            warn!("cannot accept an HTTP connection: {error}");
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Answers a connection for which there is no place, as far as possible without waiting.
fn refuse(stream: &TcpStream) {
    // Unread bytes would make the kernel reset the connection, and the client would lose the
    // answer.
    let _ = stream.try_read(&mut [0; 4096]);
    let _ = stream.try_write(refusal::busy().as_bytes());
}

/// A listener and the hosts that requests on it may name.
type PolicedListener = (TcpListener, HostPolicy);

fn with_policies(listeners: Vec<TcpListener>, names: HostNames) -> Vec<PolicedListener> {
    let names = Arc::new(names);
    let policed = |listener: TcpListener| {
        let hosts = match listener.local_addr() {
            Ok(address) => HostPolicy::of(address.ip(), &names),
            Err(_unknown) => HostPolicy::Known(names.clone()),
        };
        (listener, hosts)
    };
    listeners.into_iter().map(policed).collect()
}

/// The next connection on any listener.
async fn accept(listeners: &[PolicedListener]) -> io::Result<(TcpStream, HostPolicy)> {
    poll_fn(|cx| {
        for (listener, hosts) in listeners {
            if let Poll::Ready(result) = listener.poll_accept(cx) {
                return Poll::Ready(result.map(|(stream, _peer)| (stream, hosts.clone())));
            }
        }
        Poll::Pending
    })
    .await
}

/// Serves one connection from its first request to its last.
fn serve(
    stream: TcpStream,
    hosts: HostPolicy,
    handler: Handler,
    limits: Limits,
    graceful: &GracefulShutdown,
    phase: Phase,
) -> impl Future<Output = ()> + Send + 'static {
    let stream = TimedStream::new(stream, limits, phase.clone());
    let handler = TowerToHyperService::new(warp::service(handler));
    let service = service_fn(move |mut request: Request<Incoming>| {
        phase.set_request_received();
        // Before warp, which treats every target as a path.
        let path = hosts.check(&request).and_then(|()| refusal::with_path(request.uri()));
        let answer = path.map(|path| {
            *request.uri_mut() = path;
            timeout(limits.request, handler.call(request))
        });
        let phase = phase.clone();
        async move {
            let response = match answer {
                Ok(answer) => match answer.await {
                    Ok(Ok(response)) => response,
                    Err(_elapsed) => answer::failed(&Failure::TimedOut),
                },
                Err(failure) => answer::failed(&failure),
            };
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
    let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
    async move {
        if let Err(error) = connection.await {
            debug!("HTTP connection ended: {error}");
        }
    }
}
