//! Captures to read.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator};

/// The networks of the bundled capture's host.
pub(crate) const DEMO_HOST: &str = "192.0.2.0/28,2001:db8:53::/64";
/// Packets of the bundled capture, over three minutes.
pub(crate) const DEMO_PACKETS: u64 = 2_700;

/// The path of the bundled capture.
pub(crate) fn demo_path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/demo.pcap"))
}

/// The bundled capture.
pub(crate) fn demo() -> Vec<u8> {
    fs::read(demo_path()).unwrap()
}

/// Much traffic of every kind, including hostile: lists overflow, periods rotate.
pub(crate) fn hostile() -> Vec<u8> {
    let config = Config {
        packets: 120_000,
        rate: 300.0,
        random_subdomains: 0.5,
        random_sources: 0.3,
        malformed: 0.02,
        fragments: 0.1,
        split_tcp: true,
        reorder: 0.1,
        collect_answer: false,
        ..Config::DEFAULT
    };
    pcap(1, Generator::new(config).unwrap().map(|packet| (packet.timestamp_ns, packet.data)))
}

/// A capture of raw IP: one packet without payload.
pub(crate) fn raw_ip() -> Vec<u8> {
    let mut packet = vec![0; 20];
    (packet[0], packet[3], packet[9]) = (0x45, 20, 17);
    pcap(101, [(1_700_000_000_000_000_000, packet)])
}

/// A capture of raw IPv4 packets.
pub(crate) fn raw_ipv4(packets: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<u8> {
    pcap(101, packets)
}

/// A small capture that once caused a fault.
pub(crate) fn fault(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/faults")).join(name)).unwrap()
}

pub(crate) fn pcap(link_type: u16, packets: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), link_type).unwrap();
    for (timestamp_ns, data) in packets {
        writer.write(timestamp_ns, data.len() as u32, &data).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).unwrap()
}
