//! Periods of a live capture, which follow the wall clock.

use super::*;

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
fn counts_before_a_tick_are_rates_of_the_previous_second() {
    let store = live_store(100);
    store.batch().counted(&dns_packets(30, 0), 0);
    store.batch().tick(101 * S);
    store.batch().tick(102 * S);
    let rates = bucket(&store, 0).packets.rates.pps_in.unwrap();
    assert_eq!((rates.p50, rates.p99), (30, 30));
    assert_eq!(store.rates().packets.received, 0);
}
