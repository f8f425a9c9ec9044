mod model;
mod untimed;

use pktvisor_common::address::{AddressPair, IpVersion};

use super::*;
use crate::{Flow, Transport};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * SECOND;

const SERVER: [u8; 4] = [198, 51, 100, 53];

/// Client number `client` asks a server on port 53.
fn flow(client: u8) -> Flow {
    Flow {
        addresses: AddressPair::v4([192, 0, 2, client], SERVER),
        source_port: 40_000,
        destination_port: 53,
        transport: Transport::Udp,
    }
}

fn question(name_hash: u64) -> Option<QuestionKey> {
    Some(QuestionKey { name_hash, qtype: 1, qclass: 1 })
}

/// Time of the test's start plus `ns`.
fn at(ns: u64) -> u64 {
    START + ns
}

fn answered(query_ns: u64, response_ns: u64) -> ResponseOutcome {
    let duration_ns = response_ns.checked_sub(query_ns);
    ResponseOutcome::Answered { duration_ns, query_timestamp_ns: at(query_ns) }
}

/// A table in which client 1 asked question 1 at time 0, with id 7.
fn asked() -> Transactions {
    let mut table = Transactions::default();
    assert_eq!(table.query(&Exchange::of_query(&flow(1), 7), question(1), at(0)), QueryOutcome::Opened);
    table
}

fn respond(table: &mut Transactions, question: Option<QuestionKey>, ns: u64) -> ResponseOutcome {
    table.response(&Exchange::of_response(&flow(1).reversed(), 7), question, at(ns))
}

#[test]
fn the_first_response_answers_the_query() {
    let mut table = asked();
    assert_eq!(table.open(), 1);
    assert_eq!(respond(&mut table, question(1), 1_500), answered(0, 1_500));
    assert_eq!(table.open(), 0);
    assert_eq!(table.take_counts(), TransactionCounts { answered: 1, ..Default::default() });
    assert_eq!(table.take_counts(), TransactionCounts::default());
}

#[test]
fn a_response_after_exactly_the_timeout_counts() {
    assert_eq!(respond(&mut asked(), question(1), 5 * SECOND), answered(0, 5 * SECOND));
}

#[test]
fn a_response_after_the_timeout_is_late() {
    let mut table = asked();
    assert_eq!(respond(&mut table, question(1), 5 * SECOND + 1), ResponseOutcome::Late);
    assert_eq!(table.take_counts(), TransactionCounts { timed_out: 1, late: 1, ..Default::default() });
    // Only once: the query is forgotten.
    assert_eq!(respond(&mut table, question(1), 6 * SECOND), ResponseOutcome::Orphan);
}

#[test]
fn a_response_is_late_until_60_seconds_after_the_timeout() {
    assert_eq!(respond(&mut asked(), question(1), 65 * SECOND), ResponseOutcome::Late);
    assert_eq!(respond(&mut asked(), question(1), 65 * SECOND + 1), ResponseOutcome::Orphan);
}

#[test]
fn a_query_times_out_when_time_passes_its_limit() {
    let mut table = asked();
    table.advance(at(5 * SECOND));
    assert_eq!((table.open(), table.take_counts().timed_out), (1, 0));
    table.advance(at(5 * SECOND + 1));
    assert_eq!((table.open(), table.take_counts().timed_out), (0, 1));
}

#[test]
fn a_query_waits_from_an_age_of_one_second_on_until_it_is_answered_or_times_out() {
    let mut table = asked();
    let waiting = |table: &mut Transactions, ns| {
        table.advance(at(ns));
        table.update_waiting(|_, _| {});
        let OpenQueries { open, waiting } = table.open_queries();
        (open, waiting)
    };
    assert_eq!(waiting(&mut table, SECOND), (1, 0));
    table.query(&Exchange::of_query(&flow(2), 7), question(1), at(SECOND));
    assert_eq!(waiting(&mut table, SECOND + 1), (2, 1));
    assert_eq!(waiting(&mut table, 3 * SECOND), (2, 2));
    respond(&mut table, question(1), 4 * SECOND);
    assert_eq!(table.open_queries(), OpenQueries { open: 1, waiting: 1 });
    assert_eq!(waiting(&mut table, 6 * SECOND + 1), (0, 0));
}

#[test]
fn the_timeout_is_configurable() {
    let mut table = Transactions::new(1_000, 10);
    table.query(&Exchange::of_query(&flow(1), 7), None, at(0));
    assert_eq!(respond(&mut table, None, 1_001), ResponseOutcome::Late);
}

