//! Scenarios over whole tables; each name states the rule it holds the table to.

use pktvisor_common::classify::tcp_flags::{ACK, FIN, RST, SYN};
use proptest::prelude::*;

use super::*;
use crate::analysis::Transport;
use ReassemblyEvent::{Gap, RetransmittedSegment, StreamEvicted, Unsynchronised};

const SECOND: u64 = 1_000_000_000;
const ISN: u32 = u32::MAX - 20; // Every scenario wraps around.

fn flow(client_port: u16) -> Flow {
    Flow {
        source: [1; 16],
        destination: [2; 16],
        source_port: client_port,
        destination_port: 53,
        ip_version: 6,
        transport: Transport::Tcp,
    }
}

/// A message of `len` bytes that looks like a query and can be told from others by its id.
fn message(id: u16, len: usize) -> Vec<u8> {
    let mut message = vec![0, 0, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    message[..2].copy_from_slice(&id.to_be_bytes());
    // A filler that looks like no message wherever it is entered.
    message.resize(len, 0xff);
    message
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    messages
        .iter()
        .flat_map(|message| [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat())
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    client_port: u16,
    time_ns: u64,
    bytes: Vec<u8>,
    truncated: bool,
}

#[derive(Default)]
struct Sink {
    found: Vec<Found>,
    events: Vec<ReassemblyEvent>,
}

impl StreamSink for Sink {
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, message: &[u8], truncated: bool) {
        let (client_port, bytes) = (flow.source_port, message.to_vec());
        self.found.push(Found { client_port, time_ns: timestamp_ns, bytes, truncated });
    }

    fn event(&mut self, event: ReassemblyEvent) {
        self.events.push(event);
    }
}

/// A table, what it has found, and a clock.
struct Scenario {
    streams: Streams,
    sink: Sink,
    now_ns: u64,
    port: u16,
}

impl Scenario {
    fn new() -> Self {
        Self::with(Limits { streams: 16, buffered_bytes: 1 << 20 })
    }

    fn with(limits: Limits) -> Self {
        Self { streams: Streams::new(limits), sink: Sink::default(), now_ns: 1000 * SECOND, port: 4000 }
    }

    /// A scenario whose connection has been opened by a SYN with [`ISN`].
    fn opened() -> Self {
        let mut scenario = Self::new();
        scenario.syn(ISN);
        scenario
    }

    fn wait(&mut self, ns: u64) -> &mut Self {
        self.now_ns += ns;
        self
    }

    fn of_port(&mut self, port: u16) -> &mut Self {
        self.port = port;
        self
    }

    fn send(&mut self, flags: u8, sequence: u32, payload: &[u8], wire_len: usize) -> &mut Self {
        let segment = TcpSegment { sequence, flags, payload, wire_len: wire_len as u32 };
        self.streams.segment(&flow(self.port), segment, self.now_ns, &mut self.sink);
        self
    }

    fn syn(&mut self, sequence: u32) -> &mut Self {
        self.send(SYN, sequence, &[], 0)
    }

    /// Data at an offset from the first byte after [`ISN`].
    fn data(&mut self, offset: usize, payload: &[u8]) -> &mut Self {
        self.send(ACK, at(offset), payload, payload.len())
    }

    fn snapped(&mut self, offset: usize, payload: &[u8], captured: usize) -> &mut Self {
        self.send(ACK, at(offset), &payload[..captured], payload.len())
    }

    fn ids(&self) -> Vec<u16> {
        self.sink.found.iter().map(|found| u16::from_be_bytes([found.bytes[0], found.bytes[1]])).collect()
    }

    #[track_caller]
    fn expect(&self, ids: &[u16], events: &[ReassemblyEvent]) -> &Self {
        assert_eq!((self.ids().as_slice(), self.sink.events.as_slice()), (ids, events));
        self
    }

    #[track_caller]
    fn expect_nothing_held(&self) {
        assert_eq!((self.streams.buffered_bytes(), self.streams.gaps.len()), (0, 0));
    }
}

fn at(offset: usize) -> u32 {
    ISN.wrapping_add(1).wrapping_add(offset as u32)
}

#[test]
fn a_message_in_one_segment_is_handed_on_without_its_length() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &framed(&[message(1, 40)]));
    scenario.expect(&[1], &[]).expect_nothing_held();
    let found =
        Found { client_port: 4000, time_ns: scenario.now_ns, bytes: message(1, 40), truncated: false };
    assert_eq!(scenario.sink.found, [found]);
}

