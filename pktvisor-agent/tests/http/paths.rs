//! The answers of each path.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pktvisor_agent::serve::Limits;
use tokio::task::JoinSet;

use crate::client::{LIMITS, Running, request};
use crate::source::{PANICS, PERIODS};

#[tokio::test]
async fn every_path_answers() {
    let server = Running::start().await;
    assert_eq!(server.get("/api/v1/metrics/app").await.json()["dns"]["xact"]["open"], 3);
    assert_eq!(server.get("/api/v1/metrics/rates").await.json()["packets"]["in"], 7);
    let series = server.get("/api/v1/metrics/series").await.json()["series"].take();
    assert_eq!(series["packets"]["in"], serde_json::json!([7, 5]));
    assert_eq!(series["xact"]["in"]["p50_us"], serde_json::json!([1500, null]));
    let findings = server.get("/api/v1/findings").await.json();
    assert_eq!(findings["findings"][0]["severity"], "warning");
    assert_eq!(server.get("/api/v1/metrics/bucket/0").await.json()["1m"]["packets"]["total"], 1000);
    assert_eq!(server.get("/api/v1/metrics/bucket/2").await.json()["1m"]["packets"]["total"], 0);
    assert_eq!(server.get("/api/v1/metrics/window/5").await.json()["5m"]["packets"]["total"], 1000);
    assert_eq!(server.get("/api/v1/metrics/rolling/20").await.json()["20s"]["period"]["length"], 29);
    assert!(server.get("/api/v1/openapi.json").await.json()["openapi"].is_string());
    assert_eq!(server.get("/healthz").await.json()["status"], "ok");
    assert_eq!(server.get("/metrics").await.status, 200);
}

#[tokio::test]
async fn a_query_string_changes_nothing() {
    let server = Running::start().await;
    assert_eq!(server.get("/api/v1/metrics/bucket/0?x=1&n=9").await.status, 200);
}

#[tokio::test]
async fn the_last_seconds_are_10_to_60_in_steps_of_10() {
    let server = Running::start().await;
    for odd in ["0", "1", "15", "70", "abc", "+10", "10.0", "%31%30", "99999999999999999999"] {
        let answer = server.get(&format!("/api/v1/metrics/rolling/{odd}")).await;
        let expected = "invalid number of seconds, specify 10, 20, 30, 40, 50 or 60";
        assert_eq!((answer.status, answer.error().as_str()), (404, expected), "{odd}");
    }
}

