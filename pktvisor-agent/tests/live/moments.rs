//! One document is one moment: its counters and its analysis cover the same packets at any time.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dns_traffic::Config;
use pktvisor_api::{Period, SecondSeries, TopEntry};

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::network::Network;
use crate::traffic::{GENERATED_HOST, REAL_TIME, Trace, one_second};

/// Longer than a period, so that one ends during the test.
const SECONDS: u32 = 66;
const PACKETS_PER_SECOND: u32 = 3_000;

fn lower(list: &[TopEntry]) -> u64 {
    list.iter().filter_map(|entry| entry.lower).sum()
}

/// What must be true of every period or window at any time.
fn assert_of_one_moment(what: &str, period: &Period) {
    let (dns, wire) = (&period.dns, &period.dns.wire_packets);
    assert!(
        period.sampling.rate <= 1.0 && period.sampling.messages <= wire.total,
        "{what}: {:?}",
        period.sampling
    );
    assert!(lower(&dns.top_rcode) <= wire.replies, "{what}: {:?}, {wire:?}", dns.top_rcode);
    assert!(lower(&dns.top_qtype) <= wire.total, "{what}: {:?}, {wire:?}", dns.top_qtype);
    for list in [&dns.top_rcode, &dns.top_qtype, &dns.top_qname2, &dns.top_qname3, &dns.top_udp_ports] {
        assert!(list.iter().all(|entry| entry.scaled >= entry.lower), "{what}: {list:?}");
    }
    for (code, counted) in [("NOERROR", wire.noerror), ("NXDOMAIN", wire.nxdomain), ("REFUSED", wire.refused)]
    {
        let listed = dns.top_rcode.iter().find(|entry| entry.name == code).map_or(0, |entry| entry.estimate);
        assert!(listed <= counted, "{what}: {code} {listed} of {counted}");
    }
    let xact = &dns.xact;
    assert!(xact.inbound.total + xact.outbound.total <= xact.counts.total, "{what}: {xact:?}");
    assert!(xact.counts.total <= wire.replies, "{what}: {xact:?}, {wire:?}");
}

fn assert_always_of_one_moment(mode: &str, threads: &str) {
    let packets = u64::from(SECONDS * PACKETS_PER_SECOND);
    let trace = Trace::generated(Config {
        packets,
        rate: f64::from(PACKETS_PER_SECOND),
        dns_share: 0.9,
        ..one_second()
    });
    let network = Network::mirror(1);
    let words = ["--mode", mode, "--threads", threads, "-H", GENERATED_HOST, network.interface().name()];
    let agent = Agent::start(&network.watched, &words);
    let mut whole = 0;
    thread::scope(|scope| {
        let sending = scope.spawn(|| trace.send(network.peer(), 1, REAL_TIME));
        let began = Instant::now();
        while !sending.is_finished() {
            for n in 0..2 {
                let Some(period) = agent.bucket(n) else { continue };
                assert_of_one_moment(&format!("bucket {n} after {:?}", began.elapsed()), &period);
                whole += u32::from(period.sampling.rate == 1.0 && period.sampling.messages > 0);
            }
            let window = agent.period();
            assert_of_one_moment(&format!("window after {:?}", began.elapsed()), &window);
            assert_balanced(&agent.app().app.ledger.unwrap());
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert!(whole > 100, "hardly ever was all that was counted analysed: {whole}");
    let closed = agent.bucket(1).expect("a period has ended");
    assert_eq!(closed.sampling.messages, closed.dns.wire_packets.total, "all belongs to its period");
    let settled = agent.settled(trace.packets);
    assert_eq!(settled.ledger().pending, 0);
    assert_eq!(settled.period.sampling.rate, 1.0);
    assert_seconds_sum_up_to(&agent.series(), &settled.period);
}

/// The seconds are those of all periods so far, and hold the traffic at its rate.
fn assert_seconds_sum_up_to(series: &SecondSeries, window: &Period) {
    let sum = |column: &[u64]| column.iter().sum::<u64>();
    let (packets, dns, xact) = (&series.packets, &series.dns, &series.xact);
    assert_eq!([sum(&packets.received), sum(&packets.sent)], [window.packets.received, window.packets.sent]);
    let wire = &window.dns.wire_packets;
    assert_eq!([sum(&dns.queries), sum(&dns.replies)], [wire.queries, wire.replies]);
    let of_window = &window.dns.xact;
    assert_eq!(
        [sum(&xact.inbound.total), sum(&xact.outbound.total), sum(&xact.timed_out)],
        [of_window.inbound.total, of_window.outbound.total, of_window.counts.timed_out]
    );
    let busy = packets.received.iter().zip(&packets.sent).filter(|(received, sent)| *received + *sent > 0);
    assert!(busy.count() >= SECONDS as usize, "{packets:?}");
}

#[test]
fn inline_a_document_describes_one_moment_even_when_a_period_ends() {
    require_kernel_programs!();
    assert_always_of_one_moment("inline", "2");
}

#[test]
fn in_tap_mode_a_document_describes_one_moment_even_when_a_period_ends() {
    require_kernel_programs!();
    assert_always_of_one_moment("tap", "1");
}

/// Waits for the next minute if less than this is left of the current one, with which live periods
/// end.
fn wait_for_room_in_the_minute(needed: Duration) {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let left = Duration::from_secs(60 - since_1970.as_secs() % 60);
    if left < needed {
        thread::sleep(left);
    }
}

#[test]
fn two_answers_of_one_second_describe_the_same_moment() {
    require_kernel_programs!();
    let trace = Trace::generated(Config { packets: 30_000, ..one_second() });
    // In the first period the window is the live period.
    wait_for_room_in_the_minute(Duration::from_secs(40));
    let network = Network::mirror(1);
    let agent = Agent::start(
        &network.watched,
        &["--mode", "inline", "-H", GENERATED_HOST, network.interface().name()],
    );
    thread::scope(|scope| {
        let sending = scope.spawn(|| trace.send(network.peer(), 1, REAL_TIME));
        let (mut same, mut different) = (0, 0);
        while !sending.is_finished() {
            let (first, window, again) = (agent.bucket(0).unwrap(), agent.period(), agent.bucket(0).unwrap());
            if first == again && first.packets.total == window.packets.total {
                assert_eq!(first.dns.top_rcode, window.dns.top_rcode);
                same += 1;
            } else {
                different += 1;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Two of three reads may be on both sides of the end of a second.
        assert!(same > 5 * different, "{same} the same, {different} different");
    });
}