#[test]
fn the_segment_that_completes_a_message_gives_it_its_time() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..1]).wait(SECOND).data(1, &bytes[1..20]).expect(&[], &[]);
    scenario.wait(SECOND).data(20, &bytes[20..]).expect(&[1], &[]).expect_nothing_held();
    assert_eq!(scenario.sink.found[0].time_ns, scenario.now_ns);
    assert_eq!(scenario.sink.found[0].bytes, message(1, 40));
}

#[test]
fn pipelined_messages_come_out_of_one_segment() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &framed(&[message(1, 12), message(2, 30), message(3, 500)]));
    scenario.expect(&[1, 2, 3], &[]);
}

#[test]
fn the_longest_and_the_shortest_message_are_messages() {
    let bytes = framed(&[message(1, 65_535), message(2, 12)]);
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1460).enumerate() {
        scenario.data(1460 * index, part);
    }
    scenario.expect(&[1, 2], &[]).expect_nothing_held();
}

#[test]
fn data_on_a_syn_follows_its_sequence_number() {
    let mut scenario = Scenario::new();
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    scenario.send(SYN, ISN, &bytes[..42], 42).data(42, &bytes[42..]);
    scenario.expect(&[1, 2], &[]);
}

#[test]
fn a_repeated_syn_changes_nothing() {
    let mut scenario = Scenario::opened();
    let bytes = framed(&[message(1, 40)]);
    scenario.wait(3 * SECOND).syn(ISN).data(0, &bytes[..10]).syn(ISN).data(10, &bytes[10..]);
    scenario.expect(&[1], &[]);
}

#[test]
fn data_that_overtakes_its_syn_is_not_lost() {
    let mut scenario = Scenario::new();
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    scenario.data(0, &bytes[..50]).syn(ISN).data(50, &bytes[50..]);
    scenario.expect(&[1, 2], &[]);
}

#[test]
fn segments_out_of_order_wait_for_each_other() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(100, &bytes[100..]).data(50, &bytes[50..100]).expect(&[], &[]);
    scenario.data(0, &bytes[..50]).expect(&[1, 2, 3], &[]).expect_nothing_held();
}

#[test]
fn a_retransmission_is_counted_and_not_parsed_again() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..42]).data(0, &bytes[..42]).expect(&[1], &[RetransmittedSegment]);
    scenario.data(20, &bytes[20..]).expect(&[1, 2], &[RetransmittedSegment]);
}

#[test]
fn a_retransmission_of_waiting_data_is_counted_once() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).data(50, &bytes[50..70]).data(0, &bytes[..42]);
    scenario.expect(&[1, 2], &[RetransmittedSegment]);
}

#[test]
fn where_segments_overlap_the_first_data_wins() {
    let bytes = framed(&[message(1, 100)]);
    let mut forged = bytes.clone();
    forged[20..].fill(0xee);
    let mut scenario = Scenario::opened();
    scenario.data(40, &bytes[40..60]).data(80, &bytes[80..]).data(20, &forged[20..50]).data(0, &bytes[..60]);
    scenario.data(60, &bytes[60..90]);
    let mut expected = message(1, 100);
    expected[18..38].fill(0xee);
    assert_eq!(scenario.sink.found[0].bytes, expected);
}

#[test]
fn keep_alives_are_neither_data_nor_retransmissions() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.send(ACK, ISN, &[0], 1).data(0, &bytes[..42]).data(41, &[0]).data(42, &bytes[42..]);
    scenario.expect(&[1, 2], &[]);
}

#[test]
fn a_zero_window_probe_brings_one_byte() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..1]).data(0, &bytes[..1]).data(0, &bytes);
    // The repeated probe looks like a keep-alive.
    scenario.expect(&[1], &[]);
}

