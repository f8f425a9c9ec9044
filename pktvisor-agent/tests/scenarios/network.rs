//! Three machines: clients, a resolver and its upstream.
//!
//! ```text
//! clients ---------- resolver (watched)
//!    |
//! upstream
//! ```
//!
//! The clients' machine also routes between the two others. All DNS of the resolver therefore
//! crosses one interface, in both directions, as on most resolvers.

use std::fs;

use testbed::{Namespace, Veth, VethPair};

/// The resolver's address.
pub(crate) const RESOLVER: &str = "10.53.0.1";
/// The address that the resolver forwards to.
pub(crate) const UPSTREAM: &str = "10.53.1.1";
/// A second address of the upstream, for a server behind a proxy.
pub(crate) const BEHIND_PROXY: &str = "10.53.1.2";
/// The watched interface.
pub(crate) const WATCHED: &str = "pkvresolver";

/// The first of the clients' addresses; see [`client`].
const CLIENTS: &str = "10.53.2.";
/// The clients have the addresses below this number.
const CLIENTS_END: u32 = 100;
const GATEWAY: &str = "10.53.0.254";

/// The address of the n-th client.
pub(crate) fn client(n: u32) -> String {
    assert!(n < CLIENTS_END, "there is no client {n}");
    format!("{CLIENTS}{n}")
}

/// The machines and the cables between them. The resolver's cable can be unplugged.
pub(crate) struct Network {
    resolver_cable: Option<VethPair>,
    _upstream_cable: VethPair,
    pub(crate) clients: Namespace,
    pub(crate) resolver: Namespace,
    pub(crate) upstream: Namespace,
}

impl Network {
    pub(crate) fn new() -> Self {
        let (clients, resolver, upstream) = (Namespace::new(), Namespace::new(), Namespace::new());
        clients.run(|| fs::write("/proc/sys/net/ipv4/ip_forward", "1")).unwrap();
        for n in 1..CLIENTS_END {
            clients.ip(&["address", "add", &client(n), "dev", "lo"]);
        }
        let upstream_cable = Veth::new(&clients, &upstream)
            .names("pkvtoupstream", "pkvupstream")
            .addresses("10.53.1.254/24", &format!("{UPSTREAM}/24"))
            .addresses("10.53.1.253/24", &format!("{BEHIND_PROXY}/24"))
            .create();
        upstream.ip(&["route", "add", "default", "via", "10.53.1.254"]);
        let mut network =
            Self { resolver_cable: None, _upstream_cable: upstream_cable, clients, resolver, upstream };
        network.plug();
        network
    }

    /// Creates the resolver's interface.
    pub(crate) fn plug(&mut self) {
        let cable = Veth::new(&self.clients, &self.resolver)
            .names("pkvtoresolver", WATCHED)
            .addresses(&format!("{GATEWAY}/24"), &format!("{RESOLVER}/24"));
        self.resolver_cable = Some(cable.create());
        self.add_route();
    }

    /// Deletes the resolver's interface.
    pub(crate) fn unplug(&mut self) {
        self.resolver_cable = None;
    }

    /// Sets the resolver's interface down.
    pub(crate) fn set_down(&self) {
        self.resolver.ip(&["link", "set", WATCHED, "down"]);
    }

    /// Sets the resolver's interface up again, with its route.
    pub(crate) fn set_up(&self) {
        self.resolver.ip(&["link", "set", WATCHED, "up"]);
        // The kernel has removed it with the link.
        self.add_route();
    }

    fn add_route(&self) {
        self.resolver.ip(&["route", "replace", "default", "via", GATEWAY]);
    }
}
