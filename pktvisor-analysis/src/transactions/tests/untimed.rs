//! Queries and responses that were captured without a time stamp.

use super::*;
use pktvisor_common::packet::Stamp::{self, Borrowed, Own};

fn moment(ns: u64, stamp: Stamp) -> MessageTime {
    MessageTime { ns: at(ns), stamp }
}

#[test]
fn a_pair_has_a_duration_only_if_both_have_time_stamps() {
    for (query, response) in [(Borrowed, Borrowed), (Borrowed, Own), (Own, Borrowed), (Own, Own)] {
        for response_ns in [0, 1_500] {
            let mut table = Transactions::default();
            table.query(&Exchange::of_query(&flow(1), 7), question(1), moment(0, query));
            let exchange = Exchange::of_response(&flow(1).reversed(), 7);
            let outcome = table.response(&exchange, question(1), moment(response_ns, response));
            let expected = match (query, response) {
                (Own, Own) => answered(0, response_ns),
                _ => ResponseOutcome::AnsweredUntimed,
            };
            assert_eq!(outcome, expected);
            assert_eq!(table.take_counts(), TransactionCounts { answered: 1, ..Default::default() });
            let again = table.response(&exchange, question(1), moment(response_ns, response));
            assert_eq!(again, ResponseOutcome::Duplicate);
        }
    }
}

#[test]
fn a_time_before_the_query_is_not_negative_where_it_is_not_the_responses_own() {
    let mut table = Transactions::default();
    table.query(&Exchange::of_query(&flow(1), 7), question(1), moment(1_000, Own));
    let exchange = Exchange::of_response(&flow(1).reversed(), 7);
    let outcome = table.response(&exchange, question(1), moment(0, Borrowed));
    assert_eq!(outcome, ResponseOutcome::AnsweredUntimed);
    assert_eq!(table.take_counts().negative_times, 0);
}

#[test]
fn a_repeated_query_keeps_that_the_first_had_no_time_stamp() {
    let mut table = Transactions::default();
    let asked = Exchange::of_query(&flow(1), 7);
    table.query(&asked, question(1), moment(0, Borrowed));
    assert_eq!(table.query(&asked, question(1), moment(500, Own)), QueryOutcome::Retransmitted);
    assert_eq!(respond(&mut table, question(1), 1_500), ResponseOutcome::AnsweredUntimed);
}
