//! Answers of agents, and agents in the model that received them.

use std::{ops::Range, sync::Arc, time::Duration};

use pktvisor_api::{
    App, AppInfo, CaptureInfo, CaptureInterface, CaptureMode, DirectionRates, DirectionSeries, DnsSeries,
    ExponentialBucket, ExponentialHistogram, Finding, FindingsDocument, HLL_REGISTERS, HllImage, Ledger,
    ListTotals, Losses, Measure, Mode, PacketSeries, Period, PeriodDocument, Quantiles, SKETCHES_FORMAT,
    SandboxInfo, SandboxState, SecondSeries, Severity, SketchDocument, Subject, TopEntry, TransactionSeries,
};
use pktvisor_tui::{
    client::{AgentAnswer, FetchError, Update},
    model::AgentModel,
};

/// 2020-03-24 12:00:00 UTC.
pub(crate) const START: i64 = 1_585_051_200;

fn list(names: &[&str], largest: u64) -> Vec<TopEntry> {
    (1..)
        .zip(names)
        .map(|(place, name)| {
            let estimate = largest / place;
            TopEntry {
                name: (*name).to_owned(),
                estimate,
                lower: Some(estimate - estimate / 50),
                upper: Some(estimate + estimate / 100),
                scaled: Some(estimate),
            }
        })
        .collect()
}

/// A busy authoritative server: `seconds` of about 12,000 queries a second.
pub(crate) fn busy(start_ts: i64, seconds: i64) -> Period {
    let mut period = Period::default();
    period.period.start_ts = start_ts;
    period.period.length = seconds;
    let queries = 12_000 * seconds.unsigned_abs() + start_ts.unsigned_abs() % 977;
    let replies = queries - queries / 80;
    let total = (queries + replies) * 11 / 10;
    fill_dns(&mut period, queries, replies);
    fill_packets(&mut period, total);
    period
}

fn fill_packets(period: &mut Period, total: u64) {
    let packets = &mut period.packets;
    packets.total = total;
    packets.tcp = total / 12;
    packets.other_l4 = total / 150;
    packets.udp = total - packets.tcp - packets.other_l4;
    packets.ipv6 = total / 6;
    packets.non_ip = 42;
    packets.ipv4 = total - packets.ipv6 - packets.non_ip;
    packets.sent = total * 49 / 100;
    packets.received = total - packets.sent;
    packets.deep_samples = total;
    packets.bytes_total = total * 170;
    packets.bytes_in = packets.received * 74;
    packets.bytes_out = packets.sent * 270;
    packets.sizes = [3, total / 2, total / 4, total / 8, total / 20, total / 30, 12];
    packets.tcp_syn = total / 100;
    packets.tcp_syn_ack = total / 102;
    packets.tcp_rst = total / 1000;
    packets.fragments = 17;
    packets.malformed = 3;
    packets.cardinality.src_ips_in = 48_211;
    packets.cardinality.dst_ips_out = 47_903;
    packets.rates.pps_in = Some(Quantiles { p50: 12_310, p90: 13_350, p95: 13_800, p99: 14_911 });
    packets.rates.pps_out = Some(Quantiles { p50: 12_110, p90: 13_150, p95: 13_600, p99: 14_511 });
    packets.top_ipv4 =
        list(&["192.0.2.1", "192.0.2.77", "198.51.100.4", "203.0.113.9", "192.0.2.200"], total / 9);
    packets.top_ipv6 = list(&["2001:db8::53", "2001:db8:7::1", "2001:db8:ffff:ffff:ffff::1"], total / 40);
    packets.top_geo_loc =
        list(&["NA/United States/VA/Ashburn", "EU/Sweden/E/Linköping", "AS/Bhutan", "Unknown"], total / 4);
    packets.top_asn = list(&["1221/Telstra Pty Ltd", "237/Merit Network Inc.", "Unknown"], total / 3);
}

