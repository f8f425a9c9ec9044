//! Packets per second.

use super::*;
use crate::PacketKeys;

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
fn rates_are_split_where_a_period_rotates() {
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
        batch.packet(&Class::default(), &PacketKeys::of(&Class::default(), Direction::Unknown), 60);
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
