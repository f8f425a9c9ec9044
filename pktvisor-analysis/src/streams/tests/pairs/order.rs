//! The order in which the messages of both directions are passed on.

use super::*;

#[test]
fn pipelined_queries_behind_a_gap_come_before_their_responses() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).query(4).wait(MS);
    connection.response(4).response(2).response(1).response(3).assert_found("q1", &[]);
    connection.passes(10 * MS).assert_found("q1", &[]).passes(1).assert_found("q1 q3 q4 r4 r2 r1 r3", &[Gap]);
}

#[test]
fn a_query_captured_after_its_response_comes_before_it() {
    let mut connection = Connection::opened();
    let late = connection.send_query(1);
    connection.response(1).assert_found("", &[]).wait(5 * MS).capture(&late).assert_found("q1 r1", &[]);
    connection.query(2).response(2).assert_found("q1 r1 q2 r2", &[]).scenario.assert_nothing_held();
}

#[test]
fn a_response_that_comes_while_a_gap_may_still_be_filled_waits() {
    let mut connection = Connection::opened();
    connection.query(1).wait(MS);
    let lost = connection.send_query(2);
    connection.query(3).wait(MS);
    let mut slow = connection.send_response(1);
    slow.acknowledgement = lost.sequence;
    connection.capture(&slow).assert_found("q1", &[]);
    connection.wait(300 * MS).capture(&lost).assert_found("q1 q2 q3 r1", &[]);
    connection
        .wait(MS)
        .response(2)
        .response(3)
        .assert_found("q1 q2 q3 r1 r2 r3", &[])
        .scenario
        .assert_nothing_held();
}

#[test]
fn gaps_in_both_directions_keep_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).wait(MS).lost_response(1).response(2).response(3).wait(MS);
    connection.query(4).wait(MS).response(4).assert_found("q1", &[]).passes(20 * MS);
    connection.assert_found("q1 q3 r2 r3 q4 r4", &[Gap, Gap]).scenario.assert_nothing_held();
}

#[test]
fn the_end_of_the_capture_keeps_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).response(1).lost_response(2).response(3).query(4).finish();
    connection.assert_found("q1 q3 r1 r3 q4", &[Gap, Gap]).scenario.assert_nothing_held();
}

#[test]
fn a_clock_that_was_set_back_does_not_reverse_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3);
    connection.scenario.now_ns -= 500 * SECOND;
    connection
        .response(3)
        .query(4)
        .response(4)
        .assert_found("q1", &[])
        .finish()
        .assert_found("q1 q3 r3 q4 r4", &[Gap]);
}

#[test]
fn within_the_grace_time_stamps_decide_the_order() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).wait(5 * MS);
    let query = connection.send_query(4);
    connection.wait(MS).response(4);
    connection.scenario.now_ns -= MS;
    connection.capture(&query).finish().assert_found("q1 q3 q4 r4", &[Gap]);
}
