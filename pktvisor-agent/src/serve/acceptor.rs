//! Finds a place for each new connection, and lets answers finish at shutdown.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::connections::{Client, ClientGroup, Connections, Crowd};
use super::exchange::HttpExchange;
use super::host::HostPolicy;
use super::refusal;
use super::stream::Phase;

/// Pause after a failed accept, because descriptors run out for longer than a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for the place of a connection that was closed.
const CLOSING: Duration = Duration::from_secs(1);

/// A new connection.
pub(super) struct AcceptedClient {
    pub(super) stream: TcpStream,
    pub(super) client: Client,
    /// The hosts that its requests may name.
    pub(super) hosts: HostPolicy,
}

/// The connections and their places.
pub(super) struct Acceptor {
    exchange: Arc<HttpExchange>,
    places: Arc<Semaphore>,
    graceful: GracefulShutdown,
    pub(super) tasks: JoinSet<()>,
    connections: Connections,
    crowd: Crowd,
    /// Connections accepted so far.
    count: u64,
}

impl Acceptor {
    pub(super) fn new(exchange: HttpExchange) -> Self {
        Self {
            places: Arc::new(Semaphore::new(exchange.limits.connections)),
            crowd: Crowd::new(exchange.statistics.clone()),
            exchange: Arc::new(exchange),
            graceful: GracefulShutdown::new(),
            tasks: JoinSet::new(),
            connections: Connections::default(),
            count: 0,
        }
    }

    /// Serves a new connection, in the place of an idle one if no other is free; else refuses it.
    pub(super) async fn take(&mut self, accepted: AcceptedClient) {
        let AcceptedClient { stream, client, hosts } = accepted;
        let place = match self.place(client).await {
            Ok(place) => place,
            Err(group) => {
                self.crowd.record_refused(group);
                // In TLS there is no answer before a handshake, which would need a place.
                if self.exchange.tls.is_none() {
                    refusal::refuse(&stream, &refusal::busy());
                }
                return;
            }
        };
        let phase = Phase::default();
        let connection = self.exchange.clone().serve(stream, hosts, self.graceful.watcher(), phase.clone());
        let task = self.tasks.spawn(async move {
            connection.await;
            drop(place);
        });
        self.count += 1;
        self.connections.add(self.count, client, phase, task);
    }

    /// A place for a connection of this client. Closes an idle connection of the group whose places
    /// are all taken: of the address, of other machines, or of all.
    ///
    /// # Errors
    ///
    /// No connection of that group is idle.
    async fn place(&mut self, client: Client) -> Result<OwnedSemaphorePermit, ClientGroup> {
        let limits = self.exchange.limits;
        if client != Client::Local {
            let bounds = [
                (ClientGroup::Of(client), limits.per_address),
                (ClientGroup::Remote, limits.connections - limits.reserved()),
            ];
            for (group, bound) in bounds {
                if self.connections.count(group) >= bound {
                    self.make_room(group)?;
                }
            }
        }
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        // The place of a connection that was closed above may not be free yet.
        if self.connections.count(ClientGroup::All) >= limits.connections {
            self.make_room(ClientGroup::All)?;
        }
        // Soon: a thread drops the closed connection when it next runs.
        let place = timeout(CLOSING, self.places.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or(ClientGroup::All)
    }

    fn make_room(&mut self, group: ClientGroup) -> Result<(), ClientGroup> {
        if !self.connections.close_idlest(group) {
            return Err(group);
        }
        self.crowd.record_closed(group);
        Ok(())
    }

    /// Handles a failed accept: closes an idle connection if descriptors ran out.
    pub(super) async fn handle_failure(&mut self, error: &io::Error) {
        let are_out = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
        if !are_out || self.make_room(ClientGroup::All).is_err() {
            warn!("cannot accept an HTTP connection: {error}");
        }
        sleep(ACCEPT_PAUSE).await;
    }

    /// Lets answers in flight finish, for a while.
    pub(super) async fn shut_down(mut self) {
        self.exchange.closing.cancel();
        if timeout(self.exchange.limits.shutdown, self.graceful.shutdown()).await.is_err() {
            while self.tasks.try_join_next().is_some() {}
            warn!("{} HTTP connections were cut off at shutdown", self.tasks.len());
        }
    }
}
