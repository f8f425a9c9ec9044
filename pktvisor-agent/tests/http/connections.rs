//! Addresses, bounds and time-outs.

use std::net::SocketAddr;
use std::time::Duration;

use pktvisor_agent::serve::{BindError, Limits, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{LIMITS, Running, request, until_closed};

/// Short enough to wait for.
const SOON: Duration = Duration::from_millis(100);

const GET_HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Sends one request and reads its answer, leaving the connection open.
async fn exchange(stream: &mut TcpStream) -> String {
    stream.write_all(GET_HEALTH).await.unwrap();
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut buffer = [0; 1024];
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

#[tokio::test]
async fn localhost_is_both_families_on_one_port() {
    let server = Running::run(Server::bind("localhost", 0).await.unwrap());
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(server.addresses.len(), if has_ipv6 { 2 } else { 1 });
    let port = server.address().port();
    assert_ne!(port, 0);
    for &address in &server.addresses {
        assert_eq!(address.port(), port);
        assert!(address.ip().is_loopback());
        assert_eq!(request(address, "GET", "/healthz", "").await.status, 200);
    }
}

#[tokio::test]
async fn a_busy_port_is_named_with_what_to_do() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let error = Server::bind("localhost", port).await.unwrap_err();
    assert!(matches!(error, BindError::Busy { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("cannot serve HTTP on 127.0.0.1:{port}: the port is in use")),
        "{message}"
    );
    assert!(message.contains("-p PORT"), "{message}");
}

#[tokio::test]
async fn a_port_busy_in_one_family_only_is_busy() {
    let Ok(other) = std::net::TcpListener::bind("[::1]:0") else { return };
    let port = other.local_addr().unwrap().port();
    let error = Server::bind("localhost", port).await.unwrap_err();
    let expected: SocketAddr = format!("[::1]:{port}").parse().unwrap();
    assert!(matches!(error, BindError::Busy { address } if address == expected), "{error}");
}

#[tokio::test]
async fn addresses_of_other_machines_and_unknown_names_are_refused() {
    let elsewhere = Server::bind("192.0.2.1", 0).await.unwrap_err();
    assert!(matches!(elsewhere, BindError::NotLocal { .. }), "{elsewhere}");
    let unknown = Server::bind("no such name", 0).await.unwrap_err();
    assert!(matches!(unknown, BindError::Unresolved { .. }), "{unknown}");
}

#[tokio::test]
async fn a_link_local_address_needs_an_interface_that_is_there() {
    let unknown = Server::bind("fe80::1%nope", 0).await.unwrap_err().to_string();
    assert_eq!(
        unknown,
        "cannot serve HTTP on fe80::1%nope: no interface has the name or number \"nope\"; give one that `ip link` shows"
    );
    let missing = Server::bind("fe80::1", 0).await.unwrap_err().to_string();
    assert!(missing.ends_with("needs its interface, as in -l 'fe80::1%eth0'"), "{missing}");
}

#[tokio::test]
async fn brackets_around_an_ipv6_address_are_allowed() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    for host in ["::1", "[::1]"] {
        let server = Server::bind(host, 0).await.unwrap();
        assert!(server.local_addrs()[0].is_ipv6());
    }
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let server = Running::start().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..3 {
        assert!(exchange(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_header_is_cut_off() {
    let server = Running::with(Limits { header: SOON, ..LIMITS }).await;
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost:").await.unwrap();
    assert_eq!(until_closed(&mut silent).await, b"");
    assert_eq!(until_closed(&mut slow).await, b"");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_second_header_is_cut_off() {
    let server = Running::with(Limits { header: SOON, ..LIMITS }).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut stream).await;
    stream.write_all(b"GET /heal").await.unwrap();
    assert_eq!(until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Running::with(Limits { idle: SOON, ..LIMITS }).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut stream).await;
    assert_eq!(until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let server = Running::with(Limits { request: Duration::from_secs(1), connections: 1, ..LIMITS }).await;
    let mut deaf = TcpStream::connect(server.address()).await.unwrap();
    // More answers than the socket buffers of both ends hold.
    let requests = b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(2000);
    deaf.write_all(&requests).await.unwrap();
    // A client that has not read for a while makes room.
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while server.get("/healthz").await.status != 200 {
        assert!(std::time::Instant::now() < deadline, "the deaf client keeps its place");
        tokio::time::sleep(SOON).await;
    }
}

#[tokio::test]
async fn at_the_bound_the_connection_idle_for_longest_makes_room() {
    let server = Running::with(Limits { connections: 2, ..LIMITS }).await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut first).await;
    tokio::time::sleep(SOON).await;
    let mut second = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut second).await;
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(until_closed(&mut first).await, b"");
    // The third is closed by now: there is room for the second.
    assert!(exchange(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_half_sent_connections_exclude_no_client() {
    let server = Running::with(Limits { connections: 256, ..LIMITS }).await;
    for half_sent in [&b""[..], b"GET /metr", b"GET /metrics HTTP/1.1\r\nhost: lo"] {
        let mut crowd = Vec::new();
        for _ in 0..500 {
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            stream.write_all(half_sent).await.unwrap();
            crowd.push(stream);
        }
        for path in ["/metrics", "/healthz", "/api/v1/metrics/bucket/0"] {
            let began = std::time::Instant::now();
            assert_eq!(server.get(path).await.status, 200);
            // The documented limit.
            assert!(began.elapsed() < SOON, "{path} took {:?}", began.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_refused_while_all_places_are_busy() {
    let server = Running::with(Limits { connections: 2, ..LIMITS }).await;
    server.source.close_gate();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let request =
            b"GET /api/v1/metrics/window/5 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        waiting.push(stream);
    }
    server.source.until_merges(1).await;
    // The second may not have been read yet.
    tokio::time::sleep(SOON).await;
    let refused = server.get("/healthz").await;
    assert_eq!(refused.status, 503);
    assert!(refused.error().starts_with("too many clients"), "{refused:?}");
    server.source.open_gate();
    for mut stream in waiting {
        assert!(until_closed(&mut stream).await.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_header_too_large_is_refused() {
    let server = Running::start().await;
    let header = format!("x-large: {}\r\n", "x".repeat(100_000));
    assert_eq!(server.request("GET", "/healthz", &header).await.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_answers_in_flight_finish() {
    let mut server = Running::start().await;
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut idle).await;
    let mut unused = TcpStream::connect(server.address()).await.unwrap();
    server.source.close_gate();
    let address = server.address();
    let in_flight =
        tokio::spawn(async move { request(address, "GET", "/api/v1/metrics/window/5", "").await });
    server.source.until_merges(1).await;
    server.signal_stop();
    assert_eq!(until_closed(&mut idle).await, b"");
    assert_eq!(until_closed(&mut unused).await, b"");
    assert!(TcpStream::connect(address).await.is_err(), "still accepting");
    server.source.open_gate();
    let response = in_flight.await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["5m"]["packets"]["total"], 1000);
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_ever() {
    let mut server = Running::with(Limits { shutdown: SOON, ..LIMITS }).await;
    server.source.close_gate();
    let address = server.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v1/metrics/window/5 HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    server.source.until_merges(1).await;
    server.signal_stop();
    let source = server.source.clone();
    server.stopped().await;
    assert_eq!(until_closed(&mut stream).await, b"");
    source.open_gate();
}

/// An address of this machine that is not a loopback address, if it has one.
fn own_address() -> Option<std::net::IpAddr> {
    // Connecting UDP sends nothing.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_all_places() {
    let Some(own) = own_address() else {
        println!("skipped: this machine has only loopback addresses");
        return;
    };
    let limits = Limits { connections: 16, per_address: 4, ..LIMITS };
    let server = Running::run(Server::bind("0.0.0.0", 0).await.unwrap().with_limits(limits));
    let port = server.address().port();
    let (remote, local) = (SocketAddr::new(own, port), SocketAddr::from(([127, 0, 0, 1], port)));
    server.source.close_gate();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(remote).await.unwrap();
        let request = b"GET /api/v1/metrics/window/5 HTTP/1.1\r\nhost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        waiting.push(stream);
    }
    server.source.until_merges(1).await;
    tokio::time::sleep(SOON).await;
    // All its places wait for answers.
    assert_eq!(request(remote, "GET", "/healthz", "").await.status, 503);
    assert_eq!(request(local, "GET", "/healthz", "").await.status, 200);
    server.source.open_gate();
    for stream in &mut waiting {
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    // Now they are idle, and one of them makes room.
    tokio::time::sleep(SOON).await;
    assert_eq!(request(remote, "GET", "/healthz", "").await.status, 200);
    let app = request(local, "GET", "/api/v1/metrics/app", "").await.json();
    assert_eq!(
        (&app["app"]["http"]["refused"], &app["app"]["http"]["closed_for_others"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn what_clients_are_not_granted_is_counted() {
    let server = Running::with(Limits { header: SOON, ..LIMITS }).await;
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(until_closed(&mut silent).await, b"");
    let large = format!("x-large: {}\r\n", "x".repeat(100_000));
    assert_eq!(server.request("GET", "/healthz", &large).await.status, 431);
    assert_eq!(server.request("GET", "metrics", "").await.status, 400);
    assert_eq!(server.get("http://rebound.example/metrics").await.status, 403);
    let http = server.get("/api/v1/metrics/app").await.json()["app"]["http"].take();
    let expected = serde_json::json!({
        "closed_for_others": 0, "refused": 0, "too_slow": 1, "busy": 0, "malformed": 2, "foreign_host": 1,
        "unauthorized": 0, "tls_failed": 0
    });
    assert_eq!(http, expected);
}
