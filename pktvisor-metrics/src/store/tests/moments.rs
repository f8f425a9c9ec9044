//! Moments: counters of the kernel with the analysis of the same packets.

use super::*;

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
    let mut head = pktvisor_analysis::message::MessageHead::new(&message);
    head.parse(&mut name).unwrap();
    let (keys, message) =
        (recorder.keys(recorder.end_keys(&ends()), &head), head.parse_rest(Captured::Whole));
    let flow =
        Flow::of(&Class { ip_version: Some(IpVersion::V4), ..Class::default() }, Transport::Udp).unwrap();
    (0..count).for_each(|_| recorder.message(&flow, message, &keys));
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
fn analysis_is_not_visible_before_the_counters_of_its_packets() {
    let store = kernel_store(2);
    analysed(&store, 0, 30);
    store.cut(0, Cut::Whole);
    store.cut(1, Cut::Whole);
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
    store.cut(0, Cut::Whole);
    store.cut(1, Cut::Whole);
    published(&store, &replies(7), 0, 181);
    assert_eq!(of_one_moment(&bucket(&store, 0)), (7, 7));
    assert_eq!(of_one_moment(&store.window(2).unwrap()), (37, 37));
    assert_eq!((store.ledger().delivered, store.ledger().pending), (37, 0));
}

#[test]
fn the_ledger_balances_with_packets_on_their_way() {
    let store = kernel_store(1);
    analysed(&store, 0, 20);
    published(&store, &dns_packets(100, 40), 7, 121);
    let ledger = store.ledger();
    assert_eq!((ledger.dns_packets, ledger.not_chosen, ledger.lost), (100, 40, 7));
    assert_eq!((ledger.delivered, ledger.pending), (0, 53));
    assert_eq!(bucket(&store, 0).packets.deep_samples, 100 - 40 - 7);
    store.cut(0, Cut::Whole);
    published(&store, &dns_packets(0, 0), 0, 122);
    let ledger = store.ledger();
    assert_eq!((ledger.delivered, ledger.analysed, ledger.pending), (20, 20, 33));
}

#[test]
fn the_records_of_several_threads_are_one_period() {
    let store = kernel_store(3);
    let count = |thread, packets| {
        let mut recorder = store.recorder(thread);
        recorder.outcome(Outcome::Malformed, packets);
        (0..packets).for_each(|_| recorder.malformed());
    };
    let cut = |cut| (0..3).for_each(|thread| store.cut(thread, cut));
    (0..3).for_each(|thread| count(thread, 10));
    (0..3).for_each(|thread| store.recorder(thread).udp_port(1000 + thread as u16));
    cut(Cut::Whole);
    published(&store, &dns_packets(30, 0), 0, 121);
    assert_eq!(bucket(&store, 0).dns.wire_packets.malformed, 30);
    assert_eq!(bucket(&store, 0).dns.top_udp_ports.len(), 3);
    cut(Cut::Period);
    published(&store, &dns_packets(0, 0), 0, 180);
    count(2, 5);
    cut(Cut::Whole);
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
    let flow =
        Flow::of(&Class { ip_version: Some(IpVersion::V4), ..Class::default() }, Transport::Tcp).unwrap();
    (0..2).for_each(|thread| store.recorder(thread).reassembled(&flow, 0, Captured::Whole));
    (0..2).for_each(|thread| store.cut(thread, Cut::Whole));
    published(&store, &Counters::default(), 0, 121);
    assert_eq!(store.rates().packets.dns_queries, 2);
}

#[test]
fn lists_are_copied_only_while_somebody_reads_them() {
    let store = kernel_store(1);
    assert_eq!(store.wanted_cut(), Cut::Numbers);
    analysed(&store, 0, 10);
    store.cut(0, store.wanted_cut());
    published(&store, &replies(10), 0, 121);
    assert_eq!((store.ledger().analysed, store.ledger().pending), (10, 0));
    assert_eq!(store.since_start().period.sampling.messages, 10);
    assert_eq!(store.wanted_cut(), Cut::Numbers, "numbers were read, no lists");
    bucket(&store, 0);
    assert_eq!(store.wanted_cut(), Cut::Whole);
}

#[test]
fn the_first_reader_of_lists_gets_a_moment_of_its_own() {
    let store = Arc::new(kernel_store(1));
    let (request, requested) = std::sync::mpsc::channel();
    store.request_lists_by(move || request.send(()).unwrap());
    analysed(&store, 0, 10);
    store.cut(0, Cut::Numbers);
    published(&store, &replies(10), 0, 121);
    analysed(&store, 0, 5);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| of_one_moment(&bucket(&store, 0)));
        requested.recv().unwrap();
        assert_eq!(store.wanted_cut(), Cut::Whole);
        store.cut(0, store.wanted_cut());
        published(&store, &replies(5), 0, 121);
        assert_eq!(reader.join().unwrap(), (15, 15));
    });
    assert_eq!(of_one_moment(&bucket(&store, 0)), (15, 15));
    assert!(requested.try_recv().is_err(), "the second reader reads the same moment");
}

#[test]
fn lists_of_a_period_are_whole_although_nobody_read_them() {
    let store = kernel_store(2);
    analysed(&store, 0, 10);
    analysed(&store, 1, 3);
    (0..2).for_each(|thread| store.cut(thread, Cut::Numbers));
    published(&store, &replies(13), 0, 121);
    (0..2).for_each(|thread| store.cut(thread, Cut::Period));
    published(&store, &replies(0), 0, 180);
    assert_eq!(of_one_moment(&bucket(&store, 1)), (13, 13));
}
