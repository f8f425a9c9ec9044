//! TCP connections with segments that were not captured.

use serde_json::Value;

use crate::captures::{fault, raw_ipv4};
use crate::shell::{Run, Shell};

const MS: u64 = 1_000_000;
const ACK: u8 = 0x10;
const SYN: u8 = 0x02;

fn counts(run: &Run) -> Value {
    run.document("1m")["dns"]["xact"]["counts"].clone()
}

#[track_caller]
fn assert_counts(run: &Run, expected: [(&str, u64); 3]) {
    let counts = counts(run);
    for (key, value) in expected {
        assert_eq!(counts[key], value, "{key} of {counts}");
    }
}

#[test]
fn one_lost_query_costs_one_transaction() {
    let run = Shell::with("t.pcap", &fault("tcp-one-query-lost.pcap")).run(&["--summary", "t.pcap"]);
    assert_counts(&run, [("total", 3), ("orphans", 1), ("timed_out", 0)]);
}

#[test]
fn one_lost_length_prefix_costs_one_query() {
    let run = Shell::with("t.pcap", &fault("tcp-one-length-prefix-lost.pcap")).run(&["--summary", "t.pcap"]);
    assert_counts(&run, [("total", 19), ("orphans", 1), ("timed_out", 0)]);
    let messages = &run.document("1m")["dns"]["wire_packets"];
    assert_eq!((&messages["queries"], &messages["replies"]), (&19.into(), &20.into()));
}

/// One of the segments of a connection.
struct Segment {
    time_ns: u64,
    bytes: Vec<u8>,
}

/// A connection of `exchanges` queries and responses, a pause after each.
fn connection(client_port: u16, exchanges: u16, pause_ns: u64) -> Vec<Segment> {
    let mut next = [1_000_u32, u32::MAX - 500];
    let mut time_ns = 1_700_000_000_000_000_000 + u64::from(client_port);
    let mut segments = Vec::new();
    for side in [0, 1] {
        segments
            .push(Segment { time_ns, bytes: packet(client_port, side, next, SYN | (side as u8 * ACK), &[]) });
        next[side] = next[side].wrapping_add(1);
    }
    for id in 0..exchanges {
        for (side, flags) in [(0, 0x0100), (1, 0x8180)] {
            time_ns += pause_ns;
            let message = framed_message(id, flags);
            segments.push(Segment { time_ns, bytes: packet(client_port, side, next, ACK, &message) });
            next[side] = next[side].wrapping_add(message.len() as u32);
        }
    }
    segments
}

fn framed_message(id: u16, flags: u16) -> Vec<u8> {
    let name = format!("name{id}");
    let mut message: Vec<u8> = [id, flags, 1, 0, 0, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
    message.push(name.len() as u8);
    message.extend(name.as_bytes());
    message.extend([0, 0, 1, 0, 1]);
    [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat()
}

/// An IPv4 packet from client (side 0) or server.
fn packet(client_port: u16, side: usize, next: [u32; 2], flags: u8, payload: &[u8]) -> Vec<u8> {
    let addresses = [[192, 0, 2, 1], [192, 0, 2, 53]];
    let ports = [client_port, 53];
    let mut packet = vec![0x45, 0];
    packet.extend((40 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    packet.extend(addresses[side]);
    packet.extend(addresses[1 - side]);
    packet.extend(ports[side].to_be_bytes());
    packet.extend(ports[1 - side].to_be_bytes());
    packet.extend(next[side].to_be_bytes());
    packet.extend(next[1 - side].to_be_bytes());
    packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend(payload);
    packet
}

fn summary(segments: impl IntoIterator<Item = Segment>, options: &[&str]) -> Run {
    let packets = segments.into_iter().map(|segment| (segment.time_ns, segment.bytes));
    Shell::with("t.pcap", &raw_ipv4(packets)).run(&[&["--summary"], options, &["t.pcap"]].concat())
}

/// The index of the segment with the query of an exchange.
fn query_of(exchange: usize) -> usize {
    2 + 2 * exchange
}

#[test]
fn one_lost_query_of_500_costs_one_transaction_however_fast_they_follow() {
    for pause_ns in [0, MS / 100, MS, 7 * MS, 50 * MS, 3000 * MS] {
        let mut segments = connection(40_000, 500, pause_ns);
        segments.remove(query_of(100));
        let run = summary(segments, &[]);
        assert_counts(&run, [("total", 499), ("orphans", 1), ("timed_out", 0)]);
        assert_eq!(run.document("1m")["dns"]["reassembly"]["gaps"], 1);
    }
}

#[test]
fn one_lost_response_of_500_costs_one_transaction() {
    for pause_ns in [0, MS, 50 * MS] {
        let mut segments = connection(40_000, 500, pause_ns);
        segments.remove(query_of(100) + 1);
        let run = summary(segments, &[]);
        assert_counts(&run, [("total", 499), ("orphans", 0), ("late", 0)]);
        assert_eq!(run.document("1m")["dns"]["wire_packets"]["total"], 999);
    }
}

#[test]
fn a_sampled_connection_is_analysed_whole_beside_others_with_holes() {
    let mut segments: Vec<_> = (40_000..40_100)
        .flat_map(|port| {
            let mut segments = connection(port, 20, MS);
            segments.remove(query_of(7));
            segments
        })
        .collect();
    segments.sort_by_key(|segment| segment.time_ns);
    let packets = segments.len() as u64;
    let run = summary(segments, &["--max-deep-sample", "30"]);
    let document = run.document("1m");
    let counts = counts(&run);
    let total = counts["total"].as_u64().unwrap();
    assert_eq!(document["dns"]["wire_packets"]["total"], 100 * 39);
    assert!(total > 0 && total < 100 * 19 && total.is_multiple_of(19), "{counts}");
    assert_eq!((&counts["orphans"], &counts["timed_out"]), (&(total / 19).into(), &0.into()));
    // Each connection counts with all its packets, or with none.
    let connections = total / 19;
    assert_eq!(document["packets"]["deep_samples"], packets - (100 - connections) * (packets / 100));
}