#[test]
fn a_length_below_12_makes_the_stream_unsynchronised_once() {
    let mut scenario = Scenario::opened();
    let mut bytes = framed(&[message(1, 40)]);
    bytes.extend([0, 11]);
    bytes.extend(framed(&[message(2, 40)]));
    scenario.data(0, &bytes).expect(&[1], &[Unsynchronised]);
    let mut offset = bytes.len();
    for filler in [[0xff; 40], [0; 40]] {
        scenario.data(offset, &filler).expect(&[1], &[Unsynchronised]);
        offset += filler.len();
    }
    scenario.data(offset, &framed(&[message(3, 40)])).expect(&[1, 3], &[Unsynchronised]);
    offset += 42;
    scenario.data(offset, &[0; 20]).expect(&[1, 3], &[Unsynchronised; 2]);
}

#[test]
fn a_stream_without_syn_is_parsed_from_its_first_segment() {
    let mut scenario = Scenario::new();
    scenario.data(0, &framed(&[message(1, 40)])).expect(&[1], &[]);
}

#[test]
fn a_stream_entered_in_mid_message_begins_at_the_first_plausible_segment() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(50, &bytes[50..70]).data(70, &bytes[70..102]).data(102, &bytes[102..]);
    scenario.expect(&[2], &[Unsynchronised]);
}

#[test]
fn a_stream_entered_at_a_length_that_travels_alone_is_synchronised() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(0, &bytes[..2]).data(2, &bytes[2..8]).data(8, &bytes[8..]).expect(&[1, 2], &[]);
}

#[test]
fn a_stream_entered_at_a_short_tail_finds_the_message_behind_it() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(98, &bytes[98..102]).data(102, &bytes[102..]).expect(&[2], &[]).expect_nothing_held();
}

#[test]
fn a_gap_is_given_up_after_2_s_of_packet_time() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).data(42, &bytes[42..84]);
    scenario.wait(2 * SECOND).data(84, &bytes[84..]).expect(&[], &[]);
    scenario.wait(1).data(20, &bytes[20..42]).expect(&[2, 3], &[Gap, RetransmittedSegment]);
    scenario.expect_nothing_held();
}

#[test]
fn a_gap_filled_after_exactly_2_s_is_filled() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).wait(2 * SECOND).data(0, &bytes[..42]).expect(&[1, 2], &[]);
    assert!(scenario.sink.found.iter().all(|found| found.time_ns == scenario.now_ns));
}

#[test]
fn a_silent_streams_gap_is_given_up_by_another_streams_packet() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    let arrival_ns = scenario.now_ns;
    scenario.data(42, &bytes[42..]).wait(2 * SECOND + 1).of_port(5000).data(0, &bytes[..42]);
    scenario.expect(&[2, 1], &[Gap]).expect_nothing_held();
    let found: Vec<_> = scenario.sink.found.iter().map(|found| (found.client_port, found.time_ns)).collect();
    assert_eq!(found, [(4000, arrival_ns), (5000, scenario.now_ns)]);
}

#[test]
fn each_gap_has_its_own_2_s() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40), message(4, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..84]).wait(SECOND).data(126, &bytes[126..]);
    scenario.wait(SECOND + 1).of_port(5000).syn(1).expect(&[2], &[Gap]);
    scenario.wait(SECOND).syn(1).expect(&[2, 4], &[Gap, Gap]).expect_nothing_held();
}

#[test]
fn a_gap_is_given_up_when_more_than_64_kib_wait() {
    let bytes = framed(&(0..132).map(|id| message(id, 1022)).collect::<Vec<_>>());
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1024).enumerate().skip(1).take(64) {
        scenario.data(1024 * index, part);
    }
    scenario.expect(&[], &[]);
    scenario.data(1024 * 65, &bytes[1024 * 65..1024 * 66]).expect(&(1..66).collect::<Vec<_>>(), &[Gap]);
    scenario.expect_nothing_held();
}

