//! Messages in segments that come in order.

use super::*;

#[test]
fn a_message_in_one_segment_is_handed_on_without_its_length() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &framed(&[message(1, 40)]));
    scenario.assert_found(&[1], &[]).assert_nothing_held();
    let found = Found {
        client_port: 4000,
        time_ns: scenario.now_ns,
        bytes: message(1, 40),
        captured: Captured::Whole,
    };
    assert_eq!(scenario.sink.found, [found]);
}

#[test]
fn the_segment_that_completes_a_message_gives_it_its_time() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..1]).wait(SECOND).data(1, &bytes[1..20]).assert_found(&[], &[]);
    scenario.wait(SECOND).data(20, &bytes[20..]).assert_found(&[1], &[]).assert_nothing_held();
    assert_eq!(scenario.sink.found[0].time_ns, scenario.now_ns);
    assert_eq!(scenario.sink.found[0].bytes, message(1, 40));
}

#[test]
fn pipelined_messages_come_out_of_one_segment() {
    let mut scenario = Scenario::opened();
    scenario.data(0, &framed(&[message(1, 12), message(2, 30), message(3, 500)]));
    scenario.assert_found(&[1, 2, 3], &[]);
}

#[test]
fn the_longest_and_the_shortest_message_are_messages() {
    let bytes = framed(&[message(1, 65_535), message(2, 12)]);
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1460).enumerate() {
        scenario.data(1460 * index, part);
    }
    scenario.assert_found(&[1, 2], &[]).assert_nothing_held();
}

#[test]
fn a_length_below_12_makes_the_stream_unsynchronised_once() {
    let mut scenario = Scenario::opened();
    let mut bytes = framed(&[message(1, 40)]);
    bytes.extend([0, 11]);
    bytes.extend(framed(&[message(2, 40)]));
    scenario.data(0, &bytes).assert_found(&[1], &[Unsynchronised]);
    let mut offset = bytes.len();
    for filler in [[0xff; 40], [0; 40]] {
        scenario.data(offset, &filler).assert_found(&[1], &[Unsynchronised]);
        offset += filler.len();
    }
    scenario.data(offset, &framed(&[message(3, 40)])).assert_found(&[1, 3], &[Unsynchronised]);
    offset += 42;
    scenario.data(offset, &[0; 20]).assert_found(&[1, 3], &[Unsynchronised; 2]);
}

#[test]
fn a_stream_without_syn_is_parsed_from_its_first_segment() {
    let mut scenario = Scenario::new();
    scenario.data(0, &framed(&[message(1, 40)])).assert_found(&[1], &[]);
}

#[test]
fn a_stream_entered_in_mid_message_begins_at_the_first_plausible_segment() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(50, &bytes[50..70]).data(70, &bytes[70..102]).data(102, &bytes[102..]);
    scenario.assert_found(&[2], &[Unsynchronised]);
}

#[test]
fn a_stream_entered_at_a_length_that_travels_alone_is_synchronised() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(0, &bytes[..2]).data(2, &bytes[2..8]).data(8, &bytes[8..]).assert_found(&[1, 2], &[]);
}

#[test]
fn a_stream_entered_at_a_short_tail_finds_the_message_behind_it() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::new();
    scenario.data(98, &bytes[98..102]).data(102, &bytes[102..]).assert_found(&[2], &[]).assert_nothing_held();
}
