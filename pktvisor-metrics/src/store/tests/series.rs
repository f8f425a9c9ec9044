//! The last seconds, one by one.

use pktvisor_analysis::Transaction;
use pktvisor_analysis::message::MessageHead;
use pktvisor_analysis::transactions::TransactionCounts;

use super::*;

fn series(store: &Store) -> api::SecondSeries {
    store.series().series
}

/// The first second, and the packets to HOST of each.
fn received(store: &Store) -> (i64, Vec<u64>) {
    let series = series(store);
    (series.start_ts, series.packets.received)
}

/// A thread finds a transaction of this duration in which HOST was asked.
fn answered(store: &Store, thread: u32, duration_us: u64) {
    let duration_ns = Some(duration_us * 1000);
    let client = ClientSide::Remote;
    let transaction =
        Transaction { client, query_bytes: 30, response_bytes: 60, duration_ns, question: None };
    let mut recorder = store.recorder(thread);
    let keys = recorder.keys(recorder.end_keys(&ends()), &MessageHead::new(&[]));
    recorder.transaction(&transaction, &keys);
}

#[test]
fn every_full_second_has_an_entry_and_quiet_ones_have_zeros() {
    let store = store(5, false).with_series();
    assert_eq!(series(&store), api::SecondSeries { step_s: 1, ..Default::default() });
    feed(&store, &[100.1, 100.2, 100.9, 103.5, 104.0]);
    assert_eq!(received(&store), (100, vec![3, 0, 0, 1]));
    assert_eq!(series(&store).packets.bytes_in, [300, 0, 0, 100]);
    let series = series(&store);
    assert_eq!(series.xact.inbound.total, [0; 4]);
    assert_eq!(series.xact.inbound.p50_us, [None; 4]);
}

#[test]
fn the_end_of_a_capture_ends_its_last_second() {
    let store = store(5, false).with_series();
    feed(&store, &[100.1, 101.0, 101.5]);
    store.batch().finish();
    assert_eq!(received(&store), (100, vec![1, 2]));
}

#[test]
fn seconds_go_on_where_a_period_rotates() {
    for periods in [1, 2, 5] {
        let store = store(periods, false).with_series();
        feed(&store, &[100.0, 159.0, 159.5, 160.0, 160.1, 160.2, 161.0, 290.0, 291.0]);
        let (start_ts, received) = received(&store);
        assert_eq!((start_ts, received.len()), (100, 191));
        let expected = [(0, 1), (59, 2), (60, 3), (61, 1), (190, 1)];
        assert!(expected.iter().all(|&(second, packets)| received[second] == packets), "{received:?}");
        assert_eq!(received.iter().sum::<u64>(), 8);
    }
}

#[test]
fn the_last_300_seconds_are_kept() {
    let store = store(5, false).with_series();
    feed(&store, &(0..1_000).map(f64::from).collect::<Vec<_>>());
    assert_eq!(received(&store), (699, vec![1; 300]));
    // A quiet time that is longer, but no jump.
    feed(&store, &[3_000.0, 3_001.0]);
    let (start_ts, received) = received(&store);
    assert_eq!((start_ts, received.len(), received[299]), (2_701, 300, 1));
    assert_eq!(received.iter().sum::<u64>(), 1);
}

#[test]
fn seconds_before_a_jump_of_the_clock_are_forgotten() {
    for summary in [false, true] {
        let store = store(5, summary).with_series();
        feed(&store, &[100.0, 101.0, 1_000_000_000.0]);
        assert_eq!(received(&store), (0, vec![]));
        feed(&store, &[1_000_000_001.0, 1_000_000_003.0]);
        assert_eq!(received(&store), (1_000_000_000, vec![1, 1, 0]));
    }
}

#[test]
fn queries_time_out_in_the_quiet_second_in_which_their_time_is_over() {
    let store = store(5, false).with_series();
    let mut batch = store.batch();
    let timed_out = TransactionCounts { timed_out: 2, ..Default::default() };
    for second in [155, 180] {
        batch.advance(second * S, |end_ns, recorder| {
            if end_ns == 163 * S {
                recorder.transaction_counts(&timed_out);
            }
        });
    }
    drop(batch);
    let series = series(&store);
    let found = series.xact.timed_out.iter().position(|&count| count > 0).unwrap();
    assert_eq!((series.start_ts + found as i64, series.xact.timed_out[found]), (162, 2));
    assert_eq!(series.xact.timed_out.iter().sum::<u64>(), 2);
}

#[test]
fn the_times_of_a_second_are_those_of_its_transactions_alone() {
    let store = store(5, false).with_series();
    let mut second = 100;
    for times_us in [&[10, 20, 30, 40, 50][..], &[], &[200], &[1, 2, 3_000_000]] {
        feed(&store, &[f64::from(second)]);
        times_us.iter().for_each(|&time_us| answered(&store, 0, time_us));
        second += 1;
    }
    feed(&store, &[f64::from(second)]);
    let inbound = series(&store).xact.inbound;
    assert_eq!(inbound.total, [5, 0, 1, 3]);
    assert_eq!(inbound.p50_us, [Some(30), None, Some(200), Some(2)]);
    assert_eq!(inbound.p95_us[..3], [Some(50), None, Some(200)]);
    assert!(inbound.p95_us[3].unwrap().abs_diff(3_000_000) < 30_000, "{inbound:?}");
    assert_eq!(series(&store).xact.outbound.total, [0; 4]);
}

#[test]
fn a_second_of_several_threads_is_that_of_a_published_moment() {
    let store = live_store(120).with_series();
    store.share_among(2);
    let publish = |cut, now_s| {
        (0..2).for_each(|thread| store.cut(thread, cut));
        let mut batch = store.batch();
        batch.counted(&dns_packets(10, 0), 0);
        batch.publish();
        batch.tick(now_s * S);
    };
    answered(&store, 0, 10);
    answered(&store, 1, 30);
    answered(&store, 1, 50);
    publish(Cut::Whole, 121);
    // Not published.
    answered(&store, 0, 7);
    let first = series(&store);
    assert_eq!(
        (first.start_ts, &first.packets.received, &first.xact.inbound.total),
        (120, &vec![10], &vec![3])
    );
    assert_eq!(first.packets.received.last(), Some(&store.rates().packets.received));
    assert_eq!(bucket(&store, 0).dns.xact.inbound.total, 3);
    (122..180).for_each(|second| publish(Cut::Whole, second));
    answered(&store, 1, 80);
    publish(Cut::Period, 180);
    answered(&store, 0, 90);
    publish(Cut::Whole, 181);
    let inbound = series(&store).xact.inbound;
    let (mut total, mut p50_us) = (vec![0; 61], vec![None; 61]);
    for (second, count, time_us) in [(0, 3, 30), (1, 1, 7), (59, 1, 80), (60, 1, 90)] {
        (total[second], p50_us[second]) = (count, Some(time_us));
    }
    assert_eq!((inbound.total, inbound.p50_us), (total, p50_us));
    assert_eq!(series(&store).packets.received, [10; 61]);
}

#[test]
fn a_store_without_a_server_keeps_no_seconds() {
    let store = store(5, false);
    feed(&store, &[100.0, 101.0, 102.0]);
    assert_eq!(received(&store), (0, vec![]));
}