#[test]
fn a_further_response_is_a_duplicate_until_the_timeout_of_the_query() {
    let mut table = asked();
    assert_eq!(respond(&mut table, question(1), 10), answered(0, 10));
    assert_eq!(respond(&mut table, question(1), 20), ResponseOutcome::Duplicate);
    assert_eq!(respond(&mut table, question(1), 5 * SECOND), ResponseOutcome::Duplicate);
    assert_eq!(respond(&mut table, question(1), 5 * SECOND + 1), ResponseOutcome::Orphan);
    let counts = table.take_counts();
    assert_eq!((counts.answered, counts.duplicates, counts.orphans, counts.timed_out), (1, 2, 1, 0));
}

#[test]
fn a_response_without_a_query_is_an_orphan() {
    let mut table = Transactions::default();
    assert_eq!(respond(&mut table, question(1), 0), ResponseOutcome::Orphan);
    assert_eq!(table.take_counts().orphans, 1);
}

#[test]
fn a_response_with_another_question_is_an_orphan_and_leaves_the_query_open() {
    let mut table = asked();
    assert_eq!(respond(&mut table, question(2), 10), ResponseOutcome::Orphan);
    let other_type = Some(QuestionKey { name_hash: 1, qtype: 28, qclass: 1 });
    let other_class = Some(QuestionKey { name_hash: 1, qtype: 1, qclass: 3 });
    assert_eq!(respond(&mut table, other_type, 11), ResponseOutcome::Orphan);
    assert_eq!(respond(&mut table, other_class, 12), ResponseOutcome::Orphan);
    assert_eq!(table.open(), 1);
    assert_eq!(respond(&mut table, question(1), 20), answered(0, 20));
}

#[test]
fn a_response_without_a_question_answers_any_query() {
    assert_eq!(respond(&mut asked(), None, 10), answered(0, 10));
    let mut table = Transactions::default();
    table.query(&Exchange::of_query(&flow(1), 7), None, at(0));
    assert_eq!(respond(&mut table, question(1), 10), answered(0, 10));
}

#[test]
fn addresses_ports_transport_and_id_must_all_agree() {
    let mut table = asked();
    let right = flow(1).reversed();
    let wrong = [
        Flow { addresses: AddressPair::v4([192, 0, 2, 9], [192, 0, 2, 1]), ..right },
        Flow { addresses: AddressPair::v4(SERVER, [192, 0, 2, 9]), ..right },
        Flow { source_port: 54, ..right },
        Flow { destination_port: 40_001, ..right },
        Flow {
            addresses: AddressPair::new(
                IpVersion::V6,
                *right.addresses.source().bytes(),
                *right.addresses.destination().bytes(),
            ),
            ..right
        },
        Flow { transport: Transport::Tcp, ..right },
        flow(1),
    ];
    for flow in wrong {
        assert_eq!(
            table.response(&Exchange::of_response(&flow, 7), question(1), at(1)),
            ResponseOutcome::Orphan,
            "{flow:?}"
        );
    }
    assert_eq!(
        table.response(&Exchange::of_response(&right, 8), question(1), at(1)),
        ResponseOutcome::Orphan
    );
    assert_eq!(respond(&mut table, question(1), 1), answered(0, 1));
}

#[test]
fn a_repeated_query_keeps_the_first_time_stamp() {
    let mut table = asked();
    assert_eq!(
        table.query(&Exchange::of_query(&flow(1), 7), question(1), at(5 * SECOND)),
        QueryOutcome::Retransmitted
    );
    assert_eq!(table.open(), 1);
    assert_eq!(respond(&mut table, question(1), 5 * SECOND), answered(0, 5 * SECOND));
    assert_eq!(table.take_counts().retransmitted, 1);
}

#[test]
fn a_query_repeated_after_the_timeout_opens_a_new_one() {
    let mut table = asked();
    let later = 5 * SECOND + 1;
    assert_eq!(table.query(&Exchange::of_query(&flow(1), 7), question(1), at(later)), QueryOutcome::Opened);
    assert_eq!(respond(&mut table, question(1), later + 10), answered(later, later + 10));
    let counts = table.take_counts();
    assert_eq!((counts.timed_out, counts.retransmitted, counts.answered), (1, 0, 1));
}

#[test]
fn a_query_repeated_after_its_answer_opens_a_new_one() {
    let mut table = asked();
    respond(&mut table, question(1), 10);
    assert_eq!(table.query(&Exchange::of_query(&flow(1), 7), question(1), at(100)), QueryOutcome::Opened);
    assert_eq!(respond(&mut table, question(1), 130), answered(100, 130));
}

#[test]
fn queries_with_one_id_and_different_questions_wait_side_by_side() {
    let mut table = asked();
    assert_eq!(table.query(&Exchange::of_query(&flow(1), 7), question(2), at(1)), QueryOutcome::Opened);
    assert_eq!(respond(&mut table, question(2), 10), answered(1, 10));
    assert_eq!(respond(&mut table, question(1), 20), answered(0, 20));
}

