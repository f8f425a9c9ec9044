//! The collector is stopped and started again while the agent counts.

use std::fs;
use std::io::Write;

use crate::prometheus_text::value;
use crate::rotel::{self, Ports, Rotel, wait_for};
use crate::support::Served;
use crate::{DEMO, HOST};

/// One interval in nanoseconds, and as much again for a busy machine.
const GAP_NS_MAX: u64 = 2_500_000_000;

#[test]
fn a_collector_that_was_away_gets_every_moment_and_every_packet() {
    let Some(program) = rotel::program() else { return };
    let ports = Ports::free();
    for temporality in ["cumulative", "delta"] {
        let collector = Rotel::start(&program, ports);
        let url = format!("http://127.0.0.1:{}", ports.grpc);
        let words = ["-H", HOST, "--otlp-endpoint", &url, "--otlp-interval", "1"];
        let mut agent = Served::start(&[&words[..], &["--otlp-temporality", temporality, "-"]].concat());
        let capture = fs::read(DEMO).unwrap();
        let (first, second) = capture.split_at(capture.len() / 2);
        let mut stdin = agent.stdin();
        stdin.write_all(first).unwrap();
        let counted = |metrics: &str| value(metrics, "pktvisor_packets_counted_total", None);
        wait_for("packets at the collector", || {
            collector.received().iter().any(|request| request.total("pktvisor.packets.counted") > 100.0)
        });
        let before = collector.stop();
        stdin.write_all(second).unwrap();
        drop(stdin);
        agent.line();
        wait_for("snapshots that wait", || {
            value(&agent.get("/metrics").1, "pktvisor_otlp_waiting_snapshots", None) >= 4.0
        });
        let metrics = agent.get("/metrics").1;
        assert!(value(&metrics, "pktvisor_otlp_requests_total", Some(("outcome", "failed"))) > 0.0);
        let collector = Rotel::start(&program, ports);
        wait_for("their delivery", || {
            value(&agent.get("/metrics").1, "pktvisor_otlp_waiting_snapshots", None) == 0.0
        });
        let metrics = agent.get("/metrics").1;
        assert_eq!(value(&metrics, "pktvisor_otlp_given_up_snapshots_total", None), 0.0);
        let (status, _, stderr) = agent.stop("TERM");
        assert!(status.success(), "{stderr}");
        assert_eq!(stderr.matches("is not running: nothing listens").count(), 1, "{stderr}");
        assert!(stderr.contains("takes metrics again; 0 snapshots were given up"), "{stderr}");
        let after = collector.stop();
        let all: Vec<_> = before.iter().chain(&after).collect();
        for pair in all.windows(2) {
            let gap_ns = pair[1].time_ns().saturating_sub(pair[0].time_ns());
            assert!(gap_ns < GAP_NS_MAX, "a gap of {gap_ns} ns");
        }
        let totals = all.iter().map(|request| request.total("pktvisor.packets.counted"));
        let total = match temporality {
            "delta" => totals.sum(),
            _ => totals.fold(0.0, f64::max),
        };
        assert_eq!(total, counted(&metrics), "{temporality}");
    }
}