fn fill_dns(period: &mut Period, queries: u64, replies: u64) {
    let dns = &mut period.dns;
    let messages = &mut dns.wire_packets;
    (messages.queries, messages.replies, messages.total) = (queries, replies, queries + replies);
    messages.tcp = messages.total / 100;
    messages.udp = messages.total - messages.tcp;
    messages.ipv6 = messages.total / 6;
    messages.ipv4 = messages.total - messages.ipv6;
    (messages.nxdomain, messages.srvfail, messages.refused) = (replies / 16, replies / 40, replies / 140);
    messages.noerror = replies - messages.nxdomain - messages.srvfail - messages.refused - 5;
    messages.malformed = 12;
    period.sampling.messages = messages.total;
    dns.cardinality.qname = 331_022;
    dns.xact.counts.total = replies;
    dns.xact.counts.timed_out = queries / 900;
    dns.xact.counts.late = queries / 9000;
    dns.xact.counts.orphans = queries / 4000;
    dns.xact.counts.duplicates = 3;
    dns.xact.counts.retransmitted = queries / 700;
    dns.xact.outbound.total = replies / 33;
    dns.xact.inbound.total = replies - dns.xact.outbound.total;
    dns.xact.inbound.quantiles_us = Some(Quantiles { p50: 412, p90: 1_230, p95: 2_210, p99: 18_300 });
    dns.xact.outbound.quantiles_us =
        Some(Quantiles { p50: 12_412, p90: 41_230, p95: 92_210, p99: 1_218_300 });
    dns.xact.inbound.top_slow = list(&["slow.zone.example.net", "slower.zone.example.net"], 5_000);
    dns.xact.outbound.top_slow = list(&["far.example.org", "farther.example.org"], 500);
    dns.edns.queries = queries * 4 / 5;
    dns.edns.dnssec_ok = queries / 2;
    dns.edns.client_subnet = queries / 30;
    dns.edns.empty_answers = replies / 10;
    dns.reassembly.gaps = 2;
    dns.top_qname2 =
        list(&[".example.com", ".example.net", ".in-addr.arpa", "example.org", ".", "com"], queries);
    dns.top_qname3 = list(&[".www.example.com", "a.example.net", ".2.0.192.in-addr.arpa"], queries / 2);
    dns.top_nxdomain = list(&["wpad.corp.local", "_ldap._tcp.dc._msdcs.corp.local"], messages.nxdomain / 2);
    dns.top_srvfail = list(&["lame.broken.example", "lamer.broken.example"], messages.srvfail / 2);
    dns.top_refused = list(&["version.bind"], messages.refused);
    dns.top_rcode = list(&["NOERROR", "NXDOMAIN", "SRVFAIL", "REFUSED"], messages.noerror);
    dns.top_qtype = list(&["A", "AAAA", "HTTPS", "PTR", "MX", "TXT", "TYPE65534"], queries);
    dns.top_udp_ports = list(&["53124", "40001", "1024"], queries / 1000);
    fill_sides(period, queries, replies);
}

fn fill_sides(period: &mut Period, queries: u64, replies: u64) {
    const CLIENTS: [&str; 4] =
        ["192.0.2.66", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "192.0.2.67", "192.0.2.3"];
    const SERVERS: [&str; 2] = ["198.51.100.53", "2001:db8:53::1"];
    let dns = &mut period.dns;
    let inbound = &mut dns.inbound;
    (inbound.queries, inbound.replies, inbound.timed_out) =
        (queries * 32 / 33, replies * 32 / 33, queries / 2000);
    (inbound.noerror, inbound.nxdomain, inbound.srvfail) = (replies * 10 / 12, replies / 17, replies / 40);
    (inbound.rd_queries, inbound.do_queries, inbound.tcp_queries) = (queries, queries / 2, queries / 100);
    (inbound.aa_replies, inbound.tc_replies, inbound.nodata) = (replies / 2, replies / 90, replies / 11);
    (inbound.query_bytes, inbound.response_bytes, inbound.clients) = (queries * 41, replies * 212, 48_211);
    inbound.query_size_bytes = Some(Quantiles { p50: 41, p90: 60, p95: 71, p99: 99 });
    inbound.response_size_bytes = Some(Quantiles { p50: 190, p90: 412, p95: 500, p99: 1_232 });
    inbound.size_ratio_pct = Some(Quantiles { p50: 480, p90: 900, p95: 1_100, p99: 3_000 });
    inbound.top_clients = list(&CLIENTS, queries / 3);
    inbound.top_clients_nxdomain = list(&CLIENTS[1..], replies / 40);
    inbound.top_clients_timed_out = list(&CLIENTS[2..], queries / 4000);
    inbound.top_clients_response_bytes = list(&CLIENTS, replies * 90);
    inbound.top_client_prefixes = list(&["192.0.2.0/24", "2001:db8:aaaa::/56"], queries / 2);
    inbound.top_qtype = list(&["A", "AAAA", "HTTPS"], queries);
    let outbound = &mut dns.outbound;
    (outbound.queries, outbound.replies, outbound.timed_out) = (queries / 33, replies / 33, queries / 1600);
    (outbound.noerror, outbound.nxdomain, outbound.srvfail) = (replies / 40, replies / 400, replies / 500);
    outbound.servers = 312;
    outbound.top_servers = list(&SERVERS, queries / 40);
    outbound.top_servers_timed_out = list(&SERVERS[..1], queries / 1800);
    outbound.top_servers_slow = list(&SERVERS[1..], replies / 330);
    dns.top_zones_nxdomain = list(&["corp.local", "shop.example"], replies / 20);
    dns.top_zones_timed_out = list(&["broken.example"], queries / 1600);
    dns.top_nodata = list(&["v4only.example", "old.example"], replies / 30);
    dns.top_qname_by_response_bytes = list(&["big.example"], replies * 30);
    dns.top_ede = list(&["Stale Answer", "DNSSEC Bogus"], replies / 900);
}

