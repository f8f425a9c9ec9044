//! The open connections: a bounded number, of which one address has a bounded share. The one that
//! has been idle for longest makes room for a new one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tracing::warn;

use super::statistics::Statistics;
use super::stream::{Phase, now_ms};

/// How often to log that clients are turned away.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// The client that a connection counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    /// A program on this machine, or a proxy, which stands for many clients.
    Local,
    /// An address of another machine. IPv6 gives a machine a /64, so the lower half is left out.
    Remote(IpAddr),
}

impl Client {
    /// The client with this address.
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::Local,
            IpAddr::V6(address) => Self::Remote(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
            address => Self::Remote(address),
        }
    }
}

/// Some of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientGroup {
    All,
    /// Those of other machines.
    Remote,
    Of(Client),
}

impl ClientGroup {
    fn has(self, client: Client) -> bool {
        match self {
            Self::All => true,
            Self::Remote => client != Client::Local,
            Self::Of(one) => client == one,
        }
    }
}

/// The open connections. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Connections(Arc<Mutex<HashMap<u64, Connection>>>);

struct Connection {
    client: Client,
    phase: Phase,
    task: AbortHandle,
}

impl Connections {
    /// Adds a connection and the task that serves it.
    pub(super) fn add(&self, id: u64, client: Client, phase: Phase, task: AbortHandle) {
        let mut connections = self.0.lock();
        connections.insert(id, Connection { client, phase, task });
        // Also removes connections that ended, perhaps before they were added.
        connections.retain(|_, connection| !connection.task.is_finished());
    }

    /// The number of connections.
    pub(super) fn count(&self, group: ClientGroup) -> usize {
        let connections = self.0.lock();
        let counts =
            |connection: &&Connection| group.has(connection.client) && !connection.task.is_finished();
        connections.values().filter(counts).count()
    }

    /// Closes the connection of a group that has been idle for longest. Returns false if none is idle.
    pub(super) fn close_idlest(&self, group: ClientGroup) -> bool {
        let mut connections = self.0.lock();
        let of_group = connections.iter().filter(|(_, connection)| group.has(connection.client));
        let idle = of_group.filter_map(|(id, connection)| {
            let since_ms = connection.phase.idle_since_ms()?;
            (!connection.task.is_finished()).then_some((since_ms, *id))
        });
        let Some((_, id)) = idle.min() else { return false };
        if let Some(connection) = connections.remove(&id) {
            connection.task.abort();
        }
        true
    }
}

/// Counts the connections for which there was no room, and logs them once a minute however many come.
pub(super) struct Crowd {
    statistics: Arc<Statistics>,
    warned_ms: Option<u64>,
}

impl Crowd {
    pub(super) fn new(statistics: Arc<Statistics>) -> Self {
        Self { statistics, warned_ms: None }
    }

    /// Counts an idle connection that was closed for a new one of this group, all of whose connections
    /// are in use.
    pub(super) fn record_closed(&mut self, group: ClientGroup) {
        self.statistics.closed_for_others.record();
        self.warn(group);
    }

    /// Counts a new connection that was refused because none of its group was idle.
    pub(super) fn record_refused(&mut self, group: ClientGroup) {
        self.statistics.refused.record();
        self.warn(group);
    }

    fn warn(&mut self, group: ClientGroup) {
        let now_ms = now_ms();
        let every_ms = WARN_EVERY.as_millis() as u64;
        if self.warned_ms.is_some_and(|warned_ms| now_ms.saturating_sub(warned_ms) < every_ms) {
            return;
        }
        self.warned_ms = Some(now_ms);
        let whose = match group {
            ClientGroup::All | ClientGroup::Of(Client::Local) => "all HTTP connections".to_owned(),
            ClientGroup::Remote => "all HTTP connections for other machines".to_owned(),
            ClientGroup::Of(Client::Remote(address)) => {
                format!("all HTTP connections for the address {address}")
            }
        };
        let (closed, refused) = (self.statistics.closed_for_others.get(), self.statistics.refused.get());
        warn!(
            "{whose} are in use: the one idle for longest is closed for each new one \
             ({closed} closed, {refused} refused since start)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_is_an_address_or_the_network_of_a_machine() {
        let client = |text: &str| Client::of(text.parse().unwrap());
        for local in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(client(local), Client::Local, "{local}");
        }
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:0:0:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
    }

    #[tokio::test]
    async fn the_idlest_of_a_group_is_closed() {
        let connections = Connections::default();
        let task = || tokio::spawn(std::future::pending::<()>()).abort_handle();
        let (one, two) = (Client::of([192, 0, 2, 1].into()), Client::of([192, 0, 2, 2].into()));
        let busy = Phase::default();
        busy.set_request_received();
        connections.add(1, Client::Local, Phase::default(), task());
        connections.add(2, one, Phase::default(), task());
        connections.add(3, one, busy, task());
        let count = |group| connections.count(group);
        assert_eq!(
            (count(ClientGroup::All), count(ClientGroup::Remote), count(ClientGroup::Of(one))),
            (3, 2, 2)
        );
        assert!(connections.close_idlest(ClientGroup::Of(one)));
        // The other one is being answered, and that of another client is not closed for it.
        assert!(
            !connections.close_idlest(ClientGroup::Of(one))
                && !connections.close_idlest(ClientGroup::Of(two))
        );
        assert_eq!((count(ClientGroup::All), count(ClientGroup::Of(one))), (2, 1));
    }
}
