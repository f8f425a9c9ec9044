//! What Prometheus makes of the agent: promtool's judgement, sums since start, and the rules of deploy/prometheus.

mod dashboards;
mod exposition;
mod fleet;
mod native;
mod rules;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture_file::write::PcapWriter;
use dns_traffic::{Answer, Config, Generator};
use tempfile::TempDir;

use crate::support::Served;

/// The bundled capture: several periods of generated traffic.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/demo.pcap");

/// The HOST of its traffic.
const HOST: &str = "192.0.2.0/28,2001:db8:53::/64";

/// An agent that has read its capture and serves the result.
fn read(words: &[&str]) -> Served {
    let mut agent = Served::start(words);
    agent.line();
    agent
}

/// A generated capture in a directory, and its exact summary.
fn traffic(config: Config) -> (TempDir, String, Answer) {
    const ETHERNET: u16 = 1;
    let mut generator = Generator::new(config).unwrap();
    let mut pcap = PcapWriter::new(Vec::new(), ETHERNET).unwrap();
    while let Some(packet) = generator.next_packet() {
        pcap.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("t.pcap");
    fs::write(&path, pcap.finish().unwrap()).unwrap();
    (directory, path.to_str().unwrap().to_owned(), generator.into_answer().unwrap())
}

/// A file of deploy/prometheus.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/prometheus").join(name)
}

/// Runs promtool and fails with its words where it fails.
fn promtool(arguments: &[&str]) -> String {
    let output = Command::new("promtool").args(arguments).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {}: {text}", arguments.join(" "));
    text
}