/// The description of an agent of our line.
pub(crate) fn app() -> App {
    App {
        app: AppInfo {
            version: "4.0.0".to_owned(),
            deep_sample_rate_pct: 100,
            periods: 10,
            single_summary: false,
            up_time_min: 273.5,
            capture: Some(CaptureInfo {
                target: "eth0".to_owned(),
                mode: CaptureMode::Live(Mode::Inline),
                hook: Some("tcx".to_owned()),
                zero_copy: None,
                interfaces: vec![CaptureInterface {
                    name: "eth0".to_owned(),
                    ingress: "tcx".to_owned(),
                    egress: Some("tcx".to_owned()),
                    state: "up".to_owned(),
                }],
                link_types: vec![1],
                finished: false,
                likely_host: Vec::new(),
                notes: vec!["the driver of eth0 has no native XDP: using tcx ingress".to_owned()],
            }),
            ledger: Some(Ledger {
                seen: 391_204_112,
                filtered: 12,
                counted: 391_204_100,
                dns_packets: 352_083_690,
                not_chosen: 0,
                delivered: 352_083_600,
                lost: 90,
                pending: 0,
                analysed: 352_083_400,
                malformed: 140,
                without_message: 60,
                messages: 352_083_777,
            }),
            deep_sample_rate_now_pct: Some(100.0),
            losses: Some(Losses { ring_full: 90, ..Losses::default() }),
            sandbox: Some(SandboxInfo {
                files: SandboxState::Enforced,
                connections: SandboxState::Unavailable,
                system_calls: SandboxState::Enforced,
            }),
            labels: Default::default(),
            archive: None,
        },
        dns: Default::default(),
    }
}

/// The last full second of a busy server.
pub(crate) fn rates(second: u64) -> DirectionRates {
    // A slow wave, so that charts have a shape.
    let wave = 100 + (second % 40).abs_diff(20);
    DirectionRates {
        received: 123 * wave,
        sent: 121 * wave,
        unknown: 0,
        bytes_in: 9_100 * wave,
        bytes_out: 21_000 * wave,
        dns_queries: 120 * wave,
        dns_replies: 119 * wave,
    }
}

/// The minutes up to a second of a busy server: more and more upstream queries are lost.
pub(crate) fn series(second: u64) -> SecondSeries {
    let seconds = second.saturating_sub(80)..=second;
    let column = |figure: &dyn Fn(u64) -> u64| seconds.clone().map(figure).collect::<Vec<u64>>();
    let direction = |share: u64, p95_us: u64| DirectionSeries {
        total: column(&|second| rates(second).dns_replies / share),
        p50_us: column(&|second| p95_us / 5 + second).into_iter().map(Some).collect(),
        p95_us: column(&|second| p95_us + 10 * second).into_iter().map(Some).collect(),
    };
    SecondSeries {
        start_ts: START,
        step_s: 1,
        packets: PacketSeries {
            received: column(&|second| rates(second).received),
            sent: column(&|second| rates(second).sent),
            unknown: column(&|_| 0),
            bytes_in: column(&|second| rates(second).bytes_in),
            bytes_out: column(&|second| rates(second).bytes_out),
        },
        dns: DnsSeries {
            queries: column(&|second| rates(second).dns_queries),
            replies: column(&|second| rates(second).dns_replies),
            noerror: column(&|second| rates(second).dns_replies * (97 - second % 5) / 100),
            nxdomain: column(&|_| 0),
            srvfail: column(&|second| rates(second).dns_replies * (3 + second % 5) / 100),
            refused: column(&|_| 0),
            tc: column(&|_| 3),
        },
        xact: TransactionSeries {
            timed_out: column(&|second| 3 * second),
            inbound: direction(1, 2_100),
            outbound: direction(33, 91_000),
        },
    }
}

