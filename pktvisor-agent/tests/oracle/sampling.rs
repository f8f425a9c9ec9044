//! The numbers that the sampling rate must not change, and those that it may.

use pktvisor_api as api;

use super::compare::assert_wire_agrees;
use super::replay::{Replayed, Setup, replay};
use super::traffic::{self, Traffic};

const RATES_PCT: [u8; 6] = [0, 1, 10, 50, 99, 100];

fn sampled(traffic: &Traffic, sample_pct: u8) -> (Replayed, api::Period) {
    let replayed = replay(traffic, Setup { sample_pct, ..Setup::summary() });
    let found = replayed.document();
    (replayed, found)
}

#[test]
fn counters_are_exact_at_every_rate() {
    for config in [traffic::ordinary(), traffic::hostile()] {
        let traffic = Traffic::of(config);
        for percent in RATES_PCT {
            let found = sampled(&traffic, percent).1;
            assert_wire_agrees(&format!("summary at {percent} %"), &found, &traffic.answer.total);
            let periods = replay(&traffic, Setup { sample_pct: percent, ..Setup::periods() }).buckets();
            for (found, truth) in periods.iter().zip(&traffic.answer.periods) {
                assert_wire_agrees(&format!("a period at {percent} %"), found, truth);
            }
        }
    }
}

#[test]
fn the_achieved_rate_is_near_the_requested_one_and_exact_at_0_and_100() {
    for config in [traffic::ordinary(), traffic::hostile()] {
        let traffic = Traffic::of(config);
        for percent in RATES_PCT {
            let found = sampled(&traffic, percent).1;
            let wanted = f64::from(percent) / 100.0;
            // A conversation has two messages, or up to twelve over TCP. The bound is six standard
            // deviations of a fair choice of conversations with four messages.
            let conversations = found.dns.wire_packets.total as f64 / 4.0;
            let band = 6.0 * (wanted * (1.0 - wanted) / conversations).sqrt();
            let (rate, all) = (found.sampling.rate, found.dns.wire_packets.total);
            assert!((rate - wanted).abs() <= band, "{rate} for {percent} %, allowed are {band} either way");
            let share = found.sampling.messages as f64 / all as f64;
            assert!((share - wanted).abs() <= band, "{share} of the messages for {percent} %");
            assert_eq!(found.packets.deep_samples == found.packets.total, percent == 100);
        }
    }
}

#[test]
fn at_a_rate_of_0_no_dns_is_analysed() {
    let traffic = Traffic::of(traffic::hostile());
    let found = sampled(&traffic, 0).1;
    assert_eq!((found.sampling.messages, found.sampling.rate), (0, 0.0));
    assert_eq!(found.dns.xact, api::Transactions::default());
    assert_eq!(found.dns.edns, api::EdnsMetrics::default());
    assert_eq!(found.dns.cardinality.qname, 0);
    assert!(found.dns.top_qtype.is_empty() && found.dns.top_udp_ports.is_empty());
    let ledger = replay(&traffic, Setup { sample_pct: 0, ..Setup::summary() }).store.ledger();
    assert_eq!((ledger.not_chosen, ledger.delivered), (ledger.dns_packets, 0));
    assert_eq!(found.packets.deep_samples, found.packets.total - ledger.dns_packets);
}

#[test]
fn a_lower_rate_analyses_a_part_of_what_a_higher_one_does() {
    let traffic = Traffic::of(traffic::hostile());
    let mut lower = sampled(&traffic, 0).1;
    for percent in &RATES_PCT[1..] {
        let higher = sampled(&traffic, *percent).1;
        assert!(lower.sampling.messages < higher.sampling.messages);
        assert!(lower.packets.deep_samples < higher.packets.deep_samples);
        let of = |period: &api::Period| {
            let counts = &period.dns.xact.counts;
            [
                counts.total,
                counts.timed_out,
                counts.late,
                counts.duplicates,
                counts.orphans,
                counts.retransmitted,
                period.dns.xact.inbound.total,
                period.dns.xact.outbound.total,
            ]
        };
        for (few, many) in of(&lower).into_iter().zip(of(&higher)) {
            assert!(few <= many, "{:?} at a rate below {percent} %, {:?} at it", of(&lower), of(&higher));
        }
        lower = higher;
    }
}

#[test]
fn every_analysed_message_is_in_a_transaction_or_counted_with_the_reason() {
    for config in [traffic::ordinary(), traffic::hostile()] {
        let traffic = Traffic::of(config);
        for percent in RATES_PCT {
            let (replayed, found) = sampled(&traffic, percent);
            let counts = &found.dns.xact.counts;
            let queries = counts.total + counts.timed_out + counts.retransmitted + replayed.open_transactions;
            let replies = counts.total + counts.late + counts.duplicates + counts.orphans;
            assert_eq!(queries + replies, found.sampling.messages, "at {percent} %: {counts:?}");
        }
    }
}

#[test]
fn transactions_keep_both_their_messages_at_every_rate() {
    let traffic = Traffic::of(traffic::ordinary());
    let all = sampled(&traffic, 100).1;
    let share = |period: &api::Period, part: u64| part as f64 / period.sampling.messages as f64;
    let (paired, lone) = (all.dns.xact.counts.total, all.dns.xact.counts.orphans);
    for percent in [10, 50, 99] {
        let found = sampled(&traffic, percent).1;
        let counts = &found.dns.xact.counts;
        let paired = share(&found, counts.total) / share(&all, paired);
        assert!(
            (0.98..1.02).contains(&paired),
            "{paired} times as many transactions a message at {percent} %"
        );
        let lone = share(&found, counts.orphans) - share(&all, lone);
        assert!(lone.abs() < 0.005, "{lone} more orphans a message at {percent} %");
    }
}

#[test]
fn scaled_counts_estimate_what_full_analysis_finds() {
    let traffic = Traffic::of(traffic::ordinary());
    let found = sampled(&traffic, 50).1;
    for entry in &found.dns.top_qtype[..3] {
        let truth = traffic.answer.total.dns.top_qtype.count(&entry.name) as f64;
        let scaled = entry.scaled.unwrap() as f64;
        assert!((scaled / truth - 1.0).abs() < 0.05, "{entry:?} for {truth}");
        assert!(entry.estimate as f64 <= truth, "counts of what was analysed are unscaled");
    }
}
