//! Connections of which both directions are captured, and some segments are not.

use super::*;

const MS: u64 = 1_000_000;
const SERVER_ISN: u32 = 70_000;
/// What a message of a [`Connection`] takes in its stream, in bytes.
const FRAMED_LEN: u32 = 42;

/// A connection whose two ends acknowledge everything that the other one sent before, captured or not.
struct Connection {
    scenario: Scenario,
    client_next: u32,
    server_next: u32,
}

/// A segment that was sent and is not captured, or not yet.
#[derive(Clone)]
struct Sent {
    from_server: bool,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    payload: Vec<u8>,
}

impl Connection {
    fn opened() -> Self {
        Self::with(Limits { streams: 16, buffered_bytes: 1 << 20 })
    }

    fn with(limits: Limits) -> Self {
        let (client_next, server_next) = (ISN.wrapping_add(1), SERVER_ISN + 1);
        let mut connection = Self { scenario: Scenario::with(limits), client_next, server_next };
        for (from_server, sequence) in [(false, ISN), (true, SERVER_ISN)] {
            let sent = Sent { from_server, sequence, acknowledgement: 0, flags: SYN, payload: Vec::new() };
            connection.capture(&sent);
        }
        connection
    }

    fn sent(&mut self, from_server: bool, payload: Vec<u8>) -> Sent {
        let (next, other) = match from_server {
            true => (&mut self.server_next, self.client_next),
            false => (&mut self.client_next, self.server_next),
        };
        let sequence = *next;
        *next = next.wrapping_add(payload.len() as u32);
        Sent { from_server, sequence, acknowledgement: other, flags: ACK, payload }
    }

    /// The query is sent. It is captured only by [`Self::capture`].
    fn send_query(&mut self, id: u16) -> Sent {
        self.sent(false, framed(&[message(id, 40)]))
    }

    /// The response is sent. It is captured only by [`Self::capture`].
    fn send_response(&mut self, id: u16) -> Sent {
        let mut response = message(id, 40);
        response[2] |= 0x80;
        self.sent(true, framed(&[response]))
    }

    fn capture(&mut self, sent: &Sent) -> &mut Self {
        let flow = if sent.from_server { flow(4000).reversed() } else { flow(4000) };
        let segment = TcpSegment {
            sequence: sent.sequence,
            acknowledgement: sent.acknowledgement,
            flags: sent.flags,
            payload: &sent.payload,
            wire_len: sent.payload.len() as u32,
        };
        let Scenario { streams, sink, now_ns, .. } = &mut self.scenario;
        streams.segment(&flow, segment, *now_ns, sink);
        self
    }

    fn query(&mut self, id: u16) -> &mut Self {
        let sent = self.send_query(id);
        self.capture(&sent)
    }

    fn response(&mut self, id: u16) -> &mut Self {
        let sent = self.send_response(id);
        self.capture(&sent)
    }

    fn lost_query(&mut self, id: u16) -> &mut Self {
        self.send_query(id);
        self
    }

    fn lost_response(&mut self, id: u16) -> &mut Self {
        self.send_response(id);
        self
    }

    /// The client acknowledges what it has received, and sends nothing.
    fn client_acknowledges(&mut self) -> &mut Self {
        let sent = self.sent(false, Vec::new());
        self.capture(&sent)
    }

    fn wait(&mut self, ns: u64) -> &mut Self {
        self.scenario.now_ns += ns;
        self
    }

    fn passes(&mut self, ns: u64) -> &mut Self {
        self.scenario.now_ns += ns;
        let Scenario { streams, sink, now_ns, .. } = &mut self.scenario;
        streams.advance(*now_ns, sink);
        self
    }

    fn finish(&mut self) -> &mut Self {
        self.scenario.streams.finish(&mut self.scenario.sink);
        self
    }

    fn found(&self) -> Vec<String> {
        let name = |found: &Found| {
            let kind = if found.bytes[2] & 0x80 == 0 { 'q' } else { 'r' };
            format!("{kind}{}", u16::from_be_bytes([found.bytes[0], found.bytes[1]]))
        };
        self.scenario.sink.found.iter().map(name).collect()
    }

    /// Messages as `q1 r1`, in the order in which they were handed on.
    #[track_caller]
    fn expect(&mut self, found: &str, events: &[ReassemblyEvent]) -> &mut Self {
        assert_eq!((self.found().join(" ").as_str(), self.scenario.sink.events.as_slice()), (found, events));
        self
    }