/// An upstream server that does not answer, a flood of random names, and lost packets.
pub(crate) fn findings() -> FindingsDocument {
    let subject = |kind: &str, name: &str| Subject { kind: kind.to_owned(), name: name.to_owned() };
    let measures = |measures: &[(&str, f64)]| {
        let measure = |(name, value): &(&str, f64)| Measure { name: (*name).to_owned(), value: *value };
        measures.iter().map(measure).collect()
    };
    let findings = vec![
        Finding {
            kind: "server_unanswered".to_owned(),
            severity: Severity::Critical,
            subject: subject("server", "198.51.100.53"),
            since_ts: START + 230,
            text: "198.51.100.53 leaves 98.2 % of 12,345 queries unanswered.".to_owned(),
            measures: measures(&[("queries", 12_345.0), ("unanswered_share", 0.982), ("p50_us", 0.0)]),
            who: list(&["198.51.100.53"], 12_345),
        },
        Finding {
            kind: "random_subdomains".to_owned(),
            severity: Severity::Warning,
            subject: subject("zone", "shop.example"),
            since_ts: START + 250,
            text:
                "Random names below shop.example: 11,800 distinct names, of which 96 % do not exist, asked \
                   for by 3 clients."
                    .to_owned(),
            measures: measures(&[
                ("names", 11_800.0),
                ("nxdomain_share", 0.96),
                ("label_entropy", 3.87),
                ("clients", 3.0),
            ]),
            who: list(&["192.0.2.66", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "192.0.2.67"], 9_000),
        },
        Finding {
            kind: "analysis_behind".to_owned(),
            severity: Severity::Notice,
            subject: subject("agent", "ring_full"),
            since_ts: START + 268,
            text: "The analysis is behind: 90 DNS packets were lost.".to_owned(),
            measures: measures(&[("packets", 90.0)]),
            who: Vec::new(),
        },
    ];
    FindingsDocument { at_ts: START + 270, findings }
}

/// An answer of an agent of ours in its `second`th second of being watched.
pub(crate) fn answer(second: u64) -> AgentAnswer {
    let window = busy(START, 240 + 30);
    let mut live = busy(START + 240, 30);
    // The live period's counters go up from second to second.
    live.dns.wire_packets.replies += second * 100;
    live.dns.wire_packets.noerror += second * (97 - second % 5);
    live.dns.inbound.queries += second * 11_900;
    live.dns.xact.inbound.total += second * 11_890;
    live.dns.inbound.timed_out += second * 5;
    (live.dns.outbound.queries, live.dns.xact.outbound.total) = (second * 360, second * 300);
    live.dns.outbound.timed_out = second * 50;
    let closed = if second == 0 { (0..4).map(|n| busy(START + n * 60, 60)).collect() } else { vec![] };
    AgentAnswer {
        app: (second == 0).then(app),
        ours: true,
        rates: Some(rates(second)),
        findings: Some(FindingsDocument { at_ts: START + 270, findings: Vec::new() }),
        series: Some(series(second)),
        window_name: "5m".to_owned(),
        window,
        live: Some(live),
        closed,
        round_trip: Duration::from_micros(840),
        ..AgentAnswer::default()
    }
}

/// An agent watched for `seconds`, the last answer of which is changed.
pub(crate) fn watched(label: &str, seconds: u64, change: impl Fn(&mut AgentAnswer)) -> AgentModel {
    let mut agent = AgentModel::new(label);
    for second in 0..seconds {
        let mut answer = answer(second);
        change(&mut answer);
        agent.update(Update::Answer(Box::new(answer)), Duration::from_secs(second));
    }
    agent
}

/// A failure to connect.
pub(crate) fn refused() -> Update {
    Update::Failure {
        error: FetchError::Connect("connection refused".to_owned()),
        retry_in: Duration::from_secs(8),
    }
}

