//! Segments that never come.

use super::*;

#[test]
fn a_gap_is_given_up_after_2_s_of_packet_time() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).data(42, &bytes[42..84]);
    scenario.wait(2 * SECOND).data(84, &bytes[84..]).assert_found(&[], &[]);
    scenario.wait(1).data(20, &bytes[20..42]).assert_found(&[2, 3], &[Gap, RetransmittedSegment]);
    scenario.assert_nothing_held();
}

#[test]
fn a_gap_filled_after_exactly_2_s_is_filled() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..]).wait(2 * SECOND).data(0, &bytes[..42]).assert_found(&[1, 2], &[]);
    assert!(scenario.sink.found.iter().all(|found| found.time_ns == scenario.now_ns));
}

#[test]
fn a_silent_streams_gap_is_given_up_by_another_streams_packet() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    let arrival_ns = scenario.now_ns;
    scenario.data(42, &bytes[42..]).wait(2 * SECOND + 1).of_port(5000).data(0, &bytes[..42]);
    scenario.assert_found(&[2, 1], &[Gap]).assert_nothing_held();
    let found: Vec<_> = scenario.sink.found.iter().map(|found| (found.client_port, found.time_ns)).collect();
    assert_eq!(found, [(4000, arrival_ns), (5000, scenario.now_ns)]);
}

#[test]
fn each_gap_has_its_own_2_s() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40), message(4, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(42, &bytes[42..84]).wait(SECOND).data(126, &bytes[126..]);
    scenario.wait(SECOND + 1).of_port(5000).syn(1).assert_found(&[2], &[Gap]);
    scenario.wait(SECOND).syn(1).assert_found(&[2, 4], &[Gap, Gap]).assert_nothing_held();
}

#[test]
fn a_gap_is_given_up_when_more_than_64_kib_wait() {
    let bytes = framed(&(0..132).map(|id| message(id, 1022)).collect::<Vec<_>>());
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1024).enumerate().skip(1).take(64) {
        scenario.data(1024 * index, part);
    }
    scenario.assert_found(&[], &[]);
    scenario.data(1024 * 65, &bytes[1024 * 65..1024 * 66]).assert_found(&(1..66).collect::<Vec<_>>(), &[Gap]);
    scenario.assert_nothing_held();
}

#[test]
fn filling_a_gap_is_allowed_when_64_kib_wait() {
    let bytes = framed(&(0..65).map(|id| message(id, 1022)).collect::<Vec<_>>());
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1024).enumerate().skip(1).chain([(0, &bytes[..1024])]) {
        scenario.data(1024 * index, part);
    }
    scenario.assert_found(&(0..65).collect::<Vec<_>>(), &[]).assert_nothing_held();
}

#[test]
fn a_gap_is_given_up_when_too_many_pieces_wait() {
    let mut scenario = Scenario::opened();
    for index in 0..=waiting::PIECES_MAX {
        scenario.data(2 * index + 10, &[0]);
    }
    scenario.assert_found(&[], &[Gap]);
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
    scenario.wait(3 * SECOND).of_port(5000).syn(1).assert_found(&[4], &[Gap]);
}
