//! Nothing is found when the agent starts under steady traffic, and a fault soon after is.

use pktvisor_common::classify::LinkType;

use crate::inspected::{Host, Inspected, Seen};

const START_S: u64 = 1_796_010_880;
const SECOND_NS: u64 = 1_000_000_000;
const CLIENTS: u8 = 5;
const STEADY: u64 = 225;
const SERVER: [u8; 4] = [192, 0, 2, 1];
const GREEDY: [u8; 4] = [198, 51, 100, 99];
const PORT: u16 = 40_000;

/// Five clients that ask in turn, and what else happens.
struct SteadyTraffic {
    inspected: Inspected,
    asked: u64,
}

impl SteadyTraffic {
    fn new() -> Self {
        Self { inspected: Inspected::new(Host::Known), asked: 0 }
    }

    /// A second in which the clients ask so often, and so often the greedy one.
    fn second(&mut self, second_s: u64, queries: u64, greedy: u64) {
        let all = queries + greedy;
        for n in 0..all {
            let at_ns = second_s * SECOND_NS + n * SECOND_NS / all;
            // Spread evenly: the greedy ones are not in a row.
            let is_greedy = (n + 1) * greedy / all > n * greedy / all;
            let client =
                if is_greedy { GREEDY } else { [198, 51, 100, (self.asked % u64::from(CLIENTS)) as u8] };
            self.asked += u64::from(!is_greedy);
            let query = frame((client, PORT), (SERVER, 53), [0x01, 0x00], n as u16);
            let response = frame((SERVER, 53), (client, PORT), [0x81, 0x80], n as u16);
            for (after_ns, data) in [(0, query), (1_000, response)] {
                self.inspected.packet(at_ns + after_ns, &data, data.len() as u32, LinkType::ETHERNET);
            }
        }
    }
}

/// A query or a response for www.example.com over UDP.
fn frame(from: ([u8; 4], u16), to: ([u8; 4], u16), flags: [u8; 2], id: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend(flags);
    message.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
    let udp_bytes = 8 + message.len() as u16;
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0x00, 0x45, 0]);
    frame.extend((20 + udp_bytes).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(from.0);
    frame.extend(to.0);
    for field in [from.1, to.1, udp_bytes, 0] {
        frame.extend(field.to_be_bytes());
    }
    frame.extend(message);
    frame
}

/// The first second with traffic has half of it and the time of the process start, or the second
/// one, because a worker thread hands over what it inspected a second later. While the programs are
/// attached, no packets are counted; those that waited follow in one second.
#[test]
fn a_cold_start_under_steady_traffic_finds_nothing() {
    for (phase, attaching_s, earlier) in (0..10).flat_map(|phase| {
        (0..4).flat_map(move |attaching_s| [0, 1].map(|earlier| (phase, attaching_s, earlier)))
    }) {
        let mut traffic = SteadyTraffic::new();
        let start_s = START_S + phase;
        traffic.second(start_s - 1, earlier, 0);
        traffic.second(start_s, STEADY / 2, 0);
        let first_s = start_s + 1 + attaching_s;
        traffic.second(first_s, STEADY + STEADY * 3 / 4, 0);
        for second_s in first_s + 1..first_s + 60 {
            traffic.second(second_s, STEADY, 0);
        }
        let seen = traffic.inspected.finish();
        assert!(seen.is_empty(), "phase {phase}, {attaching_s} s, {earlier} earlier: {seen:?}");
    }
}

/// Traffic does not begin with the agent, but in any second of a slot.
#[test]
fn clients_that_begin_after_some_queries_are_ordinary() {
    for phase in 0..10 {
        let mut traffic = SteadyTraffic::new();
        for second_s in START_S..START_S + 7 {
            traffic.second(second_s, 1, 0);
        }
        for second_s in START_S + 7 + phase..START_S + 70 {
            traffic.second(second_s, STEADY, 0);
        }
        let seen = traffic.inspected.finish();
        assert!(seen.is_empty(), "phase {phase}: {seen:?}");
    }
}

#[test]
fn a_greedy_client_is_found_from_the_first_seconds_on() {
    for after_s in [3, 8, 12, 15, 18, 24, 30, 40] {
        let mut traffic = SteadyTraffic::new();
        for second_s in START_S..START_S + after_s {
            traffic.second(second_s, STEADY, 0);
        }
        let begin_s = START_S + after_s;
        for second_s in begin_s..begin_s + 30 {
            traffic.second(second_s, STEADY, 1_500);
        }
        let seen = traffic.inspected.finish();
        let [Seen { finding, first_s, last_s }] = &seen[..] else { panic!("after {after_s} s: {seen:?}") };
        assert_eq!(
            (finding.kind.as_str(), finding.subject.name.as_str()),
            ("greedy_client", "198.51.100.99")
        );
        assert!(*first_s < begin_s as i64 + 10, "after {after_s} s: {finding:?}");
        assert!(*last_s + 1 >= begin_s as i64 + 29, "after {after_s} s: {finding:?}");
    }
}
