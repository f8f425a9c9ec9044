//! The end of a connection, and streams that are dropped.

use super::*;

#[test]
fn a_reset_and_a_new_connection_release_both_directions() {
    for flags in [RST, SYN] {
        let mut connection = Connection::opened();
        connection.query(1).lost_query(2).query(3).response(3).assert_found("q1", &[]);
        let mut last = connection.sent(true, Vec::new());
        (last.flags, last.sequence) = (flags, 1 << 30);
        connection.capture(&last).assert_found("q1 q3 r3", &[Gap]).scenario.assert_nothing_held();
    }
}

#[test]
fn a_fin_waits_for_earlier_bytes_and_closes() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).response(3);
    for from_server in [true, false] {
        let mut fin = connection.sent(from_server, Vec::new());
        fin.flags = ACK | FIN;
        connection.capture(&fin);
    }
    connection.passes(11 * MS).assert_found("q1 q3 r3", &[Gap]).scenario.assert_nothing_held();
}

#[test]
fn a_fin_that_was_not_captured_is_no_gap() {
    let mut connection = Connection::opened();
    connection.query(1).response(1);
    connection.client_next = connection.client_next.wrapping_add(1);
    connection.response(2).assert_found("q1 r1 r2", &[]).scenario.assert_nothing_held();
}

#[test]
fn a_leap_of_time_releases_segments_behind_the_end_of_a_stream() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3).lost_query(4);
    let mut fin = connection.sent(false, Vec::new());
    (fin.flags, fin.acknowledgement) = (ACK | FIN, 0);
    let mut response = connection.send_response(3);
    response.flags = 0;
    connection.capture(&fin).capture(&response).assert_found("q1", &[]).passes(500 * SECOND);
    connection.assert_found("q1 q3 r3", &[Gap, Gap]).scenario.assert_nothing_held();
    assert!(connection.scenario.streams.is_empty());
}

#[test]
fn a_retransmission_of_waiting_bytes_is_counted_once() {
    let mut connection = Connection::opened();
    connection.query(1).lost_query(2).query(3);
    let response = connection.send_response(3);
    connection.capture(&response).capture(&response).finish();
    connection.assert_found("q1 q3 r3", &[RetransmittedSegment, Gap]);
}

#[test]
fn an_evicted_stream_releases_the_other_direction() {
    let mut connection = Connection::with(StreamLimits { streams: 2, buffered_bytes: 1 << 20 });
    connection.query(1).lost_query(2).query(3).response(3).scenario.of_port(5000).syn(1);
    connection.assert_found("q1 q3 r3", &[Gap, StreamEvicted]).scenario.assert_nothing_held();
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
    scenario.assert_found(&[1, 1, 1], &[]).assert_nothing_held();
}
