//! Generated packets as a capture in memory, and their right summary.

use std::sync::Arc;

use capture_file::write::PcapWriter;
use dns_traffic::{Answer, Config, Generator};

const ETHERNET: u16 = 1;

/// A capture and its right summary.
pub(crate) struct Traffic {
    pub(crate) pcap: Arc<[u8]>,
    pub(crate) answer: Answer,
}

impl Traffic {
    pub(crate) fn of(config: Config) -> Self {
        Self::between(None, None, config)
    }

    /// Adds an empty 802.3 frame this long before the first packet, where it decides when periods
    /// rotate, or after the last one. The answer does not count these frames.
    pub(crate) fn between(before_ns: Option<u64>, after_ns: Option<u64>, config: Config) -> Self {
        let mut newest_ns = config.start_s * 1_000_000_000;
        let mut generator = Generator::new(config).unwrap();
        let mut pcap = PcapWriter::new(Vec::new(), ETHERNET).unwrap();
        if let Some(before_ns) = before_ns {
            pcap.write(newest_ns - before_ns, 60, &[0; 60]).unwrap();
        }
        while let Some(packet) = generator.next_packet() {
            newest_ns = packet.timestamp_ns;
            pcap.write(newest_ns, packet.data.len() as u32, packet.data).unwrap();
        }
        if let Some(after_ns) = after_ns {
            pcap.write(newest_ns + after_ns, 60, &[0; 60]).unwrap();
        }
        Self { pcap: pcap.finish().unwrap().into(), answer: generator.into_answer().unwrap() }
    }
}

/// Few names and clients, so that every list fits into its table and must be exact; four periods.
pub(crate) fn ordinary() -> Config {
    Config { packets: 40_000, rate: 200.0, names: 2_000, clients: 1_000, ..Config::default() }
}

/// Every kind of hostile traffic that the generator knows.
pub(crate) fn hostile() -> Config {
    Config {
        random_subdomains: 0.1,
        random_sources: 0.1,
        malformed: 0.05,
        fragments: 0.1,
        vlan: true,
        split_tcp: true,
        reorder: 0.3,
        duplicate_segments: 0.2,
        tcp_share: 0.3,
        seed: 2,
        ..ordinary()
    }
}

/// Nearly all clients have IPv6.
pub(crate) fn ipv6() -> Config {
    Config { ipv6_share: 0.95, dns_share: 0.9, fragments: 0.05, mixed_case: 1.0, seed: 3, ..ordinary() }
}

/// So little traffic that most seconds are idle.
pub(crate) fn sparse() -> Config {
    Config { packets: 600, rate: 0.7, seed: 4, ..ordinary() }
}

/// More names and clients than a closed period keeps.
pub(crate) fn plentiful() -> Config {
    Config {
        packets: 150_000,
        rate: 600.0,
        names: 200_000,
        clients: 80_000,
        random_subdomains: 0.3,
        random_sources: 0.3,
        seed: 5,
        ..Config::default()
    }
}

/// A million messages, of far more clients, names and subnets than any table holds.
pub(crate) fn million() -> Config {
    Config {
        packets: 1_250_000,
        rate: 25_000.0,
        dns_share: 0.9,
        tcp_share: 0.05,
        names: 300_000,
        clients: 200_000,
        random_subdomains: 0.1,
        random_sources: 0.1,
        malformed: 0.02,
        seed: 7,
        ..Config::default()
    }
}
