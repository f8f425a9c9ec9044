//! Answers of agents, and agents in the model that received them.

use std::{ops::Range, sync::Arc, time::Duration};

use pktvisor_api::{
    App, AppInfo, CaptureInfo, CaptureInterface, CaptureMode, DirectionRates, DirectionSeries, DnsSeries,
    ExponentialBucket, ExponentialHistogram, Finding, FindingsDocument, HLL_REGISTERS, HllImage, Ledger,
    ListTotals, Losses, Measure, Mode, PacketSeries, Period, PeriodDocument, SKETCHES_FORMAT, SandboxInfo,
    SandboxState, SecondSeries, Severity, SketchDocument, Subject, TopEntry, TransactionSeries,
};
use pktvisor_tui::{
    client::{AgentAnswer, FetchError, Update},
    model::AgentModel,
};

pub(crate) use super::busy_period::busy;
use super::busy_period::list;

/// 2020-03-24 12:00:00 UTC.
pub(crate) const START: i64 = 1_585_051_200;

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
                    ..CaptureInterface::default()
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
            http: None,
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
