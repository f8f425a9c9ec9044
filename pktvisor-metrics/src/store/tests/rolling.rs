//! The last seconds in the shape of a period.

use crate::PacketKeys;
use std::sync::Arc;

use super::*;
use crate::listed::ListLength;
use crate::rolling::RollingSpan;
use crate::shares::Cut;

fn rolling(store: &Store, seconds: u64) -> api::Period {
    store.rolling(ListLength::DEFAULT, RollingSpan::new(seconds).unwrap())
}

/// Feeds a packet in each of these seconds, to a store whose last seconds somebody reads.
fn fed_while_read(seconds: impl Iterator<Item = u64>) -> Store {
    let store = store(5, false);
    rolling(&store, 10);
    let times: Vec<_> = seconds.map(|second| second as f64 + 0.5).collect();
    feed(&store, &times);
    store
}

#[test]
fn a_span_is_10_to_60_seconds_in_steps_of_10() {
    let valid: Vec<_> = (0..100).filter_map(RollingSpan::new).map(RollingSpan::seconds).collect();
    assert_eq!(valid, [10, 20, 30, 40, 50, 60]);
}

#[test]
fn the_last_seconds_begin_at_the_newest_slot_that_is_old_enough() {
    let store = fed_while_read(100..155);
    // The live period began at 100, and second 154 is not over.
    for (seconds, expected) in
        [(10, (140, 15, 15)), (20, (130, 25, 25)), (50, (100, 55, 55)), (60, (100, 55, 55))]
    {
        assert_eq!(span(&rolling(&store, seconds)), expected, "{seconds}");
    }
    feed(&store, &[159.5]);
    assert_eq!(span(&rolling(&store, 10)), (150, 10, 6));
}

#[test]
fn the_last_seconds_reach_into_the_period_before() {
    let store = fed_while_read(103..185);
    assert_eq!(bucket(&store, 0).period.start_ts, 163);
    for (seconds, expected) in [(10, (170, 15, 15)), (30, (150, 35, 35)), (60, (120, 65, 65))] {
        let period = rolling(&store, seconds);
        assert_eq!(span(&period), expected, "{seconds}");
        assert_eq!(period.packets.top_ipv4.len(), 10);
    }
}

#[test]
fn a_first_reader_gets_the_seconds_since_a_period_began() {
    let store = store(5, false);
    let times: Vec<_> = (100..185).map(f64::from).collect();
    feed(&store, &times);
    assert_eq!(span(&rolling(&store, 10)), (160, 25, 25));
    assert_eq!(span(&rolling(&store, 30)), (100, 85, 85));
    assert_eq!(span(&rolling(&store, 60)), (100, 85, 85));
}

#[test]
fn nothing_is_kept_unless_somebody_reads_the_last_seconds() {
    let store = store(5, false);
    feed(&store, &(100..155).map(f64::from).collect::<Vec<_>>());
    bucket(&store, 0);
    assert!(store.live.lock().rolling.read().is_empty());
    feed(&store, &(155..175).map(f64::from).collect::<Vec<_>>());
    assert_eq!(store.live.lock().rolling.read().len(), 2);
}

#[test]
fn quiet_seconds_are_part_of_the_last_seconds() {
    let store = fed_while_read(100..125);
    feed(&store, &[290.5]);
    assert_eq!(span(&rolling(&store, 10)), (280, 11, 1));
    assert_eq!(span(&rolling(&store, 60)), (230, 61, 1));
    let store = fed_while_read(100..125);
    feed(&store, &[158.5]);
    assert_eq!(span(&rolling(&store, 20)), (130, 29, 1));
    assert_eq!(span(&rolling(&store, 40)), (110, 49, 16));
}

#[test]
fn a_jump_of_the_clock_ends_the_last_seconds() {
    let store = fed_while_read(100..155);
    feed(&store, &[1_000_000.5]);
    let (start, length, packets) = span(&rolling(&store, 10));
    assert_eq!((start + length, packets), (1_000_001, 1));
}

