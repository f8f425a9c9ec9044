//! `--otlp-endpoint` with a real collector: what it receives is what `/metrics` says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod equality;
mod files;
mod outage;
mod prometheus_text;
#[path = "../../../pktvisor-otlp/tests/support/rotel.rs"]
mod rotel;
mod secure;
#[path = "../support/mod.rs"]
mod support;

/// The bundled capture: several periods of generated traffic.
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/demo.pcap");

/// The HOST of its traffic.
const HOST: &str = "192.0.2.0/28,2001:db8:53::/64";
