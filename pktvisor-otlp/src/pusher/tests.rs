//! Delivery to a small collector over HTTP, which can be away, slow or of another opinion.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Instant as StdInstant, SystemTime};

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use flate2::read::GzDecoder;
use metric_families::{FamilyKind, MetricFamily};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;

use super::*;
use crate::endpoint::{CollectorEndpoint, Protocol};

/// A collector that takes one request for each connection.
struct FakeCollector {
    listener: TcpListener,
}

impl FakeCollector {
    fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Takes the requests of one connection, until `enough` or the connection closes.
    fn take(&self, status: &str, mut enough: impl FnMut(i64) -> bool) {
        let (mut stream, _) = self.listener.accept().unwrap();
        while let Some(request) = read_request(&mut stream) {
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if enough(value(&request)) {
                break;
            }
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<ExportMetricsServiceRequest> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /v1/metrics http/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf") && head.contains("content-encoding: gzip"));
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    let mut request = Vec::new();
    GzDecoder::new(body.as_slice()).read_to_end(&mut request).unwrap();
    Some(ExportMetricsServiceRequest::decode(request.as_slice()).unwrap())
}

/// The value of the only counter.
fn value(request: &ExportMetricsServiceRequest) -> i64 {
    match &request.resource_metrics[0].scope_metrics[0].metrics[0].data {
        Some(Data::Sum(sum)) => match sum.data_points[0].value {
            Some(Value::AsInt(value)) => value,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A pusher whose counter is 1 in the first snapshot, 2 in the second, and so on.
struct Pushed {
    pusher: Pusher,
    statistics: Arc<PushStatistics>,
    snapshots: Arc<AtomicU64>,
}

fn push(port: u16, temporality: Temporality, interval: Duration) -> Pushed {
    let endpoint = CollectorEndpoint::parse(&format!("http://127.0.0.1:{port}"), Protocol::Http).unwrap();
    let settings = PushSettings {
        collector: crate::OtlpCollector::read(endpoint, None, None).unwrap(),
        interval,
        temporality,
        resource: ResourceAttributes::default(),
        first_push: FirstPush::AtStart,
    };
    let statistics = Arc::new(PushStatistics::default());
    let snapshots = Arc::new(AtomicU64::new(0));
    let taken = Arc::clone(&snapshots);
    let snapshot = move || {
        let value = taken.fetch_add(1, SeqCst) + 1;
        let family = MetricFamily::new("a", FamilyKind::Counter, "").with([], value);
        let now = SystemTime::now();
        FamilySnapshot { since: now, at: now, labels: Vec::new(), families: vec![family] }
    };
    let pusher = Pusher::start(settings, Arc::clone(&statistics), snapshot).unwrap();
    Pushed { pusher, statistics, snapshots }
}

impl Pushed {
    /// The value of a family of the statistics, with this label value if it has labels.
    fn counted(&self, name: &str, label: Option<&str>) -> u64 {
        let family = self.statistics.families().into_iter().find(|family| family.name == name).unwrap();
        let is_meant =
            |point: &&metric_families::Point| point.labels.first().map(|(_, value)| value.as_str()) == label;
        match family.points.iter().find(is_meant).unwrap().value {
            metric_families::PointValue::Whole(value) => value,
            ref other => panic!("{other:?}"),
        }
    }

    fn wait_for_snapshots(&self, count: u64) {
        let start = StdInstant::now();
        while self.snapshots.load(SeqCst) < count {
            assert!(start.elapsed() < Duration::from_secs(20), "no snapshots");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The queue holds the snapshots of 3.8 seconds. So it holds all until the third attempt, which comes 1.5 to
/// 3 seconds after the first one.
const SHORT: Duration = Duration::from_millis(60);

/// They wait after 0.9 seconds.
const WAITING: u8 = 15;
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn snapshots_arrive_in_order_and_the_last_one_at_the_end() {
    let collector = FakeCollector::start();
    let pushed = push(collector.port(), Temporality::Cumulative, LONG);
    let mut values = Vec::new();
    collector.take("200 OK", |value| {
        values.push(value);
        true
    });
    let statistics = Arc::clone(&pushed.statistics);
    let ended = thread::spawn(move || pushed.pusher.finish());
    collector.take("200 OK", |value| {
        values.push(value);
        true
    });
    assert_eq!(ended.join().unwrap(), Ok(()));
    assert_eq!(values, [1, 2]);
    assert_eq!(statistics.given_up(), 0);
}

#[test]
fn what_waits_while_the_collector_is_away_arrives_when_it_returns() {
    let collector = FakeCollector::start();
    let port = collector.port();
    drop(collector);
    let pushed = push(port, Temporality::Cumulative, SHORT);
    pushed.wait_for_snapshots(WAITING.into());
    assert!(pushed.counted("pktvisor_otlp_requests", Some("failed")) > 0);
    let collector = FakeCollector { listener: TcpListener::bind(("127.0.0.1", port)).unwrap() };
    let mut values = Vec::new();
    collector.take("200 OK", |value| {
        values.push(value);
        values.len() == usize::from(WAITING)
    });
    assert_eq!(values, (1..=WAITING.into()).collect::<Vec<_>>());
    assert_eq!(pushed.statistics.given_up(), 0);
}

#[test]
fn beyond_the_bound_snapshots_are_given_up_and_counted_and_deltas_lose_nothing() {
    let collector = FakeCollector::start();
    let port = collector.port();
    drop(collector);
    let pushed = push(port, Temporality::Delta, Duration::from_millis(2));
    pushed.wait_for_snapshots(300);
    let given_up = pushed.counted("pktvisor_otlp_given_up_snapshots", Some("queue_full"));
    assert!(given_up >= 300 - 64 - 1, "{given_up}");
    let collector = FakeCollector { listener: TcpListener::bind(("127.0.0.1", port)).unwrap() };
    let (mut sum, mut requests) = (0, 0);
    collector.take("200 OK", |value| {
        sum += value;
        requests += 1;
        sum >= 300
    });
    assert!(requests < 300, "{requests}");
    // The sum of the deltas is the value of the last snapshot that arrived.
    assert!(sum <= pushed.snapshots.load(SeqCst) as i64);
}

#[test]
fn a_refused_request_is_given_up_and_counted_and_its_delta_is_in_the_next_one() {
    let collector = FakeCollector::start();
    let pushed = push(collector.port(), Temporality::Delta, Duration::from_millis(300));
    let mut values = Vec::new();
    for status in ["200 OK", "400 Bad Request", "200 OK"] {
        collector.take(status, |value| {
            values.push(value);
            true
        });
    }
    assert_eq!(values, [1, 1, 2]);
    let start = StdInstant::now();
    while pushed.counted("pktvisor_otlp_requests", Some("accepted")) < 2 {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(pushed.counted("pktvisor_otlp_given_up_snapshots", Some("refused")), 1);
    assert_eq!(pushed.counted("pktvisor_otlp_requests", Some("refused")), 1);
}

#[test]
fn the_end_waits_seconds_for_a_collector_that_hangs_and_not_at_all_for_one_that_is_away() {
    let hanging = FakeCollector::start();
    let pushed = push(hanging.port(), Temporality::Cumulative, LONG);
    let start = StdInstant::now();
    let said = pushed.pusher.finish().unwrap_err().to_string();
    assert!(start.elapsed() < FINISH_MAX + Duration::from_secs(1));
    assert!(said.contains("did not take the last metrics: it does not answer within 3 s"), "{said}");
    let port = hanging.port();
    drop(hanging);
    let pushed = push(port, Temporality::Cumulative, LONG);
    let start = StdInstant::now();
    let said = pushed.pusher.finish().unwrap_err().to_string();
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(said.contains("is not running: nothing listens on"), "{said}");
}
