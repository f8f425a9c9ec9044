//! Where a stream whose message boundaries are unknown is taken up.

use super::*;

/// A message with this header behind its id and 40 bytes in all, 2 bytes of length included.
fn with_header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut message = message(1, 40);
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    for (to, count) in message[4..12].chunks_exact_mut(2).zip(counts) {
        to.copy_from_slice(&count.to_be_bytes());
    }
    framed(&[message])
}

#[test]
fn a_stream_is_taken_up_where_length_and_header_fit_together() {
    for (flags, counts, is_plausible, why) in [
        (0x0100, [1, 0, 0, 0], true, "a query"),
        (0x0100, [1, 0, 0, 1], true, "a query with EDNS"),
        (0x0110, [0, 0, 0, 0], true, "a query without a question"),
        (0x8183, [1, 0, 1, 0], true, "a response"),
        (0x2000, [1, 1, 0, 0], true, "a notification with its SOA"),
        (0x2800, [1, 0, 1, 0], true, "an update"),
        (0x3000, [0, 0, 0, 0], true, "DSO"),
        (0x3800, [1, 0, 0, 0], false, "opcode 7"),
        (0x0100, [2, 0, 0, 0], false, "two questions"),
        (0x0001, [1, 0, 0, 0], false, "a query with an rcode"),
        (0x2805, [1, 0, 0, 0], false, "an update with an rcode"),
        (0x0100, [1, 1, 0, 0], false, "a query with an answer"),
        (0x8180, [1, 2, 0, 0], true, "17 bytes and two records of 11 need 39"),
        (0x8180, [1, 1, 1, 1], false, "17 bytes and three records of 11 need 50"),
        (0x8180, [0, 0xffff, 0xffff, 0xffff], false, "more records than a message holds"),
    ] {
        let mut scenario = Scenario::new();
        scenario.data(0, &with_header(flags, counts));
        assert_eq!(scenario.sink.found.len(), usize::from(is_plausible), "{why}");
    }
}

#[test]
fn a_stream_entered_at_the_body_of_a_query_is_taken_up_at_the_next_length() {
    for id in [12, 0x2001, 0xffff] {
        let bytes = framed(&[message(id, 35), message(2, 35), message(3, 35)]);
        let mut scenario = Scenario::new();
        scenario.data(2, &bytes[2..37]).data(37, &bytes[37..39]).data(39, &bytes[39..74]);
        scenario.data(74, &bytes[74..]).assert_found(&[2, 3], &[Unsynchronised]).assert_nothing_held();
    }
}

#[test]
fn a_lost_length_costs_only_its_own_message() {
    let bytes = framed(&(1..=5).map(|id| message(0x2000 + id, 35)).collect::<Vec<_>>());
    let mut scenario = Scenario::opened();
    for start in (0..bytes.len()).step_by(37) {
        if start != 37 {
            scenario.data(start, &bytes[start..start + 2]);
        }
        scenario.data(start + 2, &bytes[start + 2..start + 37]);
    }
    scenario.wait(2 * SECOND + 1).of_port(5000).syn(1);
    scenario.assert_found(&[0x2001, 0x2003, 0x2004, 0x2005], &[Gap]).assert_nothing_held();
}

#[test]
fn length_and_header_may_come_in_any_pieces() {
    let bytes = framed(&[message(1, 40), message(2, 40)]);
    for cut in 1..20 {
        let mut scenario = Scenario::new();
        scenario
            .data(0, &bytes[..cut])
            .data(cut, &bytes[cut..])
            .assert_found(&[1, 2], &[])
            .assert_nothing_held();
        let mut scenario = Scenario::new();
        for (at, byte) in bytes.iter().enumerate() {
            scenario.data(at, &[*byte]);
        }
        scenario.assert_found(&[1, 2], &[]).assert_nothing_held();
    }
}
