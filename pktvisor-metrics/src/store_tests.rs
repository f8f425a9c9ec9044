use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{Flow, Observer, Outcome, Transport};
use pktvisor_common::classify::Class;
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;

use super::*;
use crate::settings::Clock;

const S: u64 = 1_000_000_000;

fn store(periods: usize, summary: bool) -> Store {
    Store::new(StoreSettings { periods, summary, name_cut: NameCut::Labels, clock: Clock::Packets })
}

/// Counts a packet to HOST at each of these times, in seconds.
fn feed(store: &Store, times_s: &[f64]) {
    let mut batch = store.batch();
    let mut class = Class { ip_version: 4, ..Class::default() };
    for time_s in times_s {
        class.source[3] = class.source[3].wrapping_add(1);
        batch.advance((time_s * S as f64) as u64, |_, _| {});
        batch.packet(&class, Direction::Received, 100);
    }
}

fn bucket(store: &Store, n: usize) -> api::Period {
    store.bucket(n).unwrap()
}

fn span(period: &api::Period) -> (i64, i64, u64) {
    (period.period.start_ts, period.period.length, period.packets.total)
}

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
fn a_jump_of_over_an_hour_turns_as_many_periods_as_are_kept() {
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
fn rates_are_those_of_whole_seconds_with_zeros_and_without_the_live_one() {
    let store = store(5, false);
    // Seconds 100 to 103 count 3, 0, 0, 1; second 104 is live.
    feed(&store, &[100.1, 100.2, 100.9, 103.5, 104.0, 104.1]);
    let rates = bucket(&store, 0).packets.rates;
    let received = rates.pps_in.unwrap();
    assert_eq!((received.p50, received.p90), (1, 3));
    assert_eq!(rates.pps_out, Some(api::Quantiles::default()));
    assert_eq!(store.rates().packets.received, 1);
}

#[test]
fn rates_are_split_where_a_period_turns() {
    let store = store(5, false);
    feed(&store, &[100.0, 161.0, 162.0]);
    let closed = bucket(&store, 1).packets.rates.pps_in.unwrap();
    // One second with a packet, 59 without.
    assert_eq!((closed.p50, closed.p95, closed.p99), (0, 0, 1));
    // Second 160 without, 161 with a packet; 162 is live.
    assert_eq!(bucket(&store, 0).packets.rates.pps_in.unwrap().p50, 1);
}

#[test]
fn rates_are_left_out_where_no_packet_has_a_direction() {
    let store = store(5, false);
    let mut batch = store.batch();
    for second in [100, 101, 102] {
        batch.advance(second * S, |_, _| {});
        batch.packet(&Class::default(), Direction::Unknown, 60);
    }
    drop(batch);
    assert!(bucket(&store, 0).packets.rates.is_empty());
}

#[test]
fn a_jump_adds_no_zeros_to_the_rates() {
    let store = store(5, true);
    feed(&store, &[100.0, 100_000.0, 100_001.0]);
    let received = bucket(&store, 0).packets.rates.pps_in.unwrap();
    assert_eq!((received.p50, received.p99), (1, 1));
}

#[test]
fn the_window_over_a_turn_equals_the_summary_of_the_same_packets() {
    let times: Vec<f64> = (0..500).map(|n| 100.0 + f64::from(n) * 0.37).collect();
    let (split, whole) = (store(5, false), store(5, true));
    feed(&split, &times);
    feed(&whole, &times);
    assert_eq!(split.window(5).unwrap(), bucket(&whole, 0));
}

#[test]
fn the_ledger_counts_what_closed_periods_counted() {
    let store = store(1, false);
    feed(&store, &[100.0, 200.0, 300.0]);
    assert_eq!(bucket(&store, 0).packets.total, 1);
    assert_eq!(store.ledger().counted, 3);
}

#[test]
fn before_a_period_turns_its_owner_is_told_when() {
    let store = store(5, false);
    let mut batch = store.batch();
    let mut rotations = Vec::new();
    for second in [100, 150, 290] {
        batch.advance(second * S, |end_ns, _| rotations.push(end_ns / S));
    }
    assert_eq!(rotations, [160, 220, 280]);
}

#[test]
fn quiet_periods_that_nobody_can_see_are_closed_as_one() {
    let store = store(3, false);
    let mut rotations = Vec::new();
    let mut batch = store.batch();
    for second in [100, 3_130] {
        batch.advance(second * S, |end_ns, _| rotations.push(end_ns / S));
        batch.packet(&Class::default(), Direction::Unknown, 60);
    }
    drop(batch);
    // Fifty periods are over, of which two are kept.
    assert_eq!(rotations, [2_980, 3_040, 3_100]);
    assert_eq!(store.rotations(), 50);
    assert_eq!([0, 1, 2].map(|n| span(&bucket(&store, n))), [(3_100, 31, 1), (3_040, 60, 0), (2_980, 60, 0)]);
    assert_eq!(store.ledger().counted, 2);
}

#[test]
fn what_was_counted_last_before_a_turn_is_in_the_closed_period() {
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

/// A store on the wall clock, which first ticks at this second.
fn live_store(start_s: u64) -> Store {
    let settings =
        StoreSettings { periods: 5, summary: false, name_cut: NameCut::Labels, clock: Clock::Wall };
    let store = Store::new(settings);
    store.batch().tick(start_s * S);
    store
}

/// Counters of this many DNS packets to HOST.
fn dns_packets(count: u64, not_chosen: u64) -> Counters {
    let mut counters = Counters::default();
    counters.packets.received = count;
    counters.packets.dns_packets = count;
    counters.packets.dns_not_chosen = not_chosen;
    counters
}

#[test]
fn by_the_wall_clock_a_quiet_period_is_as_long_as_it_is_old() {
    let store = live_store(120);
    assert_eq!(span(&bucket(&store, 0)), (120, 0, 0));
    store.batch().tick(127 * S + 5);
    assert_eq!(span(&bucket(&store, 0)), (120, 7, 0));
    assert!(!store.batch().rotates_at(180 * S - 1) && store.batch().rotates_at(180 * S));
    store.batch().tick(180 * S);
    assert_eq!((span(&bucket(&store, 0)), span(&bucket(&store, 1))), ((180, 0, 0), (120, 60, 0)));
}

#[test]
fn live_periods_rotate_on_the_full_minute_and_the_first_is_as_short_as_it_was() {
    let store = live_store(100);
    assert!(!store.batch().rotates_at(120 * S - 1) && store.batch().rotates_at(120 * S));
    for second in 101..=185 {
        store.batch().tick(second * S);
    }
    let spans: Vec<_> = (0..3).map(|n| span(&bucket(&store, n))).collect();
    assert_eq!(spans, [(180, 5, 0), (120, 60, 0), (100, 20, 0)]);
    assert_eq!(span(&store.window(2).unwrap()), (120, 65, 0));
    assert_eq!(span(&store.window(3).unwrap()), (100, 85, 0));
}

#[test]
fn a_live_capture_that_was_suspended_goes_on_on_the_full_minute() {
    // Ten minutes without a tick; the ring holds five periods.
    let store = live_store(100);
    store.batch().tick(700 * S);
    let spans: Vec<_> = (0..5).map(|n| span(&bucket(&store, n))).collect();
    assert_eq!(spans, [(660, 40, 0), (600, 60, 0), (540, 60, 0), (480, 60, 0), (420, 60, 0)]);
    assert_eq!(store.rotations(), 10);
    // More than an hour is a jump of the clock.
    let store = live_store(100);
    store.batch().tick(10_000 * S);
    let spans: Vec<_> = (0..5).map(|n| span(&bucket(&store, n))).collect();
    assert_eq!(spans, [(9_960, 40, 0), (9_900, 60, 0), (9_840, 60, 0), (9_780, 60, 0), (100, 1, 0)]);
}

#[test]
fn by_the_wall_clock_packets_do_not_move_time() {
    let store = live_store(100);
    feed(&store, &[99.0, 500.0]);
    assert_eq!(span(&bucket(&store, 0)), (100, 0, 2));
    assert_eq!(bucket(&store, 0).packets.out_of_order, 0);
}

#[test]
fn a_wall_clock_that_is_set_back_stands_until_it_catches_up() {
    let store = live_store(100);
    store.batch().tick(90 * S);
    assert_eq!(span(&bucket(&store, 0)), (100, 0, 0));
    store.batch().tick(101 * S);
    assert_eq!(span(&bucket(&store, 0)), (100, 1, 0));
}

#[test]
fn what_was_counted_before_a_tick_is_a_rate_of_the_second_before() {
    let store = live_store(100);
    store.batch().counted(&dns_packets(30, 0), 0);
    store.batch().tick(101 * S);
    store.batch().tick(102 * S);
    let rates = bucket(&store, 0).packets.rates.pps_in.unwrap();
    assert_eq!((rates.p50, rates.p99), (30, 30));
    assert_eq!(store.rates().packets.received, 0);
}

/// A store where the kernel counts and so many threads analyse, before anything has happened.
fn kernel_store(threads: u32) -> Store {
    let store = live_store(120);
    store.share_among(threads);
    store.batch().publish();
    store
}

/// Counters of this many UDP messages of DNS, all of them responses.
fn replies(count: u64) -> Counters {
    let mut counters = dns_packets(count, 0);
    (counters.dns.replies, counters.dns.udp) = (count, count);
    counters
}

/// A thread has analysed this many responses.
fn analysed(store: &Store, thread: u32, count: u64) {
    let mut recorder = store.recorder(thread);
    recorder.outcome(Outcome::Analysed, count);
    let message = [0, 1, 0x80, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
    let mut name = pktvisor_analysis::name::Name::default();
    let mut head = pktvisor_analysis::message::MessageHead::parse(&message, &mut name).unwrap();
    let (keys, message) = (recorder.keys(&head), head.parse_rest(false));
    let flow = Flow::of(&Class { ip_version: 4, ..Class::default() }, Transport::Udp);
    (0..count).for_each(|_| recorder.message(&flow, message, keys));
}

/// Publishes what was counted, a second later.
fn published(store: &Store, counters: &Counters, lost: u64, now_s: u64) {
    let mut batch = store.batch();
    batch.counted(counters, lost);
    batch.publish();
    batch.tick(now_s * S);
}

/// Analysed and counted responses.
fn of_one_moment(period: &api::Period) -> (u64, u64) {
    assert!(period.sampling.rate <= 1.0);
    let lower: u64 = period.dns.top_rcode.iter().filter_map(|entry| entry.lower).sum();
    assert!(lower <= period.dns.wire_packets.replies);
    assert!(period.dns.top_rcode.iter().all(|entry| entry.scaled >= entry.lower));
    (lower, period.dns.wire_packets.replies)
}

#[test]
fn what_is_analysed_before_its_counters_are_read_is_not_seen_before_them() {
    let store = kernel_store(2);
    analysed(&store, 0, 30);
    store.cut(0, Cut::Epoch);
    store.cut(1, Cut::Epoch);
    assert_eq!(of_one_moment(&bucket(&store, 0)), (0, 0));
    published(&store, &replies(30), 0, 121);
    // Of the second that has just begun.
    analysed(&store, 0, 5);
    analysed(&store, 1, 6);
    assert_eq!(of_one_moment(&bucket(&store, 0)), (30, 30));
    assert_eq!(store.ledger().pending, 0);
    assert_eq!(store.moments(), Some(2));
}

#[test]
fn late_analysis_belongs_to_the_period_in_which_its_packets_were_counted() {
    let store = kernel_store(2);
    analysed(&store, 0, 10);
    store.cut(0, Cut::Period);
    // This thread is already in the next period while the other one is behind.
    analysed(&store, 0, 7);
    analysed(&store, 1, 20);
    store.cut(1, Cut::Period);
    published(&store, &replies(30), 0, 180);
    assert_eq!(of_one_moment(&bucket(&store, 1)), (30, 30));
    assert_eq!(of_one_moment(&bucket(&store, 0)), (0, 0));
    store.cut(0, Cut::Epoch);
    store.cut(1, Cut::Epoch);
    published(&store, &replies(7), 0, 181);
    assert_eq!(of_one_moment(&bucket(&store, 0)), (7, 7));
    assert_eq!(of_one_moment(&store.window(2).unwrap()), (37, 37));
    assert_eq!((store.ledger().delivered, store.ledger().pending), (37, 0));
}

#[test]
fn the_ledger_balances_with_what_is_still_on_its_way() {
    let store = kernel_store(1);
    analysed(&store, 0, 20);
    published(&store, &dns_packets(100, 40), 7, 121);
    let ledger = store.ledger();
    assert_eq!((ledger.dns_packets, ledger.not_chosen, ledger.lost), (100, 40, 7));
    assert_eq!((ledger.delivered, ledger.pending), (0, 53));
    assert_eq!(bucket(&store, 0).packets.deep_samples, 100 - 40 - 7);
    store.cut(0, Cut::Epoch);
    published(&store, &dns_packets(0, 0), 0, 122);
    let ledger = store.ledger();
    assert_eq!((ledger.delivered, ledger.analysed, ledger.pending), (20, 20, 33));
}

#[test]
fn what_several_threads_record_is_one_period() {
    let store = kernel_store(3);
    let count = |thread, packets| {
        let mut recorder = store.recorder(thread);
        recorder.outcome(Outcome::Malformed, packets);
        (0..packets).for_each(|_| recorder.malformed());
    };
    let cut = |cut| (0..3).for_each(|thread| store.cut(thread, cut));
    (0..3).for_each(|thread| count(thread, 10));
    (0..3).for_each(|thread| store.recorder(thread).udp_port(1000 + thread as u16));
    cut(Cut::Epoch);
    published(&store, &dns_packets(30, 0), 0, 121);
    assert_eq!(bucket(&store, 0).dns.wire_packets.malformed, 30);
    assert_eq!(bucket(&store, 0).dns.top_udp_ports.len(), 3);
    cut(Cut::Period);
    published(&store, &dns_packets(0, 0), 0, 180);
    count(2, 5);
    cut(Cut::Epoch);
    published(&store, &dns_packets(5, 0), 0, 181);
    assert_eq!(span(&bucket(&store, 1)), (120, 60, 30));
    let malformed: Vec<_> = (0..2).map(|n| bucket(&store, n).dns.wire_packets.malformed).collect();
    assert_eq!(malformed, [5, 30]);
    assert_eq!(store.window(2).unwrap().dns.wire_packets.malformed, 35);
    let ledger = store.ledger();
    assert_eq!((ledger.malformed, ledger.pending), (35, 0));
}

#[test]
fn messages_of_all_threads_are_in_the_last_second() {
    let store = kernel_store(2);
    let flow = Flow::of(&Class { ip_version: 4, ..Class::default() }, Transport::Tcp);
    (0..2).for_each(|thread| store.recorder(thread).reassembled(&flow, 0, false));
    (0..2).for_each(|thread| store.cut(thread, Cut::Epoch));
    published(&store, &Counters::default(), 0, 121);
    assert_eq!(store.rates().packets.dns_queries, 2);
}
