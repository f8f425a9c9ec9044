//! The API matches its description, and the description changes only on purpose.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::client::Running;
use crate::schema::Schemas;
use crate::source::PANICS;

#[tokio::test]
async fn every_answer_is_what_openapi_says() {
    let server = Running::start().await;
    let document = server.get("/api/v1/openapi.json").await.json();
    let mut schemas = Schemas::of(&document);
    let mut statuses = BTreeSet::new();
    let panics = PANICS.to_string();
    let asked = [
        ("GET", "/api/v1/metrics/app", ""),
        ("GET", "/api/v1/metrics/rates", ""),
        ("GET", "/api/v1/metrics/series", ""),
        ("GET", "/api/v1/findings", ""),
        ("GET", "/api/v1/metrics/bucket/{n}", "0"),
        ("GET", "/api/v1/metrics/bucket/{n}", "1"),
        ("GET", "/api/v1/metrics/bucket/{n}", "4"),
        ("GET", "/api/v1/metrics/bucket/{n}", "5"),
        ("GET", "/api/v1/metrics/window/{n}", "2"),
        ("GET", "/api/v1/metrics/window/{n}", "1"),
        ("GET", "/api/v1/metrics/window/{n}", panics.as_str()),
        ("GET", "/api/v1/metrics/rolling/{s}", "60"),
        ("GET", "/api/v1/metrics/rolling/{s}", "61"),
        ("GET", "/api/v1/focus", "?zone=example.com"),
        ("GET", "/api/v1/focus", ""),
        ("GET", "/api/v1/packets", "?limit=0"),
        ("GET", "/api/v1/focus", "?rcode=4000"),
        ("POST", "/api/v1/metrics/window/{n}", "2"),
        ("GET", "/healthz", ""),
        ("GET", "/healthz", "unhealthy"),
    ];
    for (method, path, parameter) in asked {
        server.source.unhealthy.store(parameter == "unhealthy", Ordering::SeqCst);
        let response = server.request(method, &target(path, parameter), "content-length: 0\r\n").await;
        let place = format!("{method} {path} {parameter} {}", response.status);
        let described = &document["paths"][path]["get"]["responses"][response.status.to_string()];
        let schema = &described["content"]["application/json"]["schema"];
        schemas.check(schema, &response.json(), &place);
        statuses.insert(response.status);
    }
    let two_hosts = server.request("GET", "/healthz", "host: localhost\r\n").await;
    let foreign_host = server.get("http://rebound.example/healthz").await;
    for (response, status) in [(two_hosts, 400), (foreign_host, 403)] {
        let described = &document["paths"]["/healthz"]["get"]["responses"][response.status.to_string()];
        schemas.check(&described["content"]["application/json"]["schema"], &response.json(), "/healthz");
        assert_eq!(response.status, status);
        statuses.insert(status);
    }
    let bad_length = server.get("/api/v1/metrics/bucket/0?top=1001").await;
    let described = &document["paths"]["/api/v1/metrics/bucket/{n}"]["get"]["responses"]["400"];
    schemas.check(&described["content"]["application/json"]["schema"], &bad_length.json(), "top=1001");
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [200, 400, 403, 404, 405, 425, 429, 500, 503]);
    // For a new optional key, add it once to the source in source.rs.
    assert_eq!(schemas.never_seen(), []);
}

/// A path with this parameter, which may be a query string.
fn target(path: &str, parameter: &str) -> String {
    let query = if parameter.starts_with('?') { parameter } else { "" };
    path.replace("{n}", parameter).replace("{s}", parameter) + query
}

/// A path with a parameter that it accepts.
fn example(path: &str) -> String {
    let parameter = match path {
        "/api/v1/packets" => "?seconds=1",
        _ if path.ends_with("{n}") => "2",
        _ => "10",
    };
    target(path, parameter)
}

