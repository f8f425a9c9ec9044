//! The server: it listens, accepts, and stops.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

use nix::sys::resource::{Resource, getrlimit};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::acceptor::{AcceptedClient, Acceptor};
use super::connections::Client;
use super::exchange::HttpExchange;
use super::host::{HostNames, HostPolicy};
use super::limits::Limits;
use super::listen::{BindError, listen};
use super::openapi;
use super::origins::Origins;
use super::routes::routes;
use super::source::AnswerSource;
use super::statistics::Statistics;
use super::tls::ServerIdentity;
use super::token::AccessToken;

/// The metrics web server, listening but not yet answering.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    limits: Limits,
    names: HostNames,
    origins: Origins,
    identity: Option<ServerIdentity>,
    token: Option<AccessToken>,
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
        Ok(Self {
            listeners,
            limits: Limits::default(),
            names,
            origins: Origins::default(),
            identity: None,
            token: None,
        })
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

    /// Speaks TLS with this certificate, and nothing else.
    pub fn with_identity(self, identity: ServerIdentity) -> Self {
        Self { identity: Some(identity), ..self }
    }

    /// Answers only requests that show this token, except on `/healthz`.
    pub fn with_token(self, token: AccessToken) -> Self {
        Self { token: Some(token), ..self }
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
        let listeners = with_policies(self.listeners, self.names);
        let limits = Limits { connections: within_descriptors(self.limits.connections), ..self.limits };
        let statistics = Arc::<Statistics>::default();
        let mut acceptor = Acceptor::new(HttpExchange {
            handler: routes(source, limits, statistics.clone(), &openapi::document()),
            origins: self.origins,
            token: self.token,
            tls: self.identity.as_ref().map(ServerIdentity::acceptor),
            limits,
            statistics,
            closing: CancellationToken::new(),
        });
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_ended) = acceptor.tasks.join_next() => continue,
                accepted = accept(&listeners) => accepted,
            };
            match accepted {
                Ok(accepted) => acceptor.take(accepted).await,
                Err(error) => acceptor.handle_failure(&error).await,
            }
        }
        drop(listeners);
        acceptor.shut_down().await;
    }
}

/// As many connections as leave half of the process's file descriptors to the capture.
fn within_descriptors(connections: usize) -> usize {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) => connections.min(usize::try_from(soft / 2).unwrap_or(usize::MAX)).max(1),
        Err(_) => connections,
    }
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
async fn accept(listeners: &[PolicedListener]) -> io::Result<AcceptedClient> {
    poll_fn(|cx| {
        for (listener, hosts) in listeners {
            if let Poll::Ready(result) = listener.poll_accept(cx) {
                return Poll::Ready(result.map(|(stream, peer)| AcceptedClient {
                    stream,
                    client: Client::of(peer.ip()),
                    hosts: hosts.clone(),
                }));
            }
        }
        Poll::Pending
    })
    .await
}
