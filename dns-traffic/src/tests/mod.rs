//! The promises of the generator: stability, consistency, and an answer that agrees with the bytes.

mod recount;

use std::collections::HashMap;

use super::*;
use recount::Recount;

fn small() -> Config {
    Config { packets: 20_000, rate: 200.0, names: 2_000, clients: 1_000, ..Config::default() }
}

fn hostile() -> Config {
    Config {
        random_subdomains: 0.3,
        random_sources: 0.2,
        malformed: 0.05,
        fragments: 0.1,
        vlan: true,
        split_tcp: true,
        reorder: 0.3,
        duplicate_segments: 0.2,
        ..small()
    }
}

/// FNV-1a over time stamps and bytes.
fn fingerprint(config: Config) -> u64 {
    let mut generator = Generator::new(config).unwrap();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while let Some(packet) = generator.next_packet() {
        for byte in packet.timestamp_ns.to_le_bytes().iter().chain(packet.data) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn the_same_seed_gives_the_same_packets_and_another_seed_others() {
    assert_eq!(fingerprint(small()), fingerprint(small()));
    assert_ne!(fingerprint(small()), fingerprint(Config { seed: 2, ..small() }));
}

/// If a change should change the packets, put the new number here and generate captures/ again.
#[test]
fn the_packets_of_a_seed_never_change() {
    assert_eq!(fingerprint(hostile()), 0x07ff_52cf_9f34_9d8a);
}

#[test]
fn the_requested_number_of_packets_comes_in_order_of_time() {
    for packets in [0, 1, 2, 3, 50, 1_000] {
        for config in [small(), hostile()] {
            let generated: Vec<_> = Generator::new(Config { packets, ..config }).unwrap().collect();
            assert_eq!(generated.len() as u64, packets);
            assert!(generated.is_sorted_by(|a, b| a.timestamp_ns < b.timestamp_ns));
        }
    }
}

#[test]
fn the_first_packet_begins_a_second_and_the_last_one_comes_at_the_time_of_the_rate() {
    let generated: Vec<_> = Generator::new(small()).unwrap().collect();
    let (first, last) = (generated[0].timestamp_ns, generated[generated.len() - 1].timestamp_ns);
    assert_eq!(first, 1_700_000_000_000_000_000);
    let span_s = (last - first) as f64 / 1e9;
    assert!((90.0..110.0).contains(&span_s), "{span_s} seconds for 20000 packets at 200 per second");
}

#[test]
fn sums_in_the_answer_agree() {
    for config in [small(), hostile()] {
        let answer = answer_of(config);
        for summary in std::iter::once(&answer.total).chain(&answer.periods) {
            let packets = &summary.packets;
            assert_eq!(packets.total, packets.ipv4 + packets.ipv6 + packets.non_ip);
            assert_eq!(packets.ipv4 + packets.ipv6, packets.udp + packets.tcp + packets.other_l4);
            assert_eq!(packets.total, packets.received + packets.sent + packets.unknown);
            assert_eq!(packets.total, packets.sizes.iter().sum::<u64>());
            assert_eq!(packets.received, packets.per_second.iter().map(|second| second[0]).sum::<u64>());
            assert_eq!(packets.received + packets.sent, packets.top_ipv4.sum() + packets.top_ipv6.sum());
            let dns = &summary.dns.wire_packets;
            assert_eq!(dns.total, dns.queries + dns.replies);
            assert_eq!(dns.total, dns.udp + dns.tcp);
            assert_eq!(dns.total, dns.ipv4 + dns.ipv6);
            assert_eq!(dns.udp, summary.dns.top_udp_ports.sum());
            assert_eq!(dns.nxdomain, summary.dns.top_nxdomain.sum());
            let xact = &summary.dns.xact;
            assert!(xact.counts.total >= xact.inbound.total + xact.outbound.total);
            assert_eq!(xact.inbound.total, xact.inbound.times_ns.len() as u64);
        }
    }
}

#[test]
fn periods_add_up_to_the_whole() {
    let answer = answer_of(small());
    assert!(answer.periods.len() >= 2);
    let sum = |of: fn(&Summary) -> u64| answer.periods.iter().map(of).sum::<u64>();
    assert_eq!(sum(|s| s.packets.total), answer.total.packets.total);
    assert_eq!(sum(|s| s.dns.wire_packets.total), answer.total.dns.wire_packets.total);
    assert_eq!(sum(|s| s.dns.xact.counts.total), answer.total.dns.xact.counts.total);
    assert_eq!(sum(|s| s.dns.top_qtype.count("AAAA")), answer.total.dns.top_qtype.count("AAAA"));
    assert_eq!(sum(|s| s.period.length), answer.total.period.length);
}

#[test]
fn every_kind_of_transaction_occurs() {
    let answer = answer_of(Config { packets: 60_000, ..small() });
    let counts = answer.total.dns.xact.counts;
    for count in [counts.timed_out, counts.late, counts.duplicates, counts.orphans, counts.retransmitted] {
        assert!(count > 0, "{counts:?}");
    }
    for rcode in ["NOERROR", "NXDOMAIN", "SRVFAIL", "REFUSED", "NOTIMP", "FORMERR", "BADVERS"] {
        assert!(answer.total.dns.top_rcode.count(rcode) > 0, "no {rcode}");
    }
}

#[test]
fn shares_are_as_configured() {
    let answer = answer_of(Config { packets: 100_000, dns_share: 0.5, tcp_share: 0.5, ..small() });
    let dns_udp = answer.total.dns.wire_packets.udp as f64 / 1e5;
    assert!((0.23..0.27).contains(&dns_udp), "{dns_udp} of the packets are DNS over UDP");
    let answer = answer_of(Config { dns_share: 1.0, tcp_share: 0.0, ..small() });
    assert_eq!(answer.total.packets.non_ip, 0);
}

fn recount(config: Config) -> (Recount, Summary) {
    let mut recount = Recount { read_streams: !config.split_tcp, ..Recount::default() };
    let mut generator = Generator::new(config).unwrap();
    while let Some(packet) = generator.next_packet() {
        recount.observe(packet.data);
    }
    (recount, generator.into_answer().unwrap().total)
}

#[test]
fn the_answer_agrees_with_a_count_of_the_bytes() {
    for config in [small(), hostile()] {
        let (recount, answer) = recount(config);
        let packets = &answer.packets;
        assert_eq!(recount.packets, packets.total);
        assert_eq!(recount.ipv4, packets.ipv4);
        assert_eq!(recount.ipv6, packets.ipv6);
        assert_eq!(recount.udp, packets.udp);
        assert_eq!(recount.tcp, packets.tcp);
        assert_eq!(recount.received, packets.received);
        assert_eq!(recount.fragments, packets.fragments);
        assert_eq!(recount.udp_messages, answer.dns.wire_packets.udp);
        assert_eq!(recount.bad_checksums, 0);
    }
}

#[test]
fn names_in_the_answer_agree_with_a_count_of_the_bytes() {
    let (recount, answer) = recount(small());
    let dns = &answer.dns;
    assert_eq!(recount.tcp_messages, dns.wire_packets.tcp);
    assert_eq!(recount.queries, dns.wire_packets.queries);
    assert_eq!(recount.replies, dns.wire_packets.replies);
    assert_eq!(recount.names.len() as u64, dns.qname_cardinality);
    // The last two labels never need escapes.
    let mut last_two = HashMap::<String, u64>::new();
    for (labels, count) in &recount.names {
        let text: Vec<&str> =
            labels.iter().rev().take(2).rev().map(|label| str::from_utf8(label).unwrap()).collect();
        let dot = if labels.is_empty() || labels.len() > 2 { "." } else { "" };
        *last_two.entry(format!("{dot}{}", text.join("."))).or_default() += count;
    }
    let answer: HashMap<String, u64> =
        dns.top_qname2.iter().map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(last_two, answer);
}

#[test]
fn malformed_messages_have_a_question_that_cannot_be_parsed() {
    let (recount, answer) = recount(Config { malformed: 0.1, tcp_share: 0.0, ..small() });
    assert!(recount.malformed > 0);
    assert_eq!(recount.malformed, answer.dns.wire_packets.malformed);
}

#[test]
fn memory_does_not_grow_with_the_number_of_packets() {
    let high_water = |packets| {
        let config = Config { packets, rate: 50_000.0, collect_answer: false, ..hostile() };
        let mut generator = Generator::new(config).unwrap();
        while generator.next_packet().is_some() {}
        generator.stage.queue.len_max()
    };
    let few = high_water(50_000);
    assert!(high_water(200_000) < 2 * few, "{few} packets waited at once");
}

#[test]
fn a_setting_outside_its_limits_is_an_error_that_names_it() {
    let error = Generator::new(Config { fragments: 1.5, ..small() }).unwrap_err();
    assert_eq!(error.to_string(), "--fragments 1.5 is not a share: use a number from 0 to 1");
    assert!(Generator::new(Config { names: 0, ..small() }).is_err());
    assert!(Generator::new(Config { rate: f64::NAN, ..small() }).is_err());
}

fn answer_of(config: Config) -> Answer {
    let mut generator = Generator::new(config).unwrap();
    while generator.next_packet().is_some() {}
    generator.into_answer().unwrap()
}