#[test]
fn filling_a_gap_is_allowed_when_64_kib_wait() {
    let bytes = framed(&(0..65).map(|id| message(id, 1022)).collect::<Vec<_>>());
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1024).enumerate().skip(1).chain([(0, &bytes[..1024])]) {
        scenario.data(1024 * index, part);
    }
    scenario.expect(&(0..65).collect::<Vec<_>>(), &[]).expect_nothing_held();
}

#[test]
fn a_gap_is_given_up_when_too_many_pieces_wait() {
    let mut scenario = Scenario::opened();
    for index in 0..=waiting::PIECES_MAX {
        scenario.data(2 * index + 10, &[0]);
    }
    scenario.expect(&[], &[Gap]);
}

#[test]
fn behind_a_gap_parsing_resumes_only_where_a_message_plausibly_begins() {
    let mut status_7 = message(2, 40);
    status_7[2] = 7 << 3;
    let mut two_questions = message(3, 40);
    two_questions[5] = 2;
    let bytes = framed(&[message(1, 40), status_7, two_questions, message(4, 40)]);
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(42).enumerate().skip(1) {
        scenario.data(42 * index, part);
    }
    scenario.wait(3 * SECOND).of_port(5000).syn(1).expect(&[4], &[Gap]);
}

#[test]
fn a_fin_after_all_data_closes_the_stream_and_late_copies_are_retransmissions() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.send(ACK | FIN, at(0), &bytes, 42).send(ACK | FIN, at(0), &bytes, 42).send(FIN, at(42), &[], 0);
    scenario.expect(&[1], &[RetransmittedSegment]).expect_nothing_held();
}

#[test]
fn a_fin_waits_for_the_data_before_it() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).send(FIN, at(42), &[], 0).data(20, &bytes[20..]);
    scenario.expect(&[1], &[]).expect_nothing_held();
}

#[test]
fn a_gap_before_a_fin_is_given_up_like_any_other() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.send(FIN, at(84), &[], 0).wait(SECOND).data(42, &bytes[42..]);
    scenario.wait(SECOND + 1).of_port(5000).syn(1).expect(&[2], &[Gap]).expect_nothing_held();
}

#[test]
fn a_lost_tail_before_a_fin_is_a_gap() {
    let mut scenario = Scenario::opened();
    scenario.send(FIN, at(42), &[], 0).wait(2 * SECOND + 1).of_port(5000).syn(1);
    scenario.expect(&[], &[Gap]).expect_nothing_held();
}

#[test]
fn a_reset_gives_up_gaps_and_closes() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).send(RST, at(84), b"go away, this is not a message", 30);
    scenario.expect(&[2], &[Gap]).expect_nothing_held();
    scenario.data(42, &bytes[42..]).expect(&[2], &[Gap, RetransmittedSegment]);
}

#[test]
fn a_syn_with_another_number_begins_a_new_stream() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario
        .data(0, &bytes[..20])
        .data(42, &bytes[42..])
        .syn(7_000)
        .expect(&[2], &[Gap])
        .expect_nothing_held();
    scenario.send(ACK, 7_001, &framed(&[message(3, 40)]), 42).expect(&[2, 3], &[Gap]);
}

#[test]
fn after_a_close_the_same_numbers_may_be_used_again() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    for _ in 0..2 {
        scenario.syn(ISN).send(ACK | FIN, at(0), &bytes, 42);
    }
    scenario.expect(&[1, 1], &[]);
}

#[test]
fn after_silence_the_same_numbers_may_be_used_again_without_a_close() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes).wait(3 * SECOND).syn(ISN).data(0, &bytes).expect(&[1, 1], &[]);
}

#[test]
fn numbers_far_off_begin_a_stream_in_mid_connection() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes).data(1 << 30, &bytes).data(0, &bytes).expect(&[1, 1, 1], &[]);
}

#[test]
fn a_snapped_message_is_truncated_and_the_next_one_is_found() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario
        .snapped(0, &bytes[..102], 50)
        .data(102, &bytes[102..])
        .expect(&[1, 2], &[])
        .expect_nothing_held();
    assert_eq!((scenario.sink.found[0].truncated, scenario.sink.found[0].bytes.len()), (true, 48));
    assert!(!scenario.sink.found[1].truncated);
}

