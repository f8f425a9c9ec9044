//! The settings of analysis, and what they say about addresses and ports of a message.

use pktvisor_common::address::{Address, AddressPair};
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::sampling::SampleRate;

use crate::flow::Flow;
use crate::fragments::FragmentLimits;
use crate::observer::{ClientSide, ExchangeEnds};
use crate::streams::StreamLimits;
use crate::transactions::ENTRIES_MAX_DEFAULT;

/// The settings of analysis.
#[derive(Clone, Debug)]
pub struct AnalysisSettings<H> {
    /// Ports that carry DNS.
    pub dns_ports: DnsPorts,
    /// Share of the DNS flows that is analysed.
    pub sample_rate: SampleRate,
    /// How long a query waits for its response.
    pub transaction_timeout_ns: u64,
    /// The networks that are HOST.
    pub host: H,
}

/// Ceilings of the tables of an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnalysisLimits {
    /// Of TCP streams.
    pub streams: StreamLimits,
    /// Of fragmented datagrams.
    pub fragments: FragmentLimits,
    /// Number of queries that wait for their response, and of remembered answered ones.
    pub queries: usize,
}

impl Default for AnalysisLimits {
    fn default() -> Self {
        Self {
            streams: StreamLimits::default(),
            fragments: FragmentLimits::default(),
            queries: ENTRIES_MAX_DEFAULT,
        }
    }
}

impl<H: HostNetworks> AnalysisSettings<H> {
    /// Whether a flow is sampled. Does not compute the hash if all flows are.
    #[inline]
    pub(super) fn samples(&self, flow_hash: impl FnOnce() -> u64) -> bool {
        self.sample_rate == SampleRate::ALL || self.sample_rate.samples(flow_hash())
    }

    /// The ends of a message whose client and server have these addresses.
    #[inline]
    pub fn ends<'a>(&self, client: Address<'a>, server: Address<'a>) -> ExchangeEnds<'a> {
        let side = if self.host.contains(server) {
            ClientSide::Remote
        } else if self.host.contains(client) {
            ClientSide::Host
        } else {
            ClientSide::Unknown
        };
        ExchangeEnds { client, server, side }
    }

    /// The client of a flow that carries queries.
    pub(super) fn client_of_query(&self, query: &AddressPair) -> ClientSide {
        if self.host.contains(query.destination()) {
            ClientSide::Remote
        } else if self.host.contains(query.source()) {
            ClientSide::Host
        } else {
            ClientSide::Unknown
        }
    }

    /// The port that is not a DNS port. If both are DNS ports, the smaller one.
    pub(super) fn other_port(&self, flow: &Flow) -> u16 {
        let ports = &self.dns_ports;
        let (source, destination) = (flow.source_port, flow.destination_port);
        match (ports.contains(source), ports.contains(destination)) {
            (true, false) => destination,
            (false, true) => source,
            _ => source.min(destination),
        }
    }
}