#[test]
fn one_period_for_everything_has_last_seconds_too() {
    let store = store(1, true);
    rolling(&store, 10);
    feed(&store, &(100..500).map(f64::from).collect::<Vec<_>>());
    assert_eq!(span(&rolling(&store, 60)), (440, 60, 60));
}

#[test]
fn without_the_period_before_the_last_seconds_are_those_of_the_live_one() {
    let store = store(1, false);
    rolling(&store, 10);
    feed(&store, &(100..185).map(f64::from).collect::<Vec<_>>());
    assert_eq!(span(&rolling(&store, 60)), (160, 25, 25));
}

#[test]
fn counts_and_lists_are_those_of_the_last_seconds_alone() {
    // The same client in every second, and another one in each.
    let store = store(5, false);
    rolling(&store, 10);
    for second in 100..190_u64 {
        let mut batch = store.batch();
        batch.advance(second * S + 1, |_, _| {});
        for (last, count) in [(1, 3), (second as u8, 2)] {
            let mut class = Class { ip_version: Some(IpVersion::V4), ..Class::default() };
            class.source[3] = last;
            (0..count).for_each(|_| batch.packet(&class, &PacketKeys::of(&class, Direction::Received), 100));
        }
    }
    let period = rolling(&store, 20);
    assert_eq!(span(&period), (170, 20, 100));
    let top = &period.packets.top_ipv4;
    assert_eq!((top[0].name.as_str(), top[0].estimate, top[0].upper), ("0.0.0.1", 60, Some(60)));
    assert!(top[1..].iter().all(|entry| (entry.estimate, entry.upper) == (2, Some(2))));
    assert_eq!(period.packets.bytes_in, 10_000);
    assert_eq!(period.packets.cardinality.src_ips_in, 0, "distinct counts cannot be subtracted");
    // Since the period began they can be counted.
    assert_eq!(rolling(&store, 30).packets.cardinality.src_ips_in, 31);
}

#[test]
fn the_findings_of_worker_threads_are_in_the_last_seconds() {
    let store = live_store(120);
    store.share_among(2);
    rolling(&store, 10);
    let second = |second: u64| {
        for thread in 0..2 {
            (0..10).for_each(|_| store.recorder(thread).malformed());
            store.recorder(thread).udp_port(1000 + thread as u16);
            store.cut(thread, if second.is_multiple_of(60) { Cut::Period } else { store.wanted_cut() });
        }
        let mut batch = store.batch();
        batch.counted(&dns_packets(20, 0), 0);
        batch.publish();
        batch.tick(second * S);
    };
    (121..=157).for_each(second);
    for (seconds, (start, length)) in [(10, (140, 17)), (20, (130, 27)), (60, (120, 37))] {
        let period = rolling(&store, seconds);
        assert_eq!(span(&period), (start, length, 20 * length as u64));
        assert_eq!(period.dns.wire_packets.malformed, 20 * length as u64);
        let ports: Vec<_> = period.dns.top_udp_ports.iter().map(|port| port.estimate).collect();
        assert_eq!(ports, [length as u64; 2]);
    }
    (158..=195).for_each(second);
    let period = rolling(&store, 40);
    assert_eq!(span(&period), (150, 45, 900));
    assert_eq!(period.dns.wire_packets.malformed, 900);
}

#[test]
fn only_the_seconds_that_end_a_slot_need_the_lists_of_worker_threads() {
    let store = Arc::new(live_store(120));
    store.share_among(1);
    store.live.lock().rolling.read();
    let cuts: Vec<_> = (121..141)
        .filter(|second| {
            let cut = store.wanted_cut();
            store.cut(0, cut);
            let mut batch = store.batch();
            batch.publish();
            batch.tick(second * S);
            cut == Cut::Whole
        })
        .collect();
    assert_eq!(cuts, [129, 130, 139, 140]);
    assert_eq!(store.live.lock().rolling.read().len(), 2);
}
