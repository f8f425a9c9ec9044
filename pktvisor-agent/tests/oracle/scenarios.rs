//! Ordinary, hostile, IPv6 and sparse traffic: the summary, each period, and the window over all
//! periods.

use dns_traffic::Config;
use pktvisor_api::{IpCardinality, TopEntry};

use super::compare::{Lists, assert_agrees};
use super::replay::{Setup, replay};
use super::traffic::{self, Traffic};

fn assert_all_agrees(traffic: &Traffic, lists: Lists) {
    let answer = &traffic.answer;
    assert_agrees("summary", &replay(traffic, Setup::summary()).document(), &answer.total, lists);
    let replayed = replay(traffic, Setup::periods());
    let buckets = replayed.buckets();
    assert_eq!(buckets.len(), answer.periods.len(), "periods");
    for (index, (found, truth)) in buckets.iter().zip(&answer.periods).enumerate() {
        assert_agrees(&format!("period {index}"), found, truth, lists);
    }
    assert_agrees("window", &replayed.store.window(60).unwrap(), &answer.total, lists);
}

#[test]
fn ordinary_traffic_is_summarised_as_the_answer_says() {
    assert_all_agrees(&Traffic::of(traffic::ordinary()), Lists::Exact);
}

#[test]
fn hostile_traffic_is_summarised_as_the_answer_says() {
    let traffic = Traffic::of(traffic::hostile());
    assert_all_agrees(&traffic, Lists::Exact);
    let found = replay(&traffic, Setup::summary()).document();
    let answer = &traffic.answer.total;
    // The scenario has the kinds of hostile traffic that it promises.
    assert!(
        found.dns.reassembly.datagrams_reassembled > 500 && found.dns.reassembly.retransmitted_segments > 500
    );
    assert!(answer.packets.vlan > answer.packets.total / 2 && answer.dns.wire_packets.malformed > 300);
}

#[test]
fn traffic_over_ipv6_is_summarised_as_the_answer_says() {
    assert_all_agrees(&Traffic::of(traffic::ipv6()), Lists::Exact);
}

#[test]
fn sparse_traffic_with_idle_seconds_is_summarised_as_the_answer_says() {
    assert_all_agrees(&Traffic::of(traffic::sparse()), Lists::Exact);
}

#[test]
fn the_truth_lies_between_the_bounds_of_lists_that_overflow() {
    assert_all_agrees(&Traffic::of(traffic::plentiful()), Lists::Bounded);
}

/// As many as a busy resolver has in some minutes, and more clients and names than tables hold.
#[test]
fn a_million_messages_are_counted_exactly_and_listed_within_the_bounds() {
    let traffic = Traffic::of(traffic::million());
    assert!(traffic.answer.total.dns.wire_packets.total > 1_000_000);
    let found = replay(&traffic, Setup::summary()).document();
    assert_agrees("a million messages", &found, &traffic.answer.total, Lists::Bounded);
    let head = |list: &[TopEntry]| list.iter().all(|entry| entry.lower == entry.upper);
    assert!(head(&found.dns.inbound.top_clients), "busy clients come early and stay");
}

#[test]
fn the_truth_lies_between_the_bounds_in_old_periods_too() {
    let config = Config { packets: 60_000, rate: 60.0, ..traffic::plentiful() };
    assert_all_agrees(&Traffic::of(config), Lists::Archived);
}

#[test]
fn many_seeds_are_summarised_as_their_answers_say() {
    for seed in 10..16 {
        let config = Config { packets: 6_000, seed, ..traffic::hostile() };
        assert_all_agrees(&Traffic::of(config), Lists::Exact);
    }
}

#[test]
fn without_host_every_direction_is_unknown_and_all_other_numbers_are_the_same() {
    let mut traffic = Traffic::of(traffic::hostile());
    let with_host = replay(&traffic, Setup::summary()).document();
    traffic.answer.host.clear();
    let found = replay(&traffic, Setup::summary()).document();
    let packets = &found.packets;
    assert_eq!((packets.unknown, packets.received, packets.sent), (packets.total, 0, 0));
    assert_eq!((packets.bytes_in, packets.bytes_out), (0, 0));
    assert_eq!(packets.bytes_total, with_host.packets.bytes_total);
    assert!(packets.rates.is_empty() && packets.top_ipv4.is_empty() && packets.top_ipv6.is_empty());
    assert_eq!(packets.cardinality, IpCardinality::default());
    assert_eq!(found.dns.wire_packets, with_host.dns.wire_packets);
    assert_eq!(found.dns.xact.counts, with_host.dns.xact.counts);
    assert_eq!((found.dns.xact.inbound.total, found.dns.xact.outbound.total), (0, 0));
    assert_eq!(found.dns.top_qname2, with_host.dns.top_qname2);
}

#[test]
fn a_query_times_out_with_the_first_packet_of_any_kind_more_than_5_s_later() {
    let lone_query = Config { packets: 1, dns_share: 1.0, ..traffic::ordinary() };
    for (after_ns, timed_out) in [(5_000_000_000, 0), (5_000_000_001, 1)] {
        let traffic = Traffic::between(None, Some(after_ns), lone_query.clone());
        let replayed = replay(&traffic, Setup::summary());
        let found = replayed.document();
        assert_eq!(found.dns.wire_packets.queries, 1);
        assert_eq!((found.dns.xact.counts.timed_out, replayed.open_transactions), (timed_out, 1 - timed_out));
    }
}
