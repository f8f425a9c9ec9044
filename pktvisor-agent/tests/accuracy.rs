//! Estimates against exact counts, on a million packets with over 100,000 names and 50,000 clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use datasketches::frequencies::FrequentItemsSketch;
use dns_traffic::{Config, Counts, DirectionAnswer, ExactQuantiles, Generator, Summary};
use pktvisor_agent::pipeline::{Intake, Pipeline};
use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::name::presentation;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::{TIMEOUT_NS_DEFAULT, TransactionCounts};
use pktvisor_analysis::{
    self as analysis, Analysis, ExchangeEnds, Flow, Observer, Outcome, ReassemblyEvent, Transaction,
};
use pktvisor_api::{self as api, TopEntry};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::{Captured, Class, DnsPorts, LinkType, classify};
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{Clock, Store, StoreSettings};

const LISTED: usize = 10;
/// Packets after which the time of the analysis moves, as in the replay of a file.
const BATCH_PACKETS: usize = 512;

/// A million packets in four minutes.
fn million() -> Config {
    Config {
        packets: 1_000_000,
        rate: 4_200.0,
        names: 800_000,
        clients: 80_000,
        dns_share: 0.9,
        tcp_share: 0.05,
        ..Config::default()
    }
}

fn analysis() -> Analysis<HostSet> {
    Analysis::new(analysis::AnalysisSettings {
        dns_ports: DnsPorts::default(),
        sample_rate: SampleRate::ALL,
        transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
        host: host(),
    })
}

fn host() -> HostSet {
    dns_traffic::HOST_PREFIXES.iter().map(|prefix| prefix.parse::<ipnet::IpNet>().unwrap()).collect()
}

/// One agent and its memory.
struct Agent {
    store: Store,
    pipeline: Pipeline,
    packets: usize,
}

/// How an agent divides the packets.
enum Periods {
    One,
    Many,
}

impl Agent {
    fn new(periods: Periods) -> Self {
        Self {
            store: Store::new(StoreSettings {
                periods: 5,
                summary: matches!(periods, Periods::One),
                name_cut: NameCut::Labels,
                clock: Clock::Packets,
            }),
            pipeline: Pipeline {
                filter: None,
                dns_ports: DnsPorts::default(),
                host: host(),
                geo: None,
                analysis: analysis(),
                intake: Intake::default(),
            },
            packets: 0,
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) {
        let mut batch = self.store.batch();
        self.pipeline.packet(packet, &mut batch).unwrap();
        self.packets += 1;
        if self.packets.is_multiple_of(BATCH_PACKETS) {
            self.pipeline.analysis.advance(batch.now_ns(), batch.recorder());
        }
    }

    fn finish(mut self) -> api::Period {
        self.pipeline.analysis.finish(self.store.batch().recorder());
        self.store.document().into_values().next().unwrap()
    }
}

/// The frequent-items sketch of Apache DataSketches in place of the agent's. Its table of 2^15
/// slots holds 24,576 names in about the memory of the agent's 32,768 entries.
struct Rival {
    qname2: FrequentItemsSketch<String>,
    qname3: FrequentItemsSketch<String>,
    nxdomain: FrequentItemsSketch<String>,
}

const RIVAL_SLOTS: usize = 1 << 15;

impl Rival {
    fn new() -> Self {
        let sketch = || FrequentItemsSketch::new(RIVAL_SLOTS).unwrap();
        Self { qname2: sketch(), qname3: sketch(), nxdomain: sketch() }
    }
}

impl Observer for Rival {
    type Keys<'m> = ();

    type EndKeys<'m> = ();

    fn end_keys<'m>(&self, _: &ExchangeEnds<'m>) {}

    fn keys<'m>(&self, (): (), _: &MessageHead<'m>) {}

    fn message(&mut self, _: &Flow, message: &Message<'_>, (): &()) {
        let Some(question) = &message.question else { return };
        let cut = NameCut::Labels.apply(question.name);
        let spell = |cut: bool, wire: &[u8]| format!("{}{}", if cut { "." } else { "" }, presentation(wire));
        self.qname2.update(spell(cut.qname2.cut, cut.qname2.wire));
        if let Some(qname3) = cut.qname3 {
            self.qname3.update(spell(qname3.cut, qname3.wire));
        }
        if message.is_response() && message.rcode() == 3 {
            self.nxdomain.update(spell(false, question.name.as_wire()));
        }
    }

    fn reassembled(&mut self, _: &Flow, _: u16, _: Captured) {}
    fn malformed(&mut self) {}
    fn udp_port(&mut self, _: u16) {}
    fn transaction(&mut self, _: &Transaction<'_>, (): &()) {}
    fn transaction_counts(&mut self, _: &TransactionCounts) {}
    fn reassembly(&mut self, _: ReassemblyEvent) {}
    fn outcome(&mut self, _: Outcome, _: u64) {}
}

