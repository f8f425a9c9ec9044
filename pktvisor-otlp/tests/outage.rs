//! A real collector that is stopped and started again: nothing is lost within the bound, and what is
//! given up beyond it is counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/rotel.rs"]
mod rotel;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use metric_families::{ExponentialBuckets, FamilyKind, FamilySnapshot, Histogram, MetricFamily, PointValue};
use pktvisor_otlp::{
    CollectorEndpoint, FirstPush, OtlpCollector, Protocol, PushSettings, PushStatistics, Pusher,
    ResourceAttributes, Temporality,
};
use rotel::{Ports, Received, Rotel, wait_for};

/// A counter and a histogram that grow by one with each snapshot.
struct Agent {
    pusher: Pusher,
    snapshots: Arc<AtomicU64>,
    statistics: Arc<PushStatistics>,
}

impl Agent {
    fn start(ports: Ports, protocol: Protocol, temporality: Temporality, interval: Duration) -> Self {
        let port = match protocol {
            Protocol::Grpc => ports.grpc,
            Protocol::Http => ports.http,
        };
        let endpoint = CollectorEndpoint::parse(&format!("http://127.0.0.1:{port}"), protocol).unwrap();
        let settings = PushSettings {
            collector: OtlpCollector::read(endpoint, None, None).unwrap(),
            interval,
            temporality,
            resource: ResourceAttributes::default(),
            first_push: FirstPush::AtStart,
        };
        let (snapshots, statistics) = (Arc::new(AtomicU64::new(0)), Arc::default());
        let (taken, since) = (Arc::clone(&snapshots), SystemTime::now());
        let snapshot = move || {
            let count = taken.fetch_add(1, SeqCst) + 1;
            let buckets = ExponentialBuckets { scale: 3, zero: 0, counts: vec![(-5, count)] };
            let times = Histogram { count, exponential: Some(buckets), ..Histogram::default() };
            let families = vec![
                MetricFamily::new("a_packets", FamilyKind::Counter, "").with([], count),
                MetricFamily::new("a_wait_seconds", FamilyKind::Histogram, "").with([], times),
            ];
            FamilySnapshot { since, at: SystemTime::now(), labels: Vec::new(), families }
        };
        let pusher = Pusher::start(settings, Arc::clone(&statistics), snapshot).unwrap();
        Self { pusher, snapshots, statistics }
    }

    fn taken(&self) -> u64 {
        self.snapshots.load(SeqCst)
    }

    /// The sum over the points of a family of the statistics.
    fn counted(&self, name: &str) -> u64 {
        let family = self.statistics.families().into_iter().find(|family| family.name == name).unwrap();
        let values = family.points.iter().map(|point| match point.value {
            PointValue::Whole(value) => value,
            ref other => panic!("{other:?}"),
        });
        values.sum()
    }
}

fn values(received: &[Received]) -> Vec<u64> {
    received.iter().map(|request| request.total("a.packets") as u64).collect()
}

/// The collector is away for `outage` snapshots. Returns what it received before and after, and what was
/// counted as given up.
fn outage(
    protocol: Protocol,
    temporality: Temporality,
    interval: Duration,
    outage: u64,
) -> Option<(Vec<Received>, u64, u64)> {
    let program = rotel::program()?;
    let ports = Ports::free();
    let collector = Rotel::start(&program, ports);
    let agent = Agent::start(ports, protocol, temporality, interval);
    wait_for("a few snapshots", || agent.taken() >= 5);
    let mut received = collector.stop();
    let before = agent.taken();
    wait_for("the outage", || agent.taken() >= before + outage);
    let collector = Rotel::start(&program, ports);
    wait_for("the delivery of what waits", || agent.counted("pktvisor_otlp_waiting_snapshots") <= 1);
    let Agent { pusher, snapshots, statistics } = agent;
    pusher.finish().unwrap();
    received.extend(collector.stop());
    Some((received, snapshots.load(SeqCst), statistics.given_up()))
}

#[test]
fn within_the_bound_every_snapshot_arrives_by_grpc() {
    every_snapshot_arrives(Protocol::Grpc);
}

#[test]
fn within_the_bound_every_snapshot_arrives_by_http() {
    every_snapshot_arrives(Protocol::Http);
}

fn every_snapshot_arrives(protocol: Protocol) {
    let result = outage(protocol, Temporality::Cumulative, Duration::from_millis(200), 20);
    let Some((received, taken, given_up)) = result else { return };
    // A request whose answer was lost with the collector is sent again.
    let mut values = values(&received);
    values.dedup();
    assert_eq!((values, given_up), ((1..=taken).collect(), 0));
}

#[test]
fn beyond_the_bound_snapshots_are_counted_as_given_up_and_the_others_arrive() {
    let result = outage(Protocol::Grpc, Temporality::Cumulative, Duration::from_millis(10), 300);
    let Some((received, taken, given_up)) = result else { return };
    let mut values = values(&received);
    values.dedup();
    assert!(given_up > 100, "{given_up}");
    assert_eq!(values.len() as u64 + given_up, taken);
    assert_eq!(values.last(), Some(&taken));
}

#[test]
fn deltas_add_up_to_everything_however_long_the_collector_is_away() {
    let result = outage(Protocol::Http, Temporality::Delta, Duration::from_millis(10), 300);
    let Some((received, taken, given_up)) = result else { return };
    assert!(given_up > 100, "{given_up}");
    let sum: u64 = values(&received).iter().sum();
    let times: u64 = received.iter().map(|request| request.metrics["a.wait"].points[0].count).sum();
    // The one request whose answer may be lost with the collector is counted twice.
    assert!(sum >= taken && sum <= taken + 1, "{sum} of {taken}");
    assert_eq!(sum, times);
    assert!(received.iter().all(|request| request.metrics["a.wait"].temporality.ends_with("DELTA")));
}
