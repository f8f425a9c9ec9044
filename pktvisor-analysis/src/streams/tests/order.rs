//! Segments that come out of order, again, or over each other.

use super::*;

#[test]
fn segments_out_of_order_wait_for_each_other() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(100, &bytes[100..]).data(50, &bytes[50..100]).assert_found(&[], &[]);
    scenario.data(0, &bytes[..50]).assert_found(&[1, 2, 3], &[]).assert_nothing_held();
}

#[test]
fn a_retransmission_is_counted_and_not_parsed_again() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..42]).data(0, &bytes[..42]).assert_found(&[1], &[RetransmittedSegment]);
    scenario.data(20, &bytes[20..]).assert_found(&[1, 2], &[RetransmittedSegment]);
}

#[test]
fn a_retransmission_of_waiting_data_is_counted_once() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).data(50, &bytes[50..70]).data(0, &bytes[..42]);
    scenario.assert_found(&[1, 2], &[RetransmittedSegment]);
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
    scenario.assert_found(&[1, 2], &[]);
}

#[test]
fn a_zero_window_probe_brings_one_byte() {
    let bytes = framed(&[message(1, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..1]).data(0, &bytes[..1]).data(0, &bytes);
    // The repeated probe looks like a keep-alive.
    scenario.assert_found(&[1], &[]);
}
