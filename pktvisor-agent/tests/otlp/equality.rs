//! What a collector receives of an agent is what the agent says at `/metrics`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::prometheus_text::{Series, series, value};
use crate::rotel::{self, Metric, Ports, Received, Rotel, wait_for};
use crate::support::Served;
use crate::{DEMO, HOST};

/// The metrics that change from one moment to the next although no packet comes.
const OF_THE_MOMENT: [&str; 5] = ["process.", "pktvisor.cpu.", "pktvisor.otlp.", "pktvisor.uptime", "http."];

fn is_stable(metric: &str) -> bool {
    !OF_THE_MOMENT.iter().any(|start| metric.starts_with(start))
}

/// What the collector receives of an agent that has read its capture, and the text of `/metrics` then.
fn received(protocol: &str, port: fn(Ports) -> u16) -> Option<(Received, String)> {
    let program = rotel::program()?;
    let ports = Ports::free();
    let collector = Rotel::start(&program, ports);
    let url = format!("http://127.0.0.1:{}", port(ports));
    let words = ["-H", HOST, "--otlp-endpoint", &url, "--otlp-protocol", protocol];
    let mut agent =
        Served::start(&[&words[..], &["--otlp-interval", "1", "--label", "site=ams 1", DEMO]].concat());
    agent.line();
    let (status, text) = agent.get("/metrics");
    assert_eq!(status, 200);
    let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    wait_for("a later push", || collector.received().iter().any(|request| request.time_ns() > now_ns));
    let (status, _, stderr) = agent.stop("TERM");
    assert!(status.success(), "{stderr}");
    Some((collector.stop().pop().unwrap(), text))
}

fn compare(received: &Received, text: &str) {
    assert_eq!(received.resource["service.name"], "pktvisor");
    assert_eq!(received.resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert!(received.resource["service.instance.id"].ends_with("demo.pcap"), "{:?}", received.resource);
    assert!(!received.resource["host.name"].is_empty());
    assert_eq!(received.resource["site"], "ams 1");
    let expected: BTreeMap<Series, f64> = series(text)
        .into_iter()
        .filter(|((name, _), _)| is_stable(name))
        .map(|((name, mut labels), value)| {
            // Prometheus repeats the operator's labels at each series.
            assert_eq!(labels.remove("site").as_deref(), Some("ams 1"), "{name}");
            ((name, labels), value)
        })
        .collect();
    let is_number = |metric: &Metric| matches!(metric.data_type.as_str(), "Sum" | "Gauge");
    let numbers = received.metrics.iter().filter(|(name, metric)| is_stable(name) && is_number(metric));
    let got: BTreeMap<Series, f64> = numbers
        .flat_map(|(name, metric)| {
            metric.points.iter().map(|point| ((name.clone(), point.attributes.clone()), point.value))
        })
        .collect();
    assert!(expected.len() > 300, "{} series", expected.len());
    let differing: Vec<_> = expected
        .iter()
        .filter(|(series, value)| got.get(series) != Some(value))
        .map(|(series, value)| (series, value, got.get(series)))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
    let unexpected: Vec<_> = got.keys().filter(|series| !expected.contains_key(series)).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    compare_times(received, text);
}

/// The histogram of transaction times against the classic one of the text.
fn compare_times(received: &Received, text: &str) {
    const FAMILY: &str = "pktvisor_dns_transaction_duration_seconds";
    let metric = &received.metrics["dns.lookup.duration"];
    assert_eq!((metric.unit.as_str(), metric.data_type.as_str()), ("s", "ExponentialHistogram"));
    assert_eq!(metric.points.len(), 2);
    for point in &metric.points {
        let direction = point.attributes["direction"].as_str();
        let of_text =
            |suffix: &str| value(text, &format!("{FAMILY}{suffix}"), Some(("direction", direction)));
        assert_eq!(point.count as f64, of_text("_count"));
        assert_eq!(point.sum, of_text("_sum"));
        assert!(point.count > 0 && point.buckets.len() > 10, "{point:?}");
        assert_eq!(point.buckets.iter().map(|(_, count)| count).sum::<u64>(), point.count);
        let up_to = |bound: f64| -> f64 {
            point.buckets.iter().filter(|(upper, _)| *upper <= bound).map(|(_, count)| *count as f64).sum()
        };
        // A bucket is 1.1 % wide, and the middle of one of the store, known to 0.4 %, decides on it.
        for exponent in 6..24 {
            let bound_s = f64::from(1_u32 << exponent) / 1e6;
            let classic: f64 = crate::prometheus_text::samples(text)
                .into_iter()
                .filter(|((name, labels), _)| {
                    *name == format!("{FAMILY}_bucket")
                        && labels["direction"] == direction
                        && labels["le"].parse() == Ok(bound_s)
                })
                .map(|(_, value)| value)
                .sum();
            let (fewest, most) = (up_to(bound_s / 1.016), up_to(bound_s * 1.016));
            assert!(fewest <= classic && classic <= most, "{direction} {bound_s}: {fewest} {classic} {most}");
        }
    }
}

#[test]
fn a_collector_receives_the_numbers_of_metrics_by_grpc() {
    let Some((received, text)) = received("grpc", |ports| ports.grpc) else { return };
    compare(&received, &text);
}

#[test]
fn a_collector_receives_the_numbers_of_metrics_by_http() {
    let Some((received, text)) = received("http", |ports| ports.http) else { return };
    compare(&received, &text);
}
