//! Periods, the ring of closed ones, and the ledger over both.

use super::*;
use crate::PacketKeys;

#[test]
fn a_period_begins_at_the_whole_second_of_the_first_packet_and_lasts_sixty() {
    let store = store(5, false);
    feed(&store, &[100.7, 101.0, 159.999, 160.0, 160.5]);
    assert_eq!(span(&bucket(&store, 1)), (100, 60, 3));
    assert_eq!(span(&bucket(&store, 0)), (160, 1, 2));
}

#[test]
fn the_live_period_is_as_long_as_its_newest_second() {
    let store = store(5, false);
    feed(&store, &[100.7, 112.1]);
    assert_eq!(span(&bucket(&store, 0)), (100, 13, 2));
}

#[test]
fn a_summary_is_one_period_however_long() {
    let store = store(5, true);
    feed(&store, &[100.0, 100_000.0]);
    assert_eq!(span(&bucket(&store, 0)), (100, 99_901, 2));
    assert_eq!(store.bucket(1), Err(NoPeriod::NotYet { last: 0 }));
    assert_eq!(span(&store.window(5).unwrap()), (100, 99_901, 2));
}

#[test]
fn a_gap_yields_the_empty_periods_it_contains() {
    let store = store(5, false);
    feed(&store, &[100.0, 290.0]);
    let spans: Vec<_> = (0..4).map(|n| span(&bucket(&store, n))).collect();
    assert_eq!(spans, [(280, 11, 1), (220, 60, 0), (160, 60, 0), (100, 60, 1)]);
    assert_eq!(store.bucket(4), Err(NoPeriod::NotYet { last: 3 }));
}

#[test]
fn a_jump_of_over_an_hour_rotates_as_many_periods_as_are_kept() {
    let store = store(3, false);
    feed(&store, &[100.0, 130.0, 1_000_000.0]);
    let live = bucket(&store, 0);
    assert_eq!(live.packets.time_jumps, 1);
    assert!(live.period.start_ts <= 1_000_000 && 1_000_000 < live.period.start_ts + 60);
    assert_eq!((live.period.start_ts - 100) % 60, 0, "periods stay on their grid");
    assert_eq!(bucket(&store, 1).period.start_ts, live.period.start_ts - 60);
    assert_eq!(span(&bucket(&store, 2)), (100, 31, 2), "what was before the jump is kept");
}

#[test]
fn a_period_closed_by_a_jump_keeps_its_true_length() {
    let store = store(4, false);
    feed(&store, &[100.0, 130.0, 3_800.0]);
    assert_eq!(span(&bucket(&store, 3)), (100, 31, 2));
}

#[test]
fn a_packet_from_the_past_counts_in_the_live_period() {
    let store = store(5, false);
    feed(&store, &[100.0, 170.0, 110.0]);
    assert_eq!(bucket(&store, 0).packets.total, 2);
    assert_eq!(bucket(&store, 0).packets.out_of_order, 1);
}

#[test]
fn numbers_beyond_the_ring_are_out_of_range_and_unfilled_ones_are_not_yet() {
    let store = store(5, false);
    feed(&store, &[100.0]);
    assert_eq!(store.bucket(5), Err(NoPeriod::OutOfRange { first: 0, last: 4 }));
    assert_eq!(store.bucket(1), Err(NoPeriod::NotYet { last: 0 }));
    assert_eq!(store.window(1), Err(NoPeriod::OutOfRange { first: 2, last: 5 }));
    assert_eq!(store.window(6), Err(NoPeriod::OutOfRange { first: 2, last: 5 }));
    assert_eq!(span(&store.window(5).unwrap()), (100, 1, 1));
}

#[test]
fn the_oldest_period_leaves_the_ring() {
    let store = store(2, false);
    feed(&store, &[100.0, 160.0, 220.0]);
    assert_eq!(bucket(&store, 1).period.start_ts, 160);
    assert_eq!(span(&store.window(2).unwrap()), (160, 61, 2));
}

#[test]
fn the_window_over_a_rotation_equals_the_summary_of_the_same_packets() {
    let times: Vec<f64> = (0..500).map(|n| 100.0 + f64::from(n) * 0.37).collect();
    let (split, whole) = (store(5, false), store(5, true));
    feed(&split, &times);
    feed(&whole, &times);
    assert_eq!(split.window(5).unwrap(), bucket(&whole, 0));
}

#[test]
fn the_ledger_includes_closed_periods() {
    let store = store(1, false);
    feed(&store, &[100.0, 200.0, 300.0]);
    assert_eq!(bucket(&store, 0).packets.total, 1);
    assert_eq!(store.ledger().counted, 3);
}

/// The ends of periods among those of all seconds, in a capture that begins at second 100.
fn period_ends(mut ends_s: Vec<u64>) -> Vec<u64> {
    ends_s.retain(|end_s| end_s % 60 == 100 % 60);
    ends_s.dedup();
    ends_s
}

#[test]
fn before_a_period_rotates_its_owner_gets_its_end() {
    let store = store(5, false);
    let mut batch = store.batch();
    let mut rotations = Vec::new();
    for second in [100, 150, 290] {
        batch.advance(second * S, |end_ns, _| rotations.push(end_ns / S));
    }
    assert_eq!(period_ends(rotations), [160, 220, 280]);
}

#[test]
fn quiet_periods_that_no_reader_can_see_are_closed_as_one() {
    let store = store(3, false);
    let mut rotations = Vec::new();
    let mut batch = store.batch();
    for second in [100, 3_130] {
        batch.advance(second * S, |end_ns, _| rotations.push(end_ns / S));
        batch.packet(&Class::default(), &PacketKeys::of(&Class::default(), Direction::Unknown), 60);
    }
    drop(batch);
    // Fifty periods are over, of which two are kept.
    // Seconds 2,860 and 2,920 are only among the last 301 seconds, each of which ends.
    assert!(rotations.len() <= 310);
    assert_eq!(period_ends(rotations), [2_860, 2_920, 2_980, 3_040, 3_100]);
    assert_eq!(store.rotations(), 50);
    assert_eq!([0, 1, 2].map(|n| span(&bucket(&store, n))), [(3_100, 31, 1), (3_040, 60, 0), (2_980, 60, 0)]);
    assert_eq!(store.ledger().counted, 2);
}

#[test]
fn the_last_packets_before_a_rotation_are_in_the_closed_period() {
    let store = store(5, false);
    let mut batch = store.batch();
    batch.advance(100 * S, |_, _| {});
    batch.recorder().udp_port(12_345);
    batch.advance(160 * S, |_, _| {});
    drop(batch);
    let ports = |n| bucket(&store, n).dns.top_udp_ports.len();
    assert_eq!((ports(1), ports(0)), (1, 0));
}

#[test]
fn a_capture_without_packets_has_one_empty_period() {
    let document = store(5, false).document();
    assert_eq!(document.keys().collect::<Vec<_>>(), ["5m"]);
    assert_eq!(span(&document["5m"]), (0, 0, 0));
}