#[tokio::test]
async fn openapi_describes_every_path_and_no_other() {
    let server = Running::start().await;
    let document = server.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    for path in paths.keys() {
        let response = server.get(&example(path)).await;
        let described = &paths[path]["get"]["responses"][response.status.to_string()]["content"];
        let media_type = response.header("content-type").unwrap_or_default();
        assert!(described.get(media_type).is_some(), "{path}: {media_type} is not in {described}");
    }
    let known = [
        "/",
        "/api/v1/findings",
        "/api/v1/focus",
        "/api/v1/metrics/app",
        "/api/v1/metrics/bucket/{n}",
        "/api/v1/metrics/rates",
        "/api/v1/metrics/rolling/{s}",
        "/api/v1/metrics/series",
        "/api/v1/metrics/window/{n}",
        "/api/v1/openapi.json",
        "/api/v1/packets",
        "/healthz",
        "/metrics",
        "/page.css",
        "/page.js",
    ];
    assert_eq!(paths.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(known));
}

#[test]
fn docs_openapi_json_is_the_description() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let document: Value = pktvisor_agent::serve::openapi::document();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "the API has changed; if on purpose: UPDATE_GOLDEN=1 cargo test -p pktvisor-agent --test http"
    );
}

#[tokio::test]
async fn prometheus_can_read_the_exposition() {
    let server = Running::start().await;
    let response = server.get("/metrics").await;
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    // Every series has the operator's label, behind which come its own.
    let own = "site=\"quoted \\\"one\\\"\"";
    let is_labelled = |line: &str| line.starts_with('#') || line.contains(&format!("{{{own}"));
    assert!(response.text().lines().all(is_labelled));
    let text = response.text().replace(&format!("{{{own}}}"), "").replace(&format!("{own},"), "");
    let text = text.as_str();
    assert!(text.ends_with('\n'));
    let mut families = BTreeSet::new();
    let mut series = BTreeSet::new();
    let mut current = ("", "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split_once(' ').unwrap();
            assert!(families.insert(current.0), "{} is a family twice", current.0);
            assert_eq!(current.1 == "counter", current.0.ends_with("_total"), "{line}");
            assert_eq!(current.1 == "histogram", current.0.ends_with("_duration_seconds"), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(series.insert(sample), "{sample} is there twice");
            let name = sample.split('{').next().unwrap();
            let suffix = name.strip_prefix(current.0).unwrap();
            match current.1 {
                "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{sample}"),
                _ => assert_eq!(suffix, ""),
            }
            value.parse::<f64>().unwrap();
        }
    }
    assert!(series.contains("pktvisor_build_info{version=\"4.0.0\"}"));
    assert!(text.contains("\npktvisor_packets_seen_total 10\n"));
    assert!(text.contains("\npktvisor_packets_per_second{direction=\"in\"} 7\n"));
    assert!(text.contains("\npktvisor_dns_queries_waiting 2\n"));
    let finding = "pktvisor_finding{kind=\"random_subdomains\",subject_kind=\"zone\",subject=\"odd\\\"name.example\",severity=\"warning\"} 1";
    assert!(series.contains(finding.strip_suffix(" 1").unwrap()));
    assert!(text.contains("\npktvisor_cpu_seconds_total{role=\"worker\"} 1.0\n"));
    assert!(text.contains("\npktvisor_cpu_seconds_per_packet 0.15\n"));
    assert!(text.contains("\npktvisor_packets_total 5000\n"));
    assert!(text.contains("\npktvisor_dns_transactions_total{direction=\"unknown\"} 1\n"));
    for (direction, le, count) in [("in", "6.4e-05", 0), ("in", "0.000128", 2), ("in", "+Inf", 4)] {
        let bucket = format!(
            "pktvisor_dns_transaction_duration_seconds_bucket{{direction=\"{direction}\",le=\"{le}\"}} {count}\n"
        );
        assert!(text.contains(&bucket), "{bucket}");
    }
    assert!(text.contains("\npktvisor_dns_transaction_duration_seconds_sum{direction=\"in\"} 20.0\n"));
}
