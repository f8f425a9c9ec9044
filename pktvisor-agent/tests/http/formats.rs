//! The formats of `/metrics`: the same numbers in each, and the one that the client asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use pktvisor_agent::serve::Limits;
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model::{
    Histogram, MetricFamily, MetricType,
};
use prost::Message;

use crate::client::{LIMITS, Response, Running};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// Values by name and labels.
type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

async fn scrape(server: &Running, accept: &str) -> Response {
    let response = server.request("GET", "/metrics", &format!("accept: {accept}\r\n")).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("vary"), Some("accept, accept-encoding"));
    response
}

/// Reads both text formats.
fn text_series(text: &str) -> Series {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            ((name.to_owned(), labels_of(labels)), value.parse().unwrap())
        })
        .collect()
}

/// Reads `a="b",c="d"}`.
fn labels_of(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (end, '"') => break end,
                (_, '\\') => match characters.next().unwrap().1 {
                    'n' => value.push('\n'),
                    escaped => value.push(escaped),
                },
                (_, character) => value.push(character),
            }
        };
        labels.insert(name.trim_start_matches(',').to_owned(), value);
        text = &rest[end + 1..];
    }
    assert_eq!(text, "}");
    labels
}

fn families(mut body: &[u8]) -> Vec<MetricFamily> {
    let mut families = Vec::new();
    while !body.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut body).unwrap());
    }
    families
}

/// The series of the messages, and their histograms by direction.
fn protobuf_series(families: &[MetricFamily]) -> (Series, BTreeMap<String, Histogram>) {
    let (mut series, mut histograms) = (Series::new(), BTreeMap::new());
    for family in families {
        for metric in &family.metric {
            let labels = metric.label.iter().map(|label| (label.name.clone(), label.value.clone()));
            let labels: BTreeMap<String, String> = labels.collect();
            let value = match family.r#type() {
                MetricType::Counter => metric.counter.as_ref().unwrap().value,
                MetricType::Gauge => metric.gauge.as_ref().unwrap().value,
                MetricType::Histogram => {
                    let histogram = metric.histogram.clone().unwrap();
                    histograms.insert(labels["direction"].clone(), histogram);
                    continue;
                }
                other => panic!("{}: {other:?}", family.name),
            };
            assert!(series.insert((family.name.clone(), labels), value).is_none(), "{}", family.name);
        }
    }
    (series, histograms)
}

#[tokio::test]
async fn every_format_has_the_same_numbers() {
    let server = Running::start().await;
    let text = text_series(scrape(&server, "*/*").await.text());
    let open_metrics = scrape(&server, "application/openmetrics-text").await;
    assert!(open_metrics.text().ends_with("\n# EOF\n"));
    assert!(open_metrics.text().contains("# UNIT pktvisor_dns_transaction_duration_seconds seconds\n"));
    // The formats write the bound 0.000064 differently.
    let normal = |series: Series| -> Series {
        let series = series.into_iter().map(|((name, mut labels), value)| {
            if let Some(bound) = labels.get_mut("le") {
                *bound = bound.parse::<f64>().unwrap().to_string();
            }
            ((name, labels), value)
        });
        series.collect()
    };
    let text = normal(text);
    assert_eq!(normal(text_series(open_metrics.text())), text);
    let (mut protobuf, histograms) = protobuf_series(&families(&scrape(&server, PROTOBUF).await.body));
    let of_histograms = |name: &str| name.starts_with("pktvisor_dns_transaction_duration_seconds");
    let mut rest = text.clone();
    rest.retain(|(name, _), _| !of_histograms(name));
    protobuf.retain(|(name, _), _| !of_histograms(name));
    assert!(rest.len() > 200, "{}", rest.len());
    assert_eq!(protobuf, rest);
    for direction in ["in", "out"] {
        let histogram = &histograms[direction];
        let classic = |suffix: &str| {
            let name = format!("pktvisor_dns_transaction_duration_seconds_{suffix}");
            let mut found =
                text.iter().filter(|((found, labels), _)| *found == name && labels["direction"] == direction);
            *found.next().unwrap().1
        };
        assert_eq!((histogram.sample_count as f64, histogram.sample_sum), (classic("count"), classic("sum")));
        // Native buckets and no classic ones, whose series Prometheus 2.42 would drop.
        assert_eq!(histogram.bucket.len(), 0);
        assert_eq!((histogram.schema, histogram.zero_threshold > 0.0), (6, true));
        let spans: Vec<_> = histogram.positive_span.iter().map(|span| (span.offset, span.length)).collect();
        assert_eq!(spans, [(-839, 1), (59, 2)]);
        assert_eq!(histogram.positive_delta, [2, -1, 0]);
    }
}

#[tokio::test]
async fn each_client_gets_its_format_although_answers_are_kept() {
    let limits = Limits { cache: Duration::from_secs(3600), ..LIMITS };
    let server = Running::with(limits).await;
    for _ in 0..2 {
        for (accept, content_type) in [
            ("*/*", TEXT),
            ("text/html, */*;q=0.1", TEXT),
            (OPEN_METRICS, OPEN_METRICS),
            (&format!("{PROTOBUF}, {OPEN_METRICS};q=0.8, */*;q=0.1"), PROTOBUF),
            ("application/openmetrics-text;q=0.2, text/plain;q=0.3", TEXT),
        ] {
            let response = scrape(&server, accept).await;
            assert_eq!(response.header("content-type"), Some(content_type), "{accept}");
            let is_protobuf = response.body.first().is_some_and(|first| *first != b'#');
            assert_eq!(is_protobuf, content_type == PROTOBUF);
            assert_eq!(response.body.ends_with(b"# EOF\n"), content_type == OPEN_METRICS);
        }
    }
    let plain = scrape(&server, PROTOBUF).await;
    let headers = format!("accept: {PROTOBUF}\r\naccept-encoding: gzip\r\n");
    assert_eq!(server.request("GET", "/metrics", &headers).await.unzipped(), plain.body);
    assert_eq!(server.get("/metrics").await.header("content-type"), Some(TEXT));
}
