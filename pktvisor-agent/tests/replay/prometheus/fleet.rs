//! Three agents on different captures, whose clients overlap, and a Prometheus that scrapes them: its figures of the fleet
//! are those of one agent that has seen all of the traffic.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator, TransactionAnswer};
use serde_json::Value;

use super::native::value;
use super::server::Prometheus;
use super::{HOST, deployed};
use crate::support::Served;

const ETHERNET: u16 = 1;

/// Replays the captures in some twenty seconds.
const PACE: &str = "4x";

/// Time in the captures before the traffic: a frame without IP begins it. Prometheus has to start and scrape in it, because
/// rates do not know what was there at the first scrape.
const QUIET: Duration = Duration::from_secs(60);

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

#[test]
fn the_p99_of_a_fleet_is_that_of_all_of_its_transactions() {
    testbed::require!(testbed::Need::Program("prometheus"));
    let directory = tempfile::tempdir().unwrap();
    let captures = [1, 2, 3].map(|seed| directory.path().join(format!("{seed}.pcap")));
    let truths: Vec<TransactionAnswer> =
        (1..).zip(&captures).map(|(seed, path)| write_capture(path, config(seed))).collect();
    let agents = captures.map(|path| Served::start(&["-H", HOST, "--pace", PACE, path.to_str().unwrap()]));
    let targets = agents.each_ref().map(|agent| agent.address().to_string());
    let rules = deployed("pktvisor.rules.yaml");
    let prometheus = Prometheus::start_with(&targets, &rules, &["--enable-feature=native-histograms"]);
    let (mut inbound, mut outbound): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    for truth in &truths {
        inbound.extend(&truth.inbound.times_ns);
        outbound.extend(&truth.outbound.times_ns);
    }
    for (direction, mut times_ns) in [("in", inbound), ("out", outbound)] {
        let selector = format!("{{job=\"pktvisor\", direction=\"{direction}\"}}");
        prometheus.wait_for(&format!("sum(pktvisor_dns_transactions_total{selector}) == {}", times_ns.len()));
        let native = prometheus.query(&format!("pktvisor_dns_transaction_duration_seconds{selector}"));
        let is_native =
            |samples: &Vec<Value>| samples.iter().filter(|one| one.get("histogram").is_some()).count() == 3;
        assert!(native.as_array().is_some_and(is_native), "{native}");
        times_ns.sort_unstable();
        let exact_s = times_ns[times_ns.len() * 99 / 100] as f64 / 1e9;
        // The rule is evaluated once a second.
        let rule = format!("job:pktvisor_dns_transaction_duration_seconds:p99_5m{selector}");
        prometheus.wait_for(&format!("abs({rule} / {exact_s} - 1) < 0.02"));
        for expression in [
            format!("histogram_quantile(0.99, sum(pktvisor_dns_transaction_duration_seconds{selector}))"),
            format!(
                "histogram_quantile(0.99, sum(rate(pktvisor_dns_transaction_duration_seconds{selector}[5m])))"
            ),
            rule,
        ] {
            let found_s = value(&prometheus, &expression);
            println!("{expression}: {found_s}, exact {exact_s}");
            assert!((found_s / exact_s - 1.0).abs() < 0.02, "{expression}: {found_s}, exact {exact_s}");
        }
    }
}