#[tokio::test]
async fn lists_are_as_long_as_asked() {
    let server = Running::start().await;
    for (path, key) in [("bucket/0", "1m"), ("window/5", "5m"), ("rolling/10", "10s")] {
        for (query, entries) in [("", 10), ("?top=1", 1), ("?top=25&x=y", 25), ("?x=1&top=1000", 1000)] {
            let answer = server.get(&format!("/api/v1/metrics/{path}{query}")).await;
            let list = answer.json()[key]["dns"]["top_qname2"].take();
            assert_eq!(list.as_array().unwrap().len(), entries, "{path}{query}");
        }
        for bad in ["0", "1001", "", "x", "-1", "5&top=6"] {
            let answer = server.get(&format!("/api/v1/metrics/{path}?top={bad}")).await;
            assert_eq!(answer.status, 400, "{path}?top={bad}");
            assert!(answer.error().contains("top"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_error_for_a_number_out_of_range_names_the_range() {
    let server = Running::start().await;
    for odd in ["5", "abc", "-1", "+1", "1.0", "0x1", "%30", "99999999999999999999", "%F0%9F%8D%BA"] {
        let bucket = server.get(&format!("/api/v1/metrics/bucket/{odd}")).await;
        assert_eq!(
            (bucket.status, bucket.error().as_str()),
            (404, "invalid metrics period, specify [0, 4]"),
            "{odd}"
        );
    }
    for odd in ["0", "1", "6", "abc"] {
        let window = server.get(&format!("/api/v1/metrics/window/{odd}")).await;
        assert_eq!(
            (window.status, window.error().as_str()),
            (404, "invalid metrics period, specify [2, 5]"),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_bucket_not_yet_filled_is_too_early() {
    let server = Running::start().await;
    let response = server.get("/api/v1/metrics/bucket/4").await;
    let sentence = "this metrics period has not yet accumulated, current range is [0, 2]";
    assert_eq!((response.status, response.error().as_str()), (425, sentence));
}

#[tokio::test]
async fn unknown_paths_are_not_found_with_any_method() {
    let server = Running::start().await;
    for path in [
        "//",
        "/page.css/",
        "/index.html",
        "/api/v1/metrics",
        "/api/v1/metrics/bucket",
        "/api/v1/metrics/bucket/",
        "/metrics/",
        "//metrics",
    ] {
        let response = server.get(path).await;
        assert_eq!(response.status, 404, "{path}");
        assert!(response.error().starts_with("unknown path"), "{path}");
    }
    assert_eq!(server.get("/api/v1/metrics/bucket/0/").await.status, 404);
    assert_eq!(server.get("/api/v1/metrics/bucket/0/1").await.status, 404);
    assert_eq!(server.request("POST", "/nowhere", "content-length: 0\r\n").await.status, 404);
}

#[tokio::test]
async fn an_error_for_another_method_names_the_allowed_ones() {
    let server = Running::start().await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
        for path in ["/api/v1/metrics/app", "/api/v1/metrics/bucket/0", "/healthz"] {
            let response = server.request(method, path, "content-length: 0\r\n").await;
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
            assert_eq!(response.error(), "only GET and HEAD are allowed here");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Running::start().await;
    for path in ["/api/v1/metrics/bucket/0", "/api/v1/metrics/bucket/99", "/metrics", "/nowhere", "/healthz"]
    {
        let get = server.get(path).await;
        let head = server.request("HEAD", path, "").await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn gzip_is_sent_on_request() {
    let server = Running::start().await;
    let path = "/api/v1/metrics/window/5";
    let plain = server.get(path).await;
    let zipped = server.request("GET", path, "accept-encoding: deflate, gzip\r\n").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert!(zipped.body.len() < plain.body.len());
    assert_eq!(zipped.unzipped(), plain.body);
    assert_eq!(zipped.header("vary"), Some("accept-encoding"));
    let head = server.request("HEAD", path, "accept-encoding: gzip\r\n").await;
    assert_eq!(head.header("content-length"), Some(zipped.body.len().to_string().as_str()));
}

#[tokio::test]
async fn an_agent_that_does_not_capture_is_not_healthy_and_says_why() {
    let server = Running::start().await;
    server.source.unhealthy.store(true, Ordering::SeqCst);
    let response = server.get("/healthz").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.error(), "not capturing: eth0 is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_that_request_a_window_share_one_merge() {
    let server = Running::start().await;
    server.source.close_gate();
    let mut clients = JoinSet::new();
    for _ in 0..20 {
        let address = server.address();
        clients.spawn(async move { request(address, "GET", "/api/v1/metrics/window/5", "").await.status });
    }
    server.source.until_merges(1).await;
    server.source.open_gate();
    assert_eq!(clients.join_all().await, vec![200; 20]);
    assert_eq!(server.source.merges.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_merged_one_at_a_time_and_delay_no_other_answer() {
    let server = Running::start().await;
    server.source.close_gate();
    let mut windows = JoinSet::new();
    for n in 2..=PERIODS {
        let address = server.address();
        let path = format!("/api/v1/metrics/window/{n}");
        windows.spawn(async move { request(address, "GET", &path, "").await.status });
    }
    server.source.until_merges(1).await;
    // Now that a merge waits, all other requests have time to arrive.
    for _ in 0..10 {
        for path in [
            "/metrics",
            "/healthz",
            "/api/v1/metrics/app",
            "/api/v1/metrics/rates",
            "/api/v1/metrics/bucket/0",
            "/api/v1/metrics/bucket/1",
            "/api/v1/openapi.json",
        ] {
            assert_eq!(server.get(path).await.status, 200, "{path}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.source.merges.load(Ordering::SeqCst), 1);
    server.source.open_gate();
    assert_eq!(windows.join_all().await, vec![200; PERIODS - 1]);
    assert_eq!(server.source.merges.load(Ordering::SeqCst), PERIODS - 1);
}

#[tokio::test]
async fn a_rotated_period_invalidates_cached_windows() {
    let server = Running::start().await;
    for rotations in [0, 0, 1, 1] {
        server.source.rotations.store(rotations, Ordering::SeqCst);
        assert_eq!(server.get("/api/v1/metrics/window/2").await.status, 200);
    }
    assert_eq!(server.source.merges.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_merge_that_panics_is_an_error_of_that_request_only() {
    let server = Running::start().await;
    let path = format!("/api/v1/metrics/window/{PANICS}");
    let response = server.get(&path).await;
    assert_eq!(response.status, 500);
    assert!(response.error().starts_with("the answer could not be made"));
    assert_eq!(server.get(&path).await.status, 500);
    assert_eq!(server.get("/api/v1/metrics/window/2").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_is_an_error() {
    let limits = Limits { request: Duration::from_millis(50), ..LIMITS };
    let server = Running::with(limits).await;
    server.source.close_gate();
    let address = server.address();
    let waiting = tokio::spawn(async move { request(address, "GET", "/api/v1/metrics/window/3", "").await });
    let response = waiting.await.unwrap();
    server.source.open_gate();
    assert_eq!(response.status, 500);
    assert!(response.error().starts_with("the answer was not ready in time"));
}
