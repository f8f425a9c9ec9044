//! What Prometheus makes of the agent: promtool's judgement, sums since start, and the rules of deploy/prometheus.

mod dashboards;
mod exposition;
mod fleet;
mod rules;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

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
