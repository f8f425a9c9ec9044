//! The Host of a request: which names a listener answers to, and which requests name no host.

use pktvisor_agent::serve::Server;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{PATHS, Running, until_closed};

/// The status and the body of the answer to a request with this first line and these headers.
async fn answer(server: &Running, line: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("{line}\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = String::from_utf8(until_closed(&mut stream).await).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The status of a request whose Host header has this value.
async fn status_for(server: &Running, host: &str) -> u16 {
    answer(server, "GET /metrics HTTP/1.1", &format!("host: {host}\r\n")).await.0
}

fn sentence(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_foreign_name_is_forbidden_on_every_path_and_the_error_names_the_option() {
    let server = Running::start().await;
    for path in PATHS {
        for version in ["HTTP/1.0", "HTTP/1.1"] {
            let line = format!("GET {path} {version}");
            let (status, body) = answer(&server, &line, "host: rebound.example:10853\r\n").await;
            assert_eq!(status, 403, "{line}");
            assert!(sentence(&body).contains("--allow-host NAME"), "{line}: {body}");
        }
    }
    for host in ["localhost.example", "127.0.0.1.example", "notlocalhost", "com", "", "%6cocalhost"] {
        assert_eq!(status_for(&server, host).await, 403, "{host:?}");
    }
}

#[tokio::test]
async fn addresses_and_names_of_the_machine_are_answered() {
    let server = Running::start().await;
    for host in [
        "localhost",
        "LocalHost:10853",
        "localhost.",
        "app.localhost",
        "127.0.0.1",
        "127.0.0.1:10853",
        "192.0.2.1",
        "[::1]",
        "[::1]:10853",
    ] {
        assert_eq!(status_for(&server, host).await, 200, "{host:?}");
    }
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let machine = machine.trim_end().to_ascii_uppercase();
    assert_eq!(status_for(&server, &format!("{machine}:80")).await, 200);
}

#[tokio::test]
async fn an_allowed_name_is_answered_in_every_notation() {
    let names = ["Metrics.example", "other.example."].map(str::to_owned);
    let server = Server::bind("127.0.0.1", 0).await.unwrap();
    let server = Running::run(server.with_allowed_hosts(&names));
    for host in ["metrics.example", "METRICS.EXAMPLE.:80", "other.example:10853", "other.example."] {
        assert_eq!(status_for(&server, host).await, 200, "{host}");
    }
    for host in ["a.metrics.example", "example", "third.example"] {
        assert_eq!(status_for(&server, host).await, 403, "{host}");
    }
}

#[tokio::test]
async fn no_answer_permits_a_page_of_another_site_to_read_it() {
    let server = Running::start().await;
    for (method, path) in
        [("GET", "/metrics"), ("OPTIONS", "/metrics"), ("GET", "http://rebound.example/metrics")]
    {
        let headers = "origin: http://rebound.example\r\naccess-control-request-method: GET\r\n";
        let response = server.request(method, path, headers).await;
        let permission = response.headers.keys().find(|name| name.starts_with("access-control-"));
        assert_eq!(permission, None, "{method} {path}");
    }
}

#[tokio::test]
async fn every_request_of_a_connection_is_checked() {
    let server = Running::start().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let requests = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n\
                    GET /healthz HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).await.unwrap();
    let answers = String::from_utf8(until_closed(&mut stream).await).unwrap();
    let statuses: Vec<_> =
        answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "403"]);
}

/// RFC 9112 section 3.2.
#[tokio::test]
async fn a_request_without_exactly_one_valid_host_is_a_bad_request() {
    let server = Running::start().await;
    assert_eq!(answer(&server, "GET /healthz HTTP/1.0", "").await.0, 200);
    for headers in [
        "",
        "host: localhost\r\nhost: localhost\r\n",
        "host: localhost\r\nx: y\r\nHOST: rebound.example\r\n",
        "host: a b\r\n",
        "host: ::1\r\n",
        "host: [::1\r\n",
        "host: localhost:http\r\n",
        "host: localhost:80:80\r\n",
        "host: user@localhost\r\n",
        "host: http://localhost\r\n",
        "host: h\u{f6}st\r\n",
    ] {
        for line in ["GET /healthz HTTP/1.1", "GET http://localhost/healthz HTTP/1.1"] {
            let (status, body) = answer(&server, line, headers).await;
            assert_eq!(status, 400, "{line} {headers:?}");
            assert!(sentence(&body).contains("exactly one Host"), "{body}");
        }
    }
    let twice = "host: localhost\r\nhost: localhost\r\n";
    assert_eq!(answer(&server, "GET /healthz HTTP/1.0", twice).await.0, 400);
}

/// RFC 9112 section 3.2.2.
#[tokio::test]
async fn the_host_of_a_target_in_absolute_form_replaces_the_header() {
    let server = Running::start().await;
    for (target, header, expected) in [
        ("http://localhost/metrics", "rebound.example", 200),
        ("http://[::1]:10853/metrics", "rebound.example", 200),
        ("http://rebound.example@localhost/metrics", "rebound.example", 200),
        ("http://rebound.example/metrics", "localhost", 403),
        ("http://localhost@rebound.example:80/metrics", "localhost", 403),
        ("http://rebound.example", "localhost", 403),
        ("http://localhost:port/metrics", "localhost", 400),
        ("http://:80/metrics", "localhost", 400),
        ("http://user@/metrics", "localhost", 400),
    ] {
        let line = format!("GET {target} HTTP/1.1");
        assert_eq!(answer(&server, &line, &format!("host: {header}\r\n")).await.0, expected, "{target}");
    }
    // HTTP/1.0 needs no Host header, but a host in the target is checked.
    assert_eq!(answer(&server, "GET http://localhost/metrics HTTP/1.0", "").await.0, 200);
    assert_eq!(answer(&server, "GET http://rebound.example/metrics HTTP/1.0", "").await.0, 403);
}

#[tokio::test]
async fn a_listener_on_another_address_answers_to_every_name() {
    let server = Running::run(Server::bind("0.0.0.0", 0).await.unwrap());
    for host in ["rebound.example", "localhost", "127.0.0.1", ""] {
        assert_eq!(status_for(&server, host).await, 200, "{host:?}");
    }
    assert_eq!(answer(&server, "GET http://rebound.example/metrics HTTP/1.1", "host: x\r\n").await.0, 200);
    assert_eq!(status_for(&server, "a b").await, 400);
    assert_eq!(answer(&server, "GET /metrics HTTP/1.1", "").await.0, 400);
}
