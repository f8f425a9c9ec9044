//! `/api/v1/packets`, end to end.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use capture_file::Capture;
use serde_json::Value;

use crate::captures::{DEMO_HOST, demo};
use crate::support::Served;

/// Begins a stream on a connection without chunks, and waits until it is open.
fn open(served: &Served, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    // HTTP/1.0 has no chunks: the body ends with the connection.
    write!(stream, "GET /api/v1/packets?{query} HTTP/1.0\r\nhost: localhost\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.0 200") && !head.contains("chunked"), "{head}");
    stream
}

/// The stream of these packets of the demo capture, and the document of a focus on them.
fn streamed(query: &str) -> (Vec<u8>, Value) {
    let mut served = Served::start(&["-H", DEMO_HOST, "--summary", "--allow-packets", "-"]);
    let mut stdin = served.stdin();
    let mut stream = open(&served, &format!("{query}&limit=100000&seconds=2"));
    let focus = || served.json(&format!("/api/v1/focus?{query}"))["focus"].take();
    focus();
    // Slowly enough for the queue.
    for part in demo().chunks(20_000) {
        stdin.write_all(part).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    drop(stdin);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    served.line();
    let focus = served.json(&format!("/api/v1/focus?{query}"))["focus"].take();
    (bytes, focus)
}

fn packets(bytes: &[u8]) -> Vec<(u64, u32, Vec<u8>)> {
    let mut capture = Capture::from_reader(Cursor::new(bytes.to_vec())).unwrap();
    let mut packets = Vec::new();
    while let Some(packet) = capture.next_packet().unwrap() {
        packets.push((packet.timestamp_ns, packet.wire_len, packet.data.to_vec()));
    }
    assert!(capture.warning().is_none(), "{:?}", capture.warning());
    packets
}

#[test]
fn a_stream_has_the_packets_that_a_focus_counts() {
    let all: std::collections::HashSet<_> = packets(&demo()).into_iter().collect();
    for query in ["zone=.", "rcode=NXDOMAIN", "qtype=AAAA", "client=0.0.0.0/1"] {
        let (bytes, focus) = streamed(query);
        let streamed = packets(&bytes);
        assert!(!streamed.is_empty(), "{query}");
        assert_eq!(focus["packets"]["total"].as_u64(), Some(streamed.len() as u64), "{query}");
        assert!(streamed.iter().all(|packet| all.contains(packet)), "{query}");
        let is_ordered = streamed.is_sorted_by_key(|(timestamp_ns, ..)| *timestamp_ns);
        assert!(is_ordered, "{query}");
    }
}

#[test]
fn tshark_reads_a_stream_as_we_do() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed");
        return;
    }
    let (bytes, _) = streamed("rcode=NXDOMAIN");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stream.pcapng");
    std::fs::write(&path, &bytes).unwrap();
    let codes = fields(&path, "dns.flags.rcode");
    assert_eq!(codes.len(), packets(&bytes).len());
    assert!(codes.iter().all(|code| code == "3"), "{codes:?}");
}

fn fields(path: &Path, field: &str) -> Vec<String> {
    let mut command = Command::new("tshark");
    let output = command.arg("-r").arg(path).args(["-T", "fields", "-e", field]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn packets_need_the_permission_of_the_operator() {
    let served = Served::start(&["-"]);
    let (status, body) = served.get("/api/v1/packets?zone=example.com");
    assert_eq!(status, 403);
    assert!(body.contains("--allow-packets"), "{body}");
}

#[test]
fn an_open_stream_does_not_keep_the_agent_running() {
    let served = Served::start(&["--allow-packets", "-"]);
    let stream = open(&served, "seconds=300");
    let (status, _, _) = served.stop("TERM");
    assert_eq!(status.code(), Some(0));
    drop(stream);
}
