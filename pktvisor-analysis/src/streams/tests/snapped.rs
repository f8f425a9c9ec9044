//! Segments of which only a part was captured.

use super::*;

#[test]
fn a_snapped_message_is_truncated_and_the_next_one_is_found() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario
        .snapped(0, &bytes[..102], 50)
        .data(102, &bytes[102..])
        .assert_found(&[1, 2], &[])
        .assert_nothing_held();
    assert_eq!((scenario.sink.found[0].captured, scenario.sink.found[0].bytes.len()), (Captured::Part, 48));
    assert_eq!(scenario.sink.found[1].captured, Captured::Whole);
}

#[test]
fn a_long_snapped_message_is_passed_over_to_its_end() {
    let bytes = framed(&[message(1, 4000), message(2, 40)]);
    let mut scenario = Scenario::opened();
    for (index, part) in bytes.chunks(1000).enumerate() {
        scenario.snapped(1000 * index, part, part.len().min(60));
    }
    scenario.assert_found(&[1, 2], &[]).assert_nothing_held();
}

#[test]
fn a_message_snapped_in_its_second_segment_is_truncated() {
    let bytes = framed(&[message(1, 100), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.data(0, &bytes[..20]).snapped(20, &bytes[20..102], 40).data(102, &bytes[102..]);
    scenario.assert_found(&[1, 2], &[]);
    assert_eq!(scenario.sink.found[0].bytes, message(1, 100)[..58]);
}

#[test]
fn messages_hidden_beyond_the_snapped_end_are_passed_over() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(0, &bytes[..84], 20).data(84, &bytes[84..]).assert_found(&[1, 3], &[]);
}

#[test]
fn a_snapped_message_with_less_than_its_header_is_no_message() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(0, &bytes[..42], 13).data(42, &bytes[42..]).assert_found(&[2], &[]);
}

#[test]
fn a_snapped_segment_that_waited_is_truncated_too() {
    let bytes = framed(&[message(1, 40), message(2, 40), message(3, 40)]);
    let mut scenario = Scenario::opened();
    scenario.snapped(42, &bytes[42..84], 30).data(84, &bytes[84..]).data(0, &bytes[..42]);
    scenario.assert_found(&[1, 2, 3], &[]).assert_nothing_held();
    let captured: Vec<_> = scenario.sink.found.iter().map(|found| found.captured).collect();
    assert_eq!(captured, [Captured::Whole, Captured::Part, Captured::Whole]);
}
