//! Sends captures across a veth pair and receives at its other end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arrives;
mod refused;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use capture_file::Pace;
use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator};
use pcap_replay::send::{Report, SendError, SendOptions, Tempo, Via, send};
use tempfile::TempDir;
use testbed::Namespace;

/// A capture in a temporary directory.
struct Trace {
    path: PathBuf,
    packets: Vec<Vec<u8>>,
    _directory: TempDir,
}

impl Trace {
    /// Writes these packets, a millisecond apart.
    fn of(packets: Vec<Vec<u8>>, link_type: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trace.pcap");
        let mut writer = PcapWriter::new(Vec::new(), link_type).unwrap();
        for (number, packet) in packets.iter().enumerate() {
            let time_ns = 1_700_000_000_000_000_000 + number as u64 * 1_000_000;
            writer.write(time_ns, packet.len() as u32, packet).unwrap();
        }
        std::fs::write(&path, writer.finish().unwrap()).unwrap();
        Self { path, packets, _directory: directory }
    }

    /// DNS over UDP and TCP, fragments, and other packets of a network.
    fn generated(packets: u64) -> Self {
        let mut generator = Generator::new(Config { packets, ..Config::default() }).unwrap();
        let frames =
            std::iter::from_fn(|| generator.next_packet().map(|packet| packet.data.to_vec())).collect();
        Self::of(frames, 1)
    }
}

fn options(interface: &str) -> SendOptions {
    SendOptions {
        interface: interface.to_owned(),
        via: None,
        queues: 1,
        tempo: Tempo::Capture(Pace::Max),
        rounds: Some(1),
    }
}

/// Sends from the namespace of an interface.
fn send_from(namespace: &Namespace, trace: &Trace, options: &SendOptions) -> Result<Report, SendError> {
    namespace.run(|| send(&trace.path, options, &AtomicBool::new(false)))
}

const BOTH: [Via; 2] = [Via::AfXdp, Via::AfPacket];
