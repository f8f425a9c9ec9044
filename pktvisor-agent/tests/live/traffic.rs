//! Captures to send, and frames made by hand.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use capture_file::Pace;
use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator};
use pcap_replay::send::{Report, SendOptions, Tempo, send};
use tempfile::TempDir;
use testbed::End;

/// The host in all generated traffic, as it is given to the agent (`-H`).
pub(crate) const GENERATED_HOST: &str = "192.0.2.0/28,2001:db8:53::/64";

/// A capture in a directory that goes with it.
pub(crate) struct Trace {
    path: PathBuf,
    pub(crate) packets: u64,
    _directory: TempDir,
}

impl Trace {
    pub(crate) fn generated(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.pcap");
        let mut generator = Generator::new(config).unwrap();
        let mut writer = PcapWriter::new(Vec::new(), 1).unwrap();
        let mut packets = 0;
        while let Some(packet) = generator.next_packet() {
            writer.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
            packets += 1;
        }
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        Self { path, packets, _directory: directory }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Sends it once, every packet.
    pub(crate) fn send(&self, from: &End, queues: u32, tempo: Tempo) -> Report {
        let options =
            SendOptions { interface: from.name().to_owned(), via: None, queues, tempo, rounds: Some(1) };
        let stop = AtomicBool::new(false);
        let report = from.namespace().run(|| send(&self.path, &options, &stop)).unwrap();
        assert_eq!((report.packets, report.dropped), (self.packets, 0), "{report}");
        report
    }
}

/// As fast as it was captured.
pub(crate) const REAL_TIME: Tempo = Tempo::Capture(Pace::RealTime);
/// As fast as can be.
pub(crate) const MAX: Tempo = Tempo::Capture(Pace::Max);

/// Traffic of a second, of few enough names and clients that every list fits into its table and must be exact.
pub(crate) fn one_second() -> Config {
    Config { packets: 10_000, rate: 10_000.0, names: 1_000, clients: 500, ..Config::default() }
}

/// The same with tags, fragments, split and reordered segments, and nonsense.
pub(crate) fn hostile_second() -> Config {
    Config {
        malformed: 0.05,
        fragments: 0.1,
        vlan: true,
        split_tcp: true,
        duplicate_segments: 0.2,
        tcp_share: 0.3,
        seed: 2,
        ..one_second()
    }
}

const MACS: [u8; 12] = [2, 0x53, 0, 0, 0, 2, 2, 0x53, 0, 0, 0, 1];

/// A query for `www.example.test A` with this id: IPv4, UDP, no Ethernet header.
pub(crate) fn query_packet(source: [u8; 4], destination: [u8; 4], id: u16) -> Vec<u8> {
    let mut dns = id.to_be_bytes().to_vec();
    dns.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    dns.extend(b"\x03www\x07example\x04test\x00\x00\x01\x00\x01");
    let udp_length = 8 + dns.len() as u16;
    let mut packet = vec![0x45, 0];
    packet.extend((20 + udp_length).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend(source.into_iter().chain(destination));
    packet.extend([0x30, 0x39, 0, 53]);
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(dns);
    let checksum = header_checksum(&packet[..20]);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// RFC 791: the one's complement of the one's complement sum of the header's words.
fn header_checksum(header: &[u8]) -> u16 {
    let sum: u32 = header.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    !((sum & 0xffff) + (sum >> 16)) as u16
}

/// An IPv4 packet in an Ethernet frame with these tags (EtherType and VLAN), outermost first.
pub(crate) fn frame(tags: &[(u16, u16)], packet: &[u8]) -> Vec<u8> {
    let mut frame = MACS.to_vec();
    for (ether_type, vlan) in tags {
        frame.extend(ether_type.to_be_bytes().into_iter().chain(vlan.to_be_bytes()));
    }
    frame.extend([0x08, 0x00]);
    frame.extend(packet);
    frame
}