#[test]
fn a_long_snapped_message_is_passed_over_to_its_end() {
    let bytes = framed(&[message(1, 4000), message(2, 40)]);
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1000).enumerate() {
        scenario.snapped(1000 * index, part, part.len().min(60));
    }
    scenario.expect(&[1, 2], &[]).expect_nothing_held();
}

#[test]
fn a_message_snapped_in_its_second_segment_is_truncated() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).snapped(20, &bytes[20..102], 40).data(102, &bytes[102..]);
    scenario.expect(&[1, 2], &[]);
    assert_eq!(scenario.sink.found[0].bytes, message(1, 100)[..58]);
}

#[test]
fn messages_hidden_beyond_the_snapped_end_are_passed_over() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(0, &bytes[..84], 20).data(84, &bytes[84..]).expect(&[1, 3], &[]);
}

#[test]
fn a_snapped_message_with_less_than_its_header_is_no_message() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(0, &bytes[..42], 13).data(42, &bytes[42..]).expect(&[2], &[]);
}

#[test]
fn a_snapped_segment_that_waited_is_truncated_too() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(42, &bytes[42..84], 30).data(84, &bytes[84..]).data(0, &bytes[..42]);
    scenario.expect(&[1, 2, 3], &[]).expect_nothing_held();
    let truncated: Vec<_> = scenario.sink.found.iter().map(|found| found.truncated).collect();
    assert_eq!(truncated, [false, true, false]);
}

#[test]
fn the_end_of_the_capture_gives_up_gaps_and_forgets() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).of_port(5000).syn(1);
    scenario.streams.finish(&mut scenario.sink);
    scenario.expect(&[2], &[Gap]).expect_nothing_held();
    assert!(scenario.streams.is_empty());
}

#[test]
fn a_silent_stream_is_forgotten_after_120_s() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &[0]).wait(120 * SECOND).of_port(5000).syn(1);
    assert_eq!(scenario.streams.len(), 2);
    scenario.wait(1).syn(1).expect(&[], &[]).expect_nothing_held();
    assert_eq!(scenario.streams.len(), 1);
}

#[test]
fn a_syn_flood_does_not_push_out_a_stream_in_use() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..50]);
    for port in 5000..5100 {
        scenario.of_port(port).syn(1);
    }
    assert_eq!(scenario.streams.len(), 16);
    scenario.of_port(4000).data(50, &bytes[50..]).expect(&[1, 2], &[StreamEvicted; 85]);
}

#[test]
fn the_stream_longest_unused_goes_first_when_memory_runs_out() {
    let mut scenario = Scenario::with(Limits { streams: 16, buffered_bytes: 70_000 });
    let bytes = framed(&[message(1, 30_000), message(2, 12)]);
    for port in [4000, 5000, 4000] {
        scenario.of_port(port).syn(ISN).data(0, &bytes[..20_000]);
    }
    scenario.of_port(6000).syn(ISN).data(0, &bytes[..20_000]);
    scenario.expect(&[], &[RetransmittedSegment, StreamEvicted]);
    for port in [4000, 6000] {
        scenario.of_port(port).data(20_000, &bytes[20_000..]);
    }
    assert_eq!(scenario.ids(), [1, 2, 1, 2]);
    scenario.expect_nothing_held();
}

#[test]
fn what_lies_behind_the_gap_of_an_evicted_stream_is_parsed() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::with(Limits { streams: 1, buffered_bytes: 1 << 20 });
    scenario.syn(ISN).data(42, &bytes[42..]).of_port(5000).syn(1);
    scenario.expect(&[2], &[Gap, StreamEvicted]).expect_nothing_held();
}

#[test]
fn a_bare_fin_or_reset_of_an_unknown_stream_costs_nothing() {
    let mut scenario = Scenario::new();
    scenario.send(FIN | ACK, 1, &[], 0).send(RST, 1, &[], 0).send(RST, 1, &[0; 40], 40);
    assert!(scenario.streams.is_empty());
}

