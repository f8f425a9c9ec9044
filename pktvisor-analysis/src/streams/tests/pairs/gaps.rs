//! Gaps: how long they wait, and what is given up with them.

use super::*;

#[test]
fn a_lost_query_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).wait(5 * MS).response(1).wait(90 * MS).lost_query(2).wait(5 * MS).response(2);
    for id in [3, 4] {
        connection.wait(90 * MS).query(id).wait(5 * MS).response(id);
    }
    connection.assert_found("q1 r1 r2 q3 r3 q4 r4", &[Gap]).scenario.assert_nothing_held();
}

#[test]
fn a_lost_query_in_rapid_succession_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).response(1).lost_query(2).response(2);
    for id in 3..=20 {
        connection.wait(MS).query(id).response(id);
    }
    let rest: Vec<_> = (3..=20).map(|id| format!("q{id} r{id}")).collect();
    connection.assert_found(&format!("q1 r1 r2 {}", rest.join(" ")), &[Gap]).scenario.assert_nothing_held();
}

#[test]
fn a_gap_that_is_acknowledged_waits_10_ms_for_a_late_capture() {
    let mut connection = Connection::opened();
    let late = connection.send_query(1);
    connection.query(2).wait(MS).response(1).wait(9 * MS).response(2).assert_found("", &[]);
    connection.wait(MS).capture(&late).assert_found("q1 q2 r1 r2", &[]).scenario.assert_nothing_held();
    // Only the capture of the first query was late: the second has its own time.
    assert_eq!(connection.times_ms(), [11, 0, 1, 10]);
}

#[test]
fn a_response_whose_query_is_missing_waits_10_ms() {
    let mut connection = Connection::opened();
    connection
        .lost_query(1)
        .response(1)
        .passes(10 * MS)
        .assert_found("", &[])
        .passes(1)
        .assert_found("r1", &[]);
    // That something was missing is certain when something comes from behind it.
    connection.query(2).assert_found("r1 q2", &[Gap]).response(2).assert_found("r1 q2 r2", &[Gap]);
    connection.scenario.assert_nothing_held();
}

#[test]
fn a_gap_that_a_retransmission_fills_gives_its_time_to_waiting_messages() {
    let mut connection = Connection::opened();
    let lost = connection.send_query(1);
    let earlier = connection.client_next;
    connection.query(2).wait(200 * MS);
    connection.client_next = lost.sequence;
    connection.client_acknowledges();
    connection.client_next = earlier;
    connection.capture(&lost).wait(MS).response(2).response(1).assert_found("q1 q2 r2 r1", &[]);
    assert_eq!(connection.times_ms(), [200, 200, 201, 201]);
}

#[test]
fn a_lost_response_costs_no_other_exchange() {
    let mut connection = Connection::opened();
    connection.query(1).query(2).query(3).lost_response(1).response(2).response(3).client_acknowledges();
    connection.wait(MS).query(4).assert_found("q1 q2 q3", &[]).passes(9 * MS + 1);
    connection
        .assert_found("q1 q2 q3 r2 r3 q4", &[Gap])
        .response(4)
        .assert_found("q1 q2 q3 r2 r3 q4 r4", &[Gap]);
    connection.scenario.assert_nothing_held();
}

#[test]
fn several_gaps_are_given_up_one_after_the_other() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).lost_query(4).query(5).wait(MS);
    for id in 1..=5 {
        connection.response(id);
    }
    connection.assert_found("q1", &[]).passes(11 * MS).assert_found("q1 q3 q5 r1 r2 r3 r4 r5", &[Gap, Gap]);
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
        .assert_found("q1", &[])
        .passes(1)
        .assert_found("q1 q3 r3", &[Gap]);
}

#[test]
fn a_direction_that_is_captured_alone_does_not_wait() {
    let mut connection = Connection::opened();
    connection.finish();
    for id in 1..=3 {
        connection.lost_query(id).response(id);
    }
    connection.assert_found("r1 r2 r3", &[]);
    connection.lost_response(4).response(5).passes(2 * SECOND + 1).assert_found("r1 r2 r3 r5", &[Gap]);
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
    connection.assert_found("q1 q3 r3 r3 r3", &[Gap]).scenario.assert_nothing_held();
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
    connection.finish().assert_found("q1 r1 q2 r2 q3 r3 q4 r4 q5 r5", &[]);
}