/// A 3.0 document: the keys that it had, and no other.
pub(crate) const OLDER_WINDOW: &str = include_str!("older_window_5.json");

/// A 3.0 agent's answer.
pub(crate) fn older_answer() -> AgentAnswer {
    let document: PeriodDocument = serde_json::from_str(OLDER_WINDOW).expect("the 3.0 shape parses");
    let (window_name, window) = document.into_iter().next().expect("one period");
    let app = r#"{"app":{"version":"3.0.7","deep_sample_rate_pct":100,"periods":5,"single_summary":false,
                  "up_time_min":17.5},"dns":{"xact":{"open":3}}}"#;
    AgentAnswer {
        app: Some(serde_json::from_str(app).expect("the 3.0 shape parses")),
        ours: false,
        rates: Some(DirectionRates { received: 412, sent: 390, ..DirectionRates::default() }),
        window_name,
        window,
        ..AgentAnswer::default()
    }
}

/// Every list of an answer, to change its names.
pub(crate) fn lists(period: &mut Period) -> [&mut Vec<TopEntry>; 21] {
    let (dns, packets) = (&mut period.dns, &mut period.packets);
    [
        &mut dns.top_qname2,
        &mut dns.top_qname3,
        &mut dns.top_nxdomain,
        &mut dns.top_refused,
        &mut dns.top_srvfail,
        &mut dns.top_rcode,
        &mut dns.top_qtype,
        &mut dns.top_udp_ports,
        &mut dns.xact.inbound.top_slow,
        &mut dns.xact.outbound.top_slow,
        &mut packets.top_ipv4,
        &mut packets.top_ipv6,
        &mut packets.top_geo_loc,
        &mut packets.top_asn,
        &mut dns.inbound.top_clients,
        &mut dns.inbound.top_clients_nxdomain,
        &mut dns.inbound.top_client_prefixes,
        &mut dns.outbound.top_servers,
        &mut dns.top_zones_nxdomain,
        &mut dns.top_nodata,
        &mut dns.top_ede,
    ]
}

/// Replaces every number of a JSON value.
pub(crate) fn replace_numbers(value: &mut serde_json::Value, number: u64) {
    match value {
        serde_json::Value::Number(n) if n.is_u64() => *n = number.into(),
        serde_json::Value::Array(values) => values.iter_mut().for_each(|v| replace_numbers(v, number)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|v| replace_numbers(v, number)),
        _ => {}
    }
}

/// The sketches of a window whose clients fill these registers, one for each.
pub(crate) fn sketches(mut period: Period, clients: Range<usize>) -> SketchDocument {
    let mut registers = [0; HLL_REGISTERS];
    registers[clients.clone()].fill(1);
    let image = HllImage::of_registers(&registers);
    period.dns.inbound.clients = clients.len() as u64;
    period.dns.inbound.top_clients = clients
        .take(30)
        .map(|client| TopEntry {
            name: format!("192.0.2.{client}"),
            estimate: 10_000 - client as u64,
            lower: Some(10_000 - client as u64),
            upper: Some(10_001 - client as u64),
            scaled: None,
        })
        .collect();
    let totals = ListTotals { absent_upper: 40 };
    let lists = ["dns.top_qname2", "dns.top_nxdomain", "dns.in.top_clients", "dns.xact.in.top_slow"];
    // At scale 8 this is the bucket of 1 ms, then that of 4 ms.
    let buckets = [(2551, 90), (3063, 10)].map(|(index, count)| ExponentialBucket { index, count });
    let times =
        ExponentialHistogram { scale: 8, count: 100, buckets: buckets.to_vec(), ..Default::default() };
    SketchDocument {
        format: SKETCHES_FORMAT,
        periods: 5,
        period,
        distinct: [("dns.in.clients".to_owned(), image)].into(),
        histograms: [("dns.xact.in.quantiles_us".to_owned(), times)].into(),
        lists: lists.map(|path| (path.to_owned(), totals)).into(),
    }
}

/// The agent, which has also given the sketches of its window.
pub(crate) fn with_sketches(label: &str, seconds: u64, clients: Range<usize>) -> AgentModel {
    watched(label, seconds, |answer| {
        answer.sketches = Some(Arc::new(sketches(answer.window.clone(), clients.clone())));
    })
}
