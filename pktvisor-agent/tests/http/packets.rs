//! `/api/v1/packets`.

use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use capture_file::Capture;
use pktvisor_agent::serve::Limits;
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_metrics::watch::PacketSink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{LIMITS, Running};

fn send(sink: &Arc<dyn PacketSink>, data: &[u8]) {
    sink.packet(&Packet {
        timestamp_ns: 1_700_000_000_000_000_000,
        stamp: Stamp::Own,
        data,
        wire_len: 1000,
        link_type: LinkType(1),
        segments: 1,
    });
}

/// Waits until a stream is open.
async fn sink(server: &Running) -> Arc<dyn PacketSink> {
    loop {
        if let Some(sink) = server.source.sink.lock().unwrap().take() {
            return sink;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn open(server: &Running, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("GET /api/v1/packets{query} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn until_closed(server: &Running) {
    while server.source.watches.current().is_some() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_a_capture_of_the_packets_until_its_limit() {
    let server = Arc::new(Running::start().await);
    let asking = Arc::clone(&server);
    let answer =
        tokio::spawn(async move { asking.get("/api/v1/packets?zone=example.com&limit=3&seconds=60").await });
    let sink = sink(&server).await;
    (0..9).for_each(|n| send(&sink, &[n; 60]));
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pcapng")));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = unchunked(&answer.body);
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!(
        text.contains("filter: zone=example.com")
            && text
                .contains("packets written: 3; dropped because the client was too slow: 0; ended by limit=3")
    );
    let mut capture = Capture::from_reader(Cursor::new(body)).unwrap();
    for n in 0..3 {
        let packet = capture.next_packet().unwrap().unwrap();
        assert_eq!((packet.data, packet.wire_len, packet.link_type), (&[n; 60][..], 1000, 1));
    }
    assert!(capture.next_packet().unwrap().is_none());
    until_closed(&server).await;
}

/// A body without the lengths of its chunks (RFC 9112 section 7.1).
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n").unwrap();
        let len = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if len == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + len]);
        body = &body[end + 2 + len + 2..];
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_seconds_are_over() {
    let server = Running::start().await;
    let begun = Instant::now();
    let answer = server.get("/api/v1/packets?seconds=1").await;
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(text.contains("filter: all DNS packets") && text.contains("packets written: 0; dropped"));
}

#[tokio::test]
async fn no_packets_without_the_permission_of_the_operator() {
    let server = Running::start().await;
    server.source.packets_denied.store(true, Ordering::SeqCst);
    for query in ["", "?zone=example.com", "?limit=1"] {
        let answer = server.get(&format!("/api/v1/packets{query}")).await;
        let sentence = "this agent does not stream packets; start it with --allow-packets to allow that";
        assert_eq!((answer.status, answer.error().as_str()), (403, sentence));
    }
    assert!(server.source.sink.lock().unwrap().is_none());
}

#[tokio::test]
async fn a_bad_parameter_opens_no_stream() {
    let server = Running::start().await;
    for query in
        ["limit=0", "limit=100001", "seconds=0", "seconds=301", "limit=x", "top=5", "client=x", "zone="]
    {
        let answer = server.get(&format!("/api/v1/packets?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(!answer.error().is_empty());
    }
    assert!(server.source.sink.lock().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_streams_are_open_at_most_and_a_client_that_goes_makes_room() {
    let server = Running::start().await;
    let first = open(&server, "?seconds=300").await;
    sink(&server).await;
    let second = open(&server, "?seconds=300").await;
    sink(&server).await;
    let third = server.get("/api/v1/packets").await;
    let sentence = "2 streams of packets are open; try again when one has ended";
    assert_eq!((third.status, third.error().as_str()), (429, sentence));
    drop((first, second));
    // A silent stream notices it at its next sign of life.
    until_closed(&server).await;
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_its_stream_is_cut_off() {
    let limits = Limits { request: Duration::from_millis(300), ..LIMITS };
    let server = Running::with(limits).await;
    let mut stream = open(&server, "?seconds=300&limit=100000").await;
    let sink = sink(&server).await;
    let data = [0; 1000];
    while server.source.watches.current().is_some() {
        (0..1000).for_each(|_| send(&sink, &data));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What it had not read was bounded: the queue, and the buffers of the kernel.
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert!(!bytes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_outlives_the_time_for_reading_an_answer() {
    let limits = Limits { request: Duration::from_millis(100), ..LIMITS };
    let server = Running::with(limits).await;
    let answer = server.get("/api/v1/packets?seconds=1").await;
    assert!(String::from_utf8_lossy(&answer.body).contains("ended by seconds=1"));
}

#[tokio::test]
async fn head_opens_no_stream_that_stays() {
    let server = Running::start().await;
    let answer = server.request("HEAD", "/api/v1/packets?seconds=300", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pcapng")));
    until_closed(&server).await;
}