    /// Time stamps of the messages, in milliseconds since the first.
    fn times_ms(&self) -> Vec<u64> {
        self.scenario.sink.found.iter().map(|found| (found.time_ns - 1000 * SECOND) / MS).collect()
    }
}

#[test]
fn a_lost_query_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).wait(5 * MS).response(1).wait(90 * MS).lost_query(2).wait(5 * MS).response(2);
    for id in [3, 4] {
        connection.wait(90 * MS).query(id).wait(5 * MS).response(id);
    }
    connection.expect("q1 r1 r2 q3 r3 q4 r4", &[Gap]).scenario.expect_nothing_held();
}

#[test]
fn a_lost_query_in_rapid_succession_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).response(1).lost_query(2).response(2);
    for id in 3..=20 {
        connection.wait(MS).query(id).response(id);
    }
    let rest: Vec<_> = (3..=20).map(|id| format!("q{id} r{id}")).collect();
    connection.expect(&format!("q1 r1 r2 {}", rest.join(" ")), &[Gap]).scenario.expect_nothing_held();
}

#[test]
fn pipelined_queries_behind_a_gap_come_before_their_responses() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).query(4).wait(MS);
    connection.response(4).response(2).response(1).response(3).expect("q1", &[]);
    connection.passes(10 * MS).expect("q1", &[]).passes(1).expect("q1 q3 q4 r4 r2 r1 r3", &[Gap]);
}

#[test]
fn a_gap_that_is_acknowledged_waits_10_ms_for_a_late_capture() {
    let mut connection = Connection::opened();
    let late = connection.send_query(1);
    connection.query(2).wait(MS).response(1).wait(9 * MS).response(2).expect("", &[]);
    connection.wait(MS).capture(&late).expect("q1 q2 r1 r2", &[]).scenario.expect_nothing_held();
    // Only the capture of the first query was late: the second has its own time.
    assert_eq!(connection.times_ms(), [11, 0, 1, 10]);
}

#[test]
fn a_query_captured_after_its_response_comes_before_it() {
    let mut connection = Connection::opened();
    let late = connection.send_query(1);
    connection.response(1).expect("", &[]).wait(5 * MS).capture(&late).expect("q1 r1", &[]);
    connection.query(2).response(2).expect("q1 r1 q2 r2", &[]).scenario.expect_nothing_held();
}

#[test]
fn a_response_whose_query_is_missing_waits_10_ms() {
    let mut connection = Connection::opened();
    connection.lost_query(1).response(1).passes(10 * MS).expect("", &[]).passes(1).expect("r1", &[]);
    // That something was missing is certain when something comes from behind it.
    connection.query(2).expect("r1 q2", &[Gap]).response(2).expect("r1 q2 r2", &[Gap]);
    connection.scenario.expect_nothing_held();
}

#[test]
fn a_gap_that_a_retransmission_fills_gives_its_time_to_what_waited() {
    let mut connection = Connection::opened();
    let lost = connection.send_query(1);
    let earlier = connection.client_next;
    connection.query(2).wait(200 * MS);
    connection.client_next = lost.sequence;
    connection.client_acknowledges();
    connection.client_next = earlier;
    connection.capture(&lost).wait(MS).response(2).response(1).expect("q1 q2 r2 r1", &[]);
    assert_eq!(connection.times_ms(), [200, 200, 201, 201]);
}

#[test]
fn a_response_that_comes_while_a_gap_may_still_be_filled_waits() {
    let mut connection = Connection::opened();
    connection.query(1).wait(MS);
    let lost = connection.send_query(2);
    connection.query(3).wait(MS);
    let mut slow = connection.send_response(1);
    slow.acknowledgement = lost.sequence;
    connection.capture(&slow).expect("q1", &[]);
    connection.wait(300 * MS).capture(&lost).expect("q1 q2 q3 r1", &[]);
    connection
        .wait(MS)
        .response(2)
        .response(3)
        .expect("q1 q2 q3 r1 r2 r3", &[])
        .scenario
        .expect_nothing_held();
}

#[test]
fn a_lost_response_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).query(2).query(3).lost_response(1).response(2).response(3).client_acknowledges();
    connection.wait(MS).query(4).expect("q1 q2 q3", &[]).passes(9 * MS + 1);
    connection.expect("q1 q2 q3 r2 r3 q4", &[Gap]).response(4).expect("q1 q2 q3 r2 r3 q4 r4", &[Gap]);
    connection.scenario.expect_nothing_held();
}

