//! What is analysed, and what the addresses and ports of a message mean.

use pktvisor_common::classify::DnsPorts;
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::sampling::SampleRate;

use super::{Asker, Flow};

/// What is analysed, and how.
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

impl<H: HostNetworks> AnalysisSettings<H> {
    /// Whether a flow is chosen for analysis; its hash is not asked for where all are.
    #[inline]
    pub(super) fn chooses(&self, flow_hash: impl FnOnce() -> u64) -> bool {
        self.sample_rate == SampleRate::ALL || self.sample_rate.chooses(flow_hash())
    }

    /// Who asked, in a flow that carries responses.
    pub(super) fn asker(&self, response: &Flow) -> Asker {
        if self.host.contains(&response.source, response.ip_version) {
            Asker::Remote
        } else if self.host.contains(&response.destination, response.ip_version) {
            Asker::Host
        } else {
            Asker::Unknown
        }
    }

    /// The port that is not a DNS port; of two that are, the smaller.
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
