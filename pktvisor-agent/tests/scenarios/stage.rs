//! What every scenario begins with: the network, its servers, ordinary traffic, and the agent.

use std::time::Duration;

use crate::agent::Agent;
use crate::delay::DelayingProxy;
use crate::load::{Client, Transport};
use crate::network::{BEHIND_PROXY, Network, UPSTREAM, WATCHED};
use crate::servers::{Resolver, Upstream};
use crate::zones;

/// Clients with ordinary traffic have the numbers from 1 to this.
const ORDINARY_CLIENTS: u32 = 5;
/// Queries of the first of them in a second; each further one sends a little more.
const QUERIES_PER_SECOND: u32 = 30;
/// Ordinary traffic before the fault begins. After 20 seconds the agent knows what is usual.
const BEFORE_THE_FAULT: Duration = Duration::from_secs(24);

/// A resolver at work, watched by an agent.
pub(crate) struct Stage {
    pub(crate) agent: Agent,
    _background: Vec<Client>,
    resolver: Resolver,
    pub(crate) upstream: Upstream,
    pub(crate) network: Network,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let network = Network::new();
        let upstream = Upstream::start(&network.upstream, UPSTREAM);
        Self::with(network, upstream)
    }

    /// With a proxy in front of the upstream.
    pub(crate) fn set_with_proxy() -> (Self, DelayingProxy) {
        let network = Network::new();
        let upstream = Upstream::start(&network.upstream, BEHIND_PROXY);
        let proxy = DelayingProxy::start(&network.upstream, UPSTREAM, BEHIND_PROXY);
        (Self::with(network, upstream), proxy)
    }

    fn with(network: Network, upstream: Upstream) -> Self {
        let resolver = Resolver::start(&network.resolver);
        let start = |n| {
            let rate = QUERIES_PER_SECOND + 5 * n;
            Client::start(&network.clients, n, rate, Transport::Udp, &zones::ordinary_queries(n))
        };
        let background = (1..=ORDINARY_CLIENTS).map(start).collect();
        // On a resolver at work, as in most networks.
        let agent = Self::start_agent(&network);
        Self { agent, _background: background, resolver, upstream, network }
    }

    /// Waits a while, during which nothing may be found.
    pub(crate) fn assert_quiet(&self) {
        self.agent.assert_finds_nothing_for(BEFORE_THE_FAULT);
    }

    /// Lets the upstream answer again. The resolver, which would try it again only after a pause as
    /// long as the outage, is restarted, as an operator would do.
    pub(crate) fn end_outage(&mut self) {
        self.upstream.go_on();
        self.resolver.restart(&self.network.resolver);
    }

    /// Ends the agent and starts another one.
    pub(crate) fn restart_agent(&mut self) {
        self.agent.kill();
        self.agent = Self::start_agent(&self.network);
    }

    fn start_agent(network: &Network) -> Agent {
        Agent::start(&network.resolver, &[WATCHED])
    }
}

/// Returns from the test unless the machine has all that a stage needs.
macro_rules! require_name_servers {
    () => {
        crate::agent::require_kernel_programs!(
            testbed::Need::Program("knotd"),
            testbed::Need::Program("unbound"),
            testbed::Need::Program("dnsperf"),
            testbed::Need::Program("tmux"),
            testbed::Need::File(&crate::screen::program()),
        )
    };
}
pub(crate) use require_name_servers;