#[test]
fn gaps_in_both_directions_keep_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).wait(MS).lost_response(1).response(2).response(3).wait(MS);
    connection.query(4).wait(MS).response(4).expect("q1", &[]).passes(20 * MS);
    connection.expect("q1 q3 r2 r3 q4 r4", &[Gap, Gap]).scenario.expect_nothing_held();
}

#[test]
fn several_gaps_are_given_up_one_after_the_other() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).lost_query(4).query(5).wait(MS);
    for id in 1..=5 {
        connection.response(id);
    }
    connection.expect("q1", &[]).passes(11 * MS).expect("q1 q3 q5 r1 r2 r3 r4 r5", &[Gap, Gap]);
}

#[test]
fn without_acknowledgements_a_gap_waits_2_s_and_so_does_the_other_direction() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).wait(MS);
    let mut response = connection.send_response(3);
    response.flags = 0;
    connection
        .capture(&response)
        .passes(2 * SECOND - MS)
        .expect("q1", &[])
        .passes(1)
        .expect("q1 q3 r3", &[Gap]);
}

#[test]
fn a_direction_that_is_captured_alone_waits_for_nobody() {
    let mut connection = Connection::opened();
    connection.finish();
    for id in 1..=3 {
        connection.lost_query(id).response(id);
    }
    connection.expect("r1 r2 r3", &[]);
    connection.lost_response(4).response(5).passes(2 * SECOND + 1).expect("r1 r2 r3 r5", &[Gap]);
}

#[test]
fn the_end_of_the_capture_keeps_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).response(1).lost_response(2).response(3).query(4).finish();
    connection.expect("q1 q3 r1 r3 q4", &[Gap, Gap]).scenario.expect_nothing_held();
}

#[test]
fn a_clock_that_was_set_back_does_not_turn_the_order_round() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3);
    connection.scenario.now_ns -= 500 * SECOND;
    connection.response(3).query(4).response(4).expect("q1", &[]).finish().expect("q1 q3 r3 q4 r4", &[Gap]);
}

#[test]
fn within_the_grace_time_stamps_decide_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).wait(5 * MS);
    let query = connection.send_query(4);
    connection.wait(MS).response(4);
    connection.scenario.now_ns -= MS;
    connection.capture(&query).finish().expect("q1 q3 q4 r4", &[Gap]);
}

#[test]
fn a_reset_and_a_new_connection_release_both_directions() {
    for flags in [RST, SYN] {
        let mut connection = Connection::opened();
        connection.query(1).lost_query(2).query(3).response(3).expect("q1", &[]);
        let mut last = connection.sent(true, Vec::new());
        (last.flags, last.sequence) = (flags, 1 << 30);
        connection.capture(&last).expect("q1 q3 r3", &[Gap]).scenario.expect_nothing_held();
    }
}

#[test]
fn a_fin_waits_its_turn_and_closes() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).response(3);
    for from_server in [true, false] {
        let mut fin = connection.sent(from_server, Vec::new());
        fin.flags = ACK | FIN;
        connection.capture(&fin);
    }
    connection.passes(11 * MS).expect("q1 q3 r3", &[Gap]).scenario.expect_nothing_held();
}

#[test]
fn a_fin_that_was_not_captured_is_no_gap() {
    let mut connection = Connection::opened();
    connection.query(1).response(1);
    connection.client_next = connection.client_next.wrapping_add(1);
    connection.response(2).expect("q1 r1 r2", &[]).scenario.expect_nothing_held();
}

#[test]
fn a_leap_of_time_releases_what_waits_for_the_end_of_a_stream() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).lost_query(4);
    let mut fin = connection.sent(false, Vec::new());
    (fin.flags, fin.acknowledgement) = (ACK | FIN, 0);
    let mut response = connection.send_response(3);
    response.flags = 0;
    connection.capture(&fin).capture(&response).expect("q1", &[]).passes(500 * SECOND);
    connection.expect("q1 q3 r3", &[Gap, Gap]).scenario.expect_nothing_held();
    assert!(connection.scenario.streams.is_empty());
}

