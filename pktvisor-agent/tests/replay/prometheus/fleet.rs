//! Three agents on different captures, whose clients overlap, and a Prometheus that scrapes them: its figures of the fleet
//! are those of one agent that has seen all of the traffic.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator, HOST_PREFIXES, TransactionAnswer};
use serde_json::Value;

use super::deployed;
use super::server::Prometheus;
use crate::support::Served;

const ETHERNET: u16 = 1;

/// A frame without IP before the traffic. The first scrapes come before the traffic as well, so that rates know all of it.
const QUIET: Duration = Duration::from_secs(16);

/// Replays the captures in ten seconds.
const PACE: &str = "4x";

/// The same clients ask every agent, at different rates.
fn config(seed: u64) -> Config {
    let packets = 10_000 * (seed + 1);
    Config { packets, rate: packets as f64 / 24.0, clients: 2_000, dns_share: 0.9, seed, ..Config::default() }
}

/// Writes a capture. Returns its true transactions.
fn write_capture(path: &Path, config: Config) -> TransactionAnswer {
    let start_ns = config.start_s * 1_000_000_000;
    let mut generator = Generator::new(config).unwrap();
    let mut pcap = PcapWriter::new(File::create(path).unwrap(), ETHERNET).unwrap();
    pcap.write(start_ns - QUIET.as_nanos() as u64, 60, &[0; 60]).unwrap();
    while let Some(packet) = generator.next_packet() {
        pcap.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
    }
    pcap.finish().unwrap();
    generator.into_answer().unwrap().total.dns.xact
}

/// The value of an expression with one sample.
fn figure(prometheus: &Prometheus, expression: &str) -> f64 {
    let samples = prometheus.query(expression);
    let [sample] = samples.as_array().unwrap().as_slice() else { panic!("`{expression}`: {samples}") };
    sample["value"][1].as_str().unwrap().parse().unwrap()
}

#[test]
fn the_p99_of_a_fleet_is_that_of_all_of_its_transactions() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let directory = tempfile::tempdir().unwrap();
    let host = HOST_PREFIXES.join(",");
    let sites: Vec<(Served, TransactionAnswer)> = (1..=3)
        .map(|seed| {
            let capture = directory.path().join(format!("{seed}.pcap"));
            let truth = write_capture(&capture, config(seed));
            let words = ["-H", &host, "--pace", PACE, capture.to_str().unwrap()];
            (Served::start(&words), truth)
        })
        .collect();
    let targets: Vec<String> = sites.iter().map(|(agent, _)| agent.address().to_string()).collect();
    let prometheus = Prometheus::start(&targets, &deployed("pktvisor.rules.yaml"));
    let (mut inbound, mut outbound): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    for (_, truth) in &sites {
        inbound.extend(&truth.inbound.times_ns);
        outbound.extend(&truth.outbound.times_ns);
    }
    for (direction, mut times_ns) in [("in", inbound), ("out", outbound)] {
        let selector = format!("{{job=\"pktvisor\", direction=\"{direction}\"}}");
        prometheus.wait_for(&format!("sum(pktvisor_dns_transactions_total{selector}) == {}", times_ns.len()));
        let native = prometheus.query(&format!("pktvisor_dns_transaction_duration_seconds{selector}"));
        if native.as_array().is_none_or(Vec::is_empty) {
            return testbed::report_skipped("the agent offers no native histogram");
        }
        assert!(native.as_array().is_some_and(|samples| samples.iter().all(is_native)), "{native}");
        times_ns.sort_unstable();
        let exact_s = times_ns[times_ns.len() * 99 / 100] as f64 / 1e9;
        for expression in [
            format!("histogram_quantile(0.99, sum(pktvisor_dns_transaction_duration_seconds{selector}))"),
            format!(
                "histogram_quantile(0.99, sum(rate(pktvisor_dns_transaction_duration_seconds{selector}[5m])))"
            ),
            format!("job:pktvisor_dns_transaction_duration_seconds:p99_5m{selector}"),
        ] {
            let found_s = figure(&prometheus, &expression);
            println!("{expression}: {found_s}, exact {exact_s}");
            assert!((found_s / exact_s - 1.0).abs() < 0.02, "{expression}: {found_s}, exact {exact_s}");
        }
    }
}

fn is_native(sample: &Value) -> bool {
    sample.get("histogram").is_some()
}