#[test]
fn a_response_older_than_its_query_has_no_duration() {
    let mut table = asked();
    let outcome = table.response(&Exchange::of_response(&flow(1).reversed(), 7), question(1), START - 5);
    assert_eq!(outcome, ResponseOutcome::Answered { duration_ns: None, query_timestamp_ns: START });
    let counts = table.take_counts();
    assert_eq!((counts.answered, counts.negative_times), (1, 1));
}

#[test]
fn packets_from_the_past_do_not_set_the_clock_back() {
    let mut table = asked();
    table.advance(at(100 * SECOND));
    // Stamped long before the newest time, and yet answered: their own stamps are 3 s apart.
    assert_eq!(table.query(&Exchange::of_query(&flow(2), 1), None, at(10)), QueryOutcome::Opened);
    let response = table.response(&Exchange::of_response(&flow(2).reversed(), 1), None, at(10 + 3 * SECOND));
    assert_eq!(response, answered(10, 10 + 3 * SECOND));
    // By their own stamps they are too far apart, although the clock stands still.
    assert_eq!(table.query(&Exchange::of_query(&flow(3), 1), None, at(10)), QueryOutcome::Opened);
    let response = table.response(&Exchange::of_response(&flow(3).reversed(), 1), None, at(11 + 5 * SECOND));
    assert_eq!(response, ResponseOutcome::Late);
    assert_eq!(table.take_counts().timed_out, 2);
}

#[test]
fn a_full_table_forgets_queries_that_timed_out_first_then_open_ones() {
    let mut table = Transactions::new(5 * SECOND, 3);
    let query = |table: &mut Transactions, client, seconds| {
        table.query(&Exchange::of_query(&flow(client), 0), None, at(seconds * SECOND))
    };
    let response = |table: &mut Transactions, client| {
        table.response(&Exchange::of_response(&flow(client).reversed(), 0), None, at(6 * SECOND))
    };
    query(&mut table, 1, 0);
    table.advance(at(6 * SECOND));
    query(&mut table, 2, 6);
    query(&mut table, 3, 6);
    // One timed out, two open: full.
    query(&mut table, 4, 6);
    assert_eq!(response(&mut table, 1), ResponseOutcome::Orphan);
    assert_eq!((table.open(), table.take_counts().shed), (3, 0));
    query(&mut table, 5, 6);
    assert_eq!((table.open(), table.take_counts().shed), (3, 1));
    assert_eq!(response(&mut table, 2), ResponseOutcome::Orphan);
    assert!(matches!(response(&mut table, 3), ResponseOutcome::Answered { .. }));
    // What was answered takes no room from those that wait.
    query(&mut table, 6, 6);
    assert_eq!((table.open(), table.take_counts().shed), (3, 0));
    assert_eq!(response(&mut table, 3), ResponseOutcome::Duplicate);
}

#[test]
fn a_flood_of_unanswered_queries_stays_at_the_ceiling_and_all_are_accounted_for() {
    let mut table = Transactions::new(5 * SECOND, 1_000);
    let queries = 50_000_u64;
    for n in 0..queries {
        let flow = Flow { source_port: n as u16, ..flow((n >> 16) as u8) };
        table.query(&Exchange::of_query(&flow, (n >> 3) as u16), question(n), at(n * 1_000));
        assert!(table.open() <= 1_000);
    }
    table.advance(at(100 * SECOND));
    let counts = table.take_counts();
    assert_eq!(counts.shed + counts.timed_out, queries);
    assert_eq!(counts.timed_out, 1_000);
    assert_eq!(table.open(), 0);
}

#[test]
fn a_table_holds_as_many_queries_as_it_was_made_for() {
    let mut table = Transactions::new(5 * SECOND, 40_000);
    for n in 0..40_000_u32 {
        let flow = Flow { addresses: AddressPair::v4(n.to_be_bytes(), SERVER), ..flow(0) };
        table.query(&Exchange::of_query(&flow, 0), None, at(0));
    }
    assert_eq!((table.open(), table.take_counts().shed), (40_000, 0));
}

#[test]
fn a_flood_with_one_key_crowds_out_only_itself() {
    let mut table = asked();
    for n in 0..10_000 {
        table.query(&Exchange::of_query(&flow(2), 7), question(n), at(n));
    }
    // Two buckets of 16 slots.
    assert!(table.open() <= 33);
    assert_eq!(respond(&mut table, question(1), 10_000), answered(0, 10_000));
    table.advance(at(6 * SECOND));
    let counts = table.take_counts();
    assert_eq!(counts.shed + counts.timed_out, 10_000);
}