#[test]
fn the_two_directions_of_a_connection_are_two_streams() {
    let mut scenario = Scenario::opened();
    let bytes = framed(&[message(1, 40)]);
    scenario.data(0, &bytes[..20]);
    let segment = TcpSegment { sequence: at(20), flags: ACK, payload: &bytes[20..], wire_len: 22 };
    scenario.streams.segment(&flow(4000).reversed(), segment, scenario.now_ns, &mut scenario.sink);
    assert_eq!(scenario.ids(), [] as [u16; 0]);
    assert_eq!(scenario.streams.len(), 2);
}

/// Messages, and the segments that carry them: cut at random, some twice with other boundaries, in random order.
fn segmented() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<(usize, usize)>)> {
    let messages = proptest::collection::vec(12usize..600, 1..30).prop_map(|lengths| {
        lengths.iter().enumerate().map(|(id, &len)| message(id as u16, len)).collect::<Vec<_>>()
    });
    let cuts = proptest::collection::vec(any::<prop::sample::Index>(), 0..60);
    (messages, cuts.clone(), cuts, any::<bool>()).prop_flat_map(|(messages, cuts, again, twice)| {
        let len = framed(&messages).len();
        let spans = |cuts: &[prop::sample::Index]| {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(len)).chain([0, len]).collect();
            ends.sort_unstable();
            ends.windows(2).map(|span| (span[0], span[1])).filter(|span| span.0 < span.1).collect::<Vec<_>>()
        };
        let mut segments = spans(&cuts);
        if twice {
            segments.extend(spans(&again));
        }
        (Just(messages), Just(segments).prop_shuffle())
    })
}

proptest! {
    #[test]
    fn segmentation_order_and_duplicates_change_nothing((messages, segments) in segmented(), isn: u32) {
        let bytes = framed(&messages);
        let mut scenario = Scenario::new();
        scenario.syn(isn);
        for (from, to) in segments {
            let sequence = isn.wrapping_add(1).wrapping_add(from as u32);
            scenario.send(ACK, sequence, &bytes[from..to], to - from);
        }
        let found: Vec<_> = scenario.sink.found.iter().map(|found| found.bytes.clone()).collect();
        prop_assert_eq!(found, messages);
        prop_assert_eq!((scenario.streams.buffered_bytes(), scenario.streams.gaps.len()), (0, 0));
        prop_assert!(scenario.sink.events.iter().all(|event| *event == RetransmittedSegment));
    }

    #[test]
    fn garbage_stays_within_the_limits(
        segments in proptest::collection::vec(
            (0u16..6, any::<u8>(), 0u32..3000, proptest::collection::vec(0u8..20, 0..200), 0usize..100, 0u64..SECOND),
            0..400
        )
    ) {
        let limits = Limits { streams: 4, buffered_bytes: 4096 };
        let mut scenario = Scenario::with(limits);
        for (port, flags, sequence, payload, missing, pause_ns) in segments {
            // Seldom a SYN, FIN or RST, so that streams live.
            let flags = if flags > 0x0f { ACK } else { flags };
            let wire_len = payload.len() + missing.saturating_sub(80);
            scenario.wait(pause_ns / 4).of_port(port).send(flags, sequence, &payload, wire_len);
            prop_assert!(scenario.streams.len() <= limits.streams);
            prop_assert!(scenario.streams.buffered_bytes() <= limits.buffered_bytes);
            let held: usize = (0..6)
                .filter_map(|port| scenario.streams.table.find(&flow(port)))
                .map(|id| scenario.streams.table[id].heap_bytes())
                .sum();
            prop_assert_eq!(held, scenario.streams.buffered_bytes());
        }
        prop_assert!(scenario.sink.found.iter().all(|found| found.bytes.len() >= 12));
        scenario.streams.finish(&mut scenario.sink);
        scenario.expect_nothing_held();
        prop_assert!(scenario.streams.is_empty());
    }
}

#[test]
fn a_stream_that_holds_nothing_costs_about_130_bytes() {
    let links = 3 * size_of::<u32>();
    assert!(size_of::<Flow>() + size_of::<Stream>() + links <= 130);
}
