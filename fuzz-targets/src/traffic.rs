//! Frames of conversations, and small tables for them.

use std::sync::LazyLock;

use dns_traffic::{Config, Generator};
use pktvisor_analysis::AnalysisLimits;
use pktvisor_analysis::fragments::FragmentLimits;
use pktvisor_analysis::streams::StreamLimits;
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};

/// Tables that an input can fill.
pub(crate) const LIMITS: AnalysisLimits = AnalysisLimits {
    streams: StreamLimits { streams: 8, buffered_bytes: 16 << 10 },
    fragments: FragmentLimits { datagrams: 8, buffered_bytes: 16 << 10, fragments_per_datagram: 16 },
    queries: 32,
};

/// Some of every kind of traffic, over several periods.
pub const HOSTILE: Config = Config {
    packets: 2_000,
    rate: 10.0,
    names: 500,
    clients: 200,
    dns_share: 0.9,
    tcp_share: 0.4,
    random_subdomains: 0.2,
    random_sources: 0.2,
    malformed: 0.1,
    fragments: 0.4,
    vlan: true,
    split_tcp: true,
    reorder: 0.2,
    duplicate_segments: 0.1,
    collect_answer: false,
    ..Config::DEFAULT
};

/// Ethernet frames of conversations that belong together.
pub(crate) static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let config = Config { packets: 600, names: 100, clients: 50, ..HOSTILE };
    Generator::new(config).map(|packets| packets.map(|packet| packet.data).collect()).unwrap_or_default()
});

/// A packet of which this many bytes were not captured.
pub(crate) fn packet(data: &[u8], timestamp_ns: u64, snapped: u32, link_type: LinkType) -> Packet<'_> {
    let wire_len = data.len() as u32 + snapped;
    Packet { timestamp_ns, stamp: Stamp::Own, data, wire_len, link_type, segments: 1 }
}