/// The results of one stream of packets.
struct Measured {
    answer: Summary,
    summary: api::Period,
    window: api::Period,
    rival: Rival,
}

fn measure(config: Config) -> Measured {
    let (mut summary, mut window) = (Agent::new(Periods::One), Agent::new(Periods::Many));
    let (mut rival, mut rival_analysis) = (Rival::new(), analysis());
    let mut generator = Generator::new(config).unwrap();
    while let Some(generated) = generator.next_packet() {
        let packet = Packet {
            timestamp_ns: generated.timestamp_ns,
            stamp: Stamp::Own,
            data: generated.data,
            wire_len: generated.data.len() as u32,
            link_type: LinkType(1),
            segments: 1,
        };
        summary.packet(&packet);
        window.packet(&packet);
        let mut class = Class::default();
        classify(packet.data, packet.link_type, &DnsPorts::default(), &mut class);
        rival_analysis.packet(&packet, &class, &mut rival);
    }
    let answer = generator.into_answer().unwrap();
    assert!(answer.periods.len() > 1 && answer.periods.len() <= 5, "the window holds all periods");
    Measured { answer: answer.total, summary: summary.finish(), window: window.finish(), rival }
}

/// The largest error of some estimates, relative to the truth.
fn error(found: u64, truth: u64) -> f64 {
    found.abs_diff(truth) as f64 / truth as f64
}

/// Asserts that the list is complete, each estimate within 1 % and each bound right; returns the
/// largest error.
fn check_list(field: &str, found: &[TopEntry], truth: &Counts) -> f64 {
    let top = truth.top(LISTED);
    assert_eq!(found.len(), top.len(), "{field}");
    let least = top.last().unwrap().1;
    let mut largest = 0.0_f64;
    for entry in found {
        let count = truth.count(&entry.name);
        assert!(count >= least, "{field}: {entry:?} counts {count}, less than the tenth, {least}");
        assert!(
            entry.lower.unwrap() <= count && count <= entry.upper.unwrap(),
            "{field}: {entry:?} counts {count}"
        );
        largest = largest.max(error(entry.estimate, count));
        assert!(error(entry.estimate, count) <= 0.01, "{field}: {entry:?} counts {count}");
    }
    for (name, count) in top.iter().filter(|(_, count)| *count > least) {
        assert!(found.iter().any(|entry| entry.name == *name), "{field}: {name} with {count} is missing");
    }
    largest
}

fn check_cardinality(field: &str, found: u64, truth: u64) {
    println!("  {field}: {found} for {truth}, off by {:.2} %", 100.0 * error(found, truth));
    assert!(error(found, truth) <= 0.02, "{field}: {found} for {truth}");
}

fn check_quantiles(field: &str, found: Option<api::Quantiles>, truth: Option<ExactQuantiles>) {
    let (found, truth) = (found.unwrap(), truth.unwrap());
    let pairs =
        [(found.p50, truth.p50), (found.p90, truth.p90), (found.p95, truth.p95), (found.p99, truth.p99)];
    let largest = pairs.map(|(found, truth)| error(found, truth)).into_iter().fold(0.0, f64::max);
    println!("  {field}: quantiles off by at most {:.2} %", 100.0 * largest);
    assert!(largest <= 0.01, "{field}: {found:?} for {truth:?}");
}

