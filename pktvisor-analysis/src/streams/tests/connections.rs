//! How streams begin and end.

use super::*;

#[test]
fn data_on_a_syn_follows_its_sequence_number() {
    let mut scenario = Scenario::new();
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    scenario.send(SYN, ISN, &bytes[..42], 42).data(42, &bytes[42..]);
    scenario.assert_found(&[1, 2], &[]);
}

#[test]
fn a_repeated_syn_changes_nothing() {
    let mut scenario = Scenario::opened();
    let bytes = framed(&[message(1, 40)]);
    scenario.wait(3 * SECOND).syn(ISN).data(0, &bytes[..10]).syn(ISN).data(10, &bytes[10..]);
    scenario.assert_found(&[1], &[]);
}

#[test]
fn data_that_overtakes_its_syn_is_not_lost() {
    let mut scenario = Scenario::new();
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    scenario.data(0, &bytes[..50]).syn(ISN).data(50, &bytes[50..]);
    scenario.assert_found(&[1, 2], &[]);
}

#[test]
fn a_fin_after_all_data_closes_the_stream_and_late_copies_are_retransmissions() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.send(ACK | FIN, at(0), &bytes, 42).send(ACK | FIN, at(0), &bytes, 42).send(FIN, at(42), &[], 0);
    scenario.assert_found(&[1], &[RetransmittedSegment]).assert_nothing_held();
}

#[test]
fn a_fin_waits_for_the_data_before_it() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).send(FIN, at(42), &[], 0).data(20, &bytes[20..]);
    scenario.assert_found(&[1], &[]).assert_nothing_held();
}

#[test]
fn a_gap_before_a_fin_is_given_up_like_any_other() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.send(FIN, at(84), &[], 0).wait(SECOND).data(42, &bytes[42..]);
    scenario.wait(SECOND + 1).of_port(5000).syn(1).assert_found(&[2], &[Gap]).assert_nothing_held();
}

#[test]
fn a_lost_tail_before_a_fin_is_a_gap() {
    let mut scenario = Scenario::opened();
    scenario.send(FIN, at(42), &[], 0).wait(2 * SECOND + 1).of_port(5000).syn(1);
    scenario.assert_found(&[], &[Gap]).assert_nothing_held();
}

#[test]
fn a_reset_gives_up_gaps_and_closes() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).send(RST, at(84), b"go away, this is not a message", 30);
    scenario.assert_found(&[2], &[Gap]).assert_nothing_held();
    scenario.data(42, &bytes[42..]).assert_found(&[2], &[Gap, RetransmittedSegment]);
}

#[test]
fn a_syn_with_another_number_begins_a_new_stream() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario
        .data(0, &bytes[..20])
        .data(42, &bytes[42..])
        .syn(7_000)
        .assert_found(&[2], &[Gap])
        .assert_nothing_held();
    scenario.send(ACK, 7_001, &framed(&[message(3, 40)]), 42).assert_found(&[2, 3], &[Gap]);
}

#[test]
fn after_a_close_the_same_numbers_may_be_used_again() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    for _ in 0..2 {
        scenario.syn(ISN).send(ACK | FIN, at(0), &bytes, 42);
    }
    scenario.assert_found(&[1, 1], &[]);
}

#[test]
fn after_silence_the_same_numbers_may_be_used_again_without_a_close() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes).wait(3 * SECOND).syn(ISN).data(0, &bytes).assert_found(&[1, 1], &[]);
}

#[test]
fn numbers_far_off_begin_a_stream_in_mid_connection() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes).data(1 << 30, &bytes).data(0, &bytes).assert_found(&[1, 1, 1], &[]);
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
    let segment =
        TcpSegment { sequence: at(20), acknowledgement: 0, flags: ACK, payload: &bytes[20..], wire_len: 22 };
    scenario.streams.segment(&flow(4000).reversed(), segment, scenario.now_ns, &mut scenario.sink);
    assert_eq!(scenario.ids(), [] as [u16; 0]);
    assert_eq!(scenario.streams.len(), 2);
}

#[test]
fn the_end_of_the_capture_gives_up_gaps_and_forgets() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).of_port(5000).syn(1);
    scenario.streams.finish(&mut scenario.sink);
    scenario.assert_found(&[2], &[Gap]).assert_nothing_held();
    assert!(scenario.streams.is_empty());
}