#[test]
fn when_64_kib_wait_for_the_other_direction_its_gap_is_given_up() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3);
    let mut response = message(3, 30_000);
    response[2] |= 0x80;
    for round in 0..3 {
        assert_eq!(connection.found().len(), 1, "{round}");
        let mut sent = connection.sent(true, framed(std::slice::from_ref(&response)));
        sent.flags = 0;
        connection.capture(&sent);
    }
    connection.expect("q1 q3 r3 r3 r3", &[Gap]).scenario.expect_nothing_held();
}

#[test]
fn acknowledgements_that_mean_nothing_lose_no_message() {
    let mut connection = Connection::opened();
    for id in 1..=5 {
        let mut query = connection.send_query(id);
        let mut response = connection.send_response(id);
        (query.acknowledgement, response.acknowledgement) = (SERVER_ISN + 9000, ISN.wrapping_add(9000));
        connection.capture(&query).wait(20 * MS).capture(&response).wait(20 * MS);
    }
    connection.finish().expect("q1 r1 q2 r2 q3 r3 q4 r4 q5 r5", &[]);
}

#[test]
fn a_retransmission_of_what_waits_its_turn_is_counted_once() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3);
    let response = connection.send_response(3);
    connection.capture(&response).capture(&response).finish();
    connection.expect("q1 q3 r3", &[RetransmittedSegment, Gap]);
}

#[test]
fn an_evicted_stream_releases_the_other_direction() {
    let mut connection = Connection::with(Limits { streams: 2, buffered_bytes: 1 << 20 });
    connection.query(1).lost_query(2).query(3).response(3).scenario.of_port(5000).syn(1);
    connection.expect("q1 q3 r3", &[Gap, StreamEvicted]).scenario.expect_nothing_held();
}

#[test]
fn a_connection_between_an_address_and_itself_is_one_stream() {
    let mut scenario = Scenario::opened();
    let own = Flow { addresses: AddressPair::v6([1; 16], [1; 16]), source_port: 53, ..flow(53) };
    let payload = framed(&[message(1, 40)]);
    for sequence in [1, 1 + 2 * FRAMED_LEN, 1 + FRAMED_LEN] {
        let segment = TcpSegment {
            sequence,
            acknowledgement: 5000,
            flags: ACK,
            payload: &payload,
            wire_len: FRAMED_LEN,
        };
        scenario.streams.segment(&own, segment, scenario.now_ns, &mut scenario.sink);
    }
    scenario.expect(&[1, 1, 1], &[]).expect_nothing_held();
}

mod random {
    use proptest::prelude::*;

    use super::*;

    /// What an exchange goes through: whether query and response are captured, pauses, and whether a segment
    /// changes places with the next one that is captured.
    type Step = (bool, bool, bool, u64, [bool; 2]);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = (
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.8),
            any::<bool>(),
            0u64..30,
            any::<[bool; 2]>(),
        );
        proptest::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn whatever_is_lost_all_that_was_captured_is_found_and_responses_follow_queries(steps in steps()) {
            let mut connection = Connection::opened();
            let (mut now_ns, mut unanswered, mut captured) = (connection.scenario.now_ns, Vec::new(), Vec::new());
            for (id, (is_query_captured, is_response_captured, answers_all, pause, swaps)) in steps.iter().enumerate() {
                now_ns += pause * MS;
                let sent = connection.send_query(id as u16);
                captured.extend(is_query_captured.then_some((now_ns, swaps[0], sent)));
                unanswered.push(id as u16);
                if *answers_all {
                    for id in unanswered.drain(..) {
                        now_ns += pause * MS / 10;
                        let sent = connection.send_response(id);
                        captured.extend(is_response_captured.then_some((now_ns, swaps[1], sent)));
                    }
                }
            }
            // The capture is out of order by a place.
            for pair in captured.chunks_exact_mut(2) {
                if pair[0].1 && pair[1].0 - pair[0].0 < 3 * MS {
                    pair.swap(0, 1);
                }
            }
            for (time_ns, _, sent) in &captured {
                connection.scenario.now_ns = *time_ns;
                connection.capture(sent);
            }
            connection.finish();
            let found = connection.found();
            prop_assert_eq!(found.len(), captured.len());
            for id in 0..steps.len() {
                let place = |kind| found.iter().position(|found| *found == format!("{kind}{id}"));
                if let (Some(query), Some(response)) = (place('q'), place('r')) {
                    prop_assert!(query < response, "{}", found.join(" "));
                }
            }
            connection.scenario.expect_nothing_held();
        }
    }
}