fn check(found: &api::Period, answer: &Summary) {
    let (packets, dns) = (&found.packets, &found.dns);
    let addresses = &answer.packets.cardinality;
    check_cardinality("src_ips_in", packets.cardinality.src_ips_in, addresses.src_ips_in);
    check_cardinality("dst_ips_out", packets.cardinality.dst_ips_out, addresses.dst_ips_out);
    check_cardinality("qname", dns.cardinality.qname, answer.dns.qname_cardinality);
    check_quantiles("pps_in", packets.rates.pps_in, answer.packets.rates.pps_in);
    check_quantiles("pps_out", packets.rates.pps_out, answer.packets.rates.pps_out);
    let times = |name, found: &api::TransactionDirection, truth: &DirectionAnswer| {
        assert_eq!(found.total, truth.total);
        check_quantiles(name, found.quantiles_us, truth.quantiles_us);
    };
    times("xact.in", &dns.xact.inbound, &answer.dns.xact.inbound);
    times("xact.out", &dns.xact.outbound, &answer.dns.xact.outbound);
    for (field, list, truth) in [
        ("ipv4", &packets.top_ipv4, &answer.packets.top_ipv4),
        ("ipv6", &packets.top_ipv6, &answer.packets.top_ipv6),
        ("qname2", &dns.top_qname2, &answer.dns.top_qname2),
        ("qname3", &dns.top_qname3, &answer.dns.top_qname3),
        ("nxdomain", &dns.top_nxdomain, &answer.dns.top_nxdomain),
        ("refused", &dns.top_refused, &answer.dns.top_refused),
        ("srvfail", &dns.top_srvfail, &answer.dns.top_srvfail),
        ("qtype", &dns.top_qtype, &answer.dns.top_qtype),
        ("rcode", &dns.top_rcode, &answer.dns.top_rcode),
        ("udp_ports", &dns.top_udp_ports, &answer.dns.top_udp_ports),
    ] {
        let largest = check_list(field, list, truth);
        let slack = list.iter().map(|entry| entry.upper.unwrap() - entry.lower.unwrap()).max().unwrap();
        println!(
            "  {field}: {} distinct, tenth {}, estimates off by at most {:.3} %, bounds {slack} apart",
            truth.distinct(),
            truth.top(LISTED).last().unwrap().1,
            100.0 * largest,
        );
    }
}

/// Prints the errors of the sketch of DataSketches.
fn compare(found: &api::Dns, rival: &Rival, answer: &Summary) {
    let dns = &answer.dns;
    for (field, list, sketch, truth) in [
        ("qname2", &found.top_qname2, &rival.qname2, &dns.top_qname2),
        ("qname3", &found.top_qname3, &rival.qname3, &dns.top_qname3),
        ("nxdomain", &found.top_nxdomain, &rival.nxdomain, &dns.top_nxdomain),
    ] {
        let top = truth.top(LISTED);
        let theirs =
            top.iter().map(|(name, count)| error(sketch.estimate(*name), *count)).fold(0.0, f64::max);
        let lower =
            top.iter().map(|(name, count)| error(sketch.lower_bound(*name), *count)).fold(0.0, f64::max);
        let ours =
            list.iter().map(|entry| error(entry.estimate, truth.count(&entry.name))).fold(0.0, f64::max);
        let slack = list.iter().map(|entry| entry.upper.unwrap() - entry.lower.unwrap()).max().unwrap();
        println!(
            "  {field}: ours {:.3} %, bounds {slack} apart; DataSketches {:.3} % (lower bound {:.3} %), bounds {} apart",
            100.0 * ours,
            100.0 * theirs,
            100.0 * lower,
            sketch.maximum_error(),
        );
    }
}

fn assert_accurate(config: Config) {
    let measured = measure(config);
    let answer = &measured.answer;
    assert!(answer.dns.qname_cardinality > 100_000, "{} names", answer.dns.qname_cardinality);
    assert!(
        answer.packets.cardinality.src_ips_in > 50_000,
        "{} clients",
        answer.packets.cardinality.src_ips_in
    );
    println!("summary:");
    check(&measured.summary, answer);
    println!("window of 5 periods:");
    check(&measured.window, answer);
    println!("against DataSketches, {RIVAL_SLOTS} slots:");
    compare(&measured.summary.dns, &measured.rival, answer);
}

#[test]
fn a_million_packets_are_estimated_within_the_promised_errors() {
    assert_accurate(million());
}

#[test]
fn errors_stay_within_the_promise_when_half_of_the_queries_ask_for_random_names() {
    assert_accurate(Config { random_subdomains: 0.5, seed: 2, ..million() });
}

#[test]
fn errors_stay_within_the_promise_when_half_of_the_queries_come_from_random_sources() {
    assert_accurate(Config { random_subdomains: 0.5, random_sources: 0.5, seed: 3, ..million() });
}
