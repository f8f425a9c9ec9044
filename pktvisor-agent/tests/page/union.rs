//! The union of agents that saw overlapping parts of the traffic, so most clients at both.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use capture_file::write::PcapWriter;
use dns_traffic::{Config, Generator};
use fleet_merge::{FleetMerge, FleetUnion};
use pktvisor_api::{SketchDocument, TopEntry};
use serde_json::{Value, json};

use crate::browser::{Browser, DESKTOP, PHONE};
use crate::hostile::answering;
use crate::one_agent::{rows, written};
use crate::require_browser;
use crate::support::Served;

const ETHERNET: u16 = 1;

/// Packets of the whole traffic.
const PACKETS: u64 = 30_000;

/// A capture of a part of the traffic, counted in packets.
fn capture(folder: &Path, part: &Range<u64>) -> (PathBuf, String) {
    let config = Config { packets: PACKETS, rate: 300.0, names: 3_000, clients: 2_000, ..Config::default() };
    let mut generator = Generator::new(config).unwrap();
    let mut pcap = PcapWriter::new(Vec::new(), ETHERNET).unwrap();
    for number in 0.. {
        let Some(packet) = generator.next_packet() else { break };
        if part.contains(&number) {
            pcap.write(packet.timestamp_ns, packet.data.len() as u32, packet.data).unwrap();
        }
    }
    let path = folder.join(format!("{}.pcap", part.start));
    fs::write(&path, pcap.finish().unwrap()).unwrap();
    (path, generator.into_answer().unwrap().host.join(","))
}

fn served(options: &[&str], (path, host): &(PathBuf, String)) -> Served {
    let mut agent = Served::start(&[options, &["-H", host, path.to_str().unwrap()]].concat());
    agent.line();
    agent
}

fn sketches(agent: &Served) -> SketchDocument {
    serde_json::from_value(agent.json("/api/v1/sketches/window/5?top=100")).unwrap()
}

fn merged(documents: &[SketchDocument]) -> FleetUnion {
    let mut merge = FleetMerge::default();
    documents.iter().for_each(|document| merge.add(document).unwrap());
    merge.finish(1000)
}

/// Microseconds as the page writes them.
fn duration(us: u64) -> String {
    let (value, unit) = match us {
        0..1000 => return format!("{us} µs"),
        1000..999_500 => (us as f64 / 1e3, "ms"),
        _ => (us as f64 / 1e6, "s"),
    };
    let digits = if value >= 99.5 { 0 } else { 2 - usize::from(value >= 9.95) };
    format!("{value:.digits$} {unit}")
}

/// A row of a list as the page writes it.
fn row(entry: &TopEntry) -> String {
    let number = |number: u64| written(&Value::from(number));
    let (lower, upper) = (entry.lower.unwrap(), entry.upper.unwrap());
    let bounds = match lower == upper {
        true => "exact".to_owned(),
        false => format!("{}..{}", number(lower), number(upper)),
    };
    format!("{} {} {bounds}", entry.name, number(entry.estimate))
}

#[test]
fn the_page_shows_the_union_of_agents_and_not_their_sum() {
    require_browser!();
    let folder = tempfile::tempdir().unwrap();
    let parts = [0..PACKETS / 4 * 3, PACKETS / 4..PACKETS];
    let captures = parts.each_ref().map(|part| capture(folder.path(), part));
    let (browser, first) = (Browser::start(), served(&[], &captures[0]));
    let origin = format!("http://{}", first.address());
    let second = served(&["--allow-origin", &origin], &captures[1]);
    let documents = [&first, &second].map(sketches);
    let union = merged(&documents).document;
    let url = format!("{origin}/?agents={},{},127.0.0.1:9", first.address(), second.address());
    for screen in [PHONE, DESKTOP] {
        browser.open(&url, screen);
        browser.wait_for(
            "document.querySelector('#window-note').textContent.includes('union of 2 of 3 agents')",
        );
        browser.wait_for("document.querySelector('#lists .list')");
        let width = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(width <= u64::from(screen.width), "{width}");
        browser.picture(&format!("union-{}", screen.width));
    }
    let note = browser.text("#window-note");
    assert!(note.contains("nothing of 1") && note.contains("quantiles to within 0.5 %"), "{note}");
    // Counters add up.
    let messages = &union.period.dns.wire_packets;
    let codes = rows(&browser, "#codes");
    for (name, count) in
        [("NXDOMAIN", messages.nxdomain), ("all replies", messages.replies), ("queries", messages.queries)]
    {
        let row = format!("{name} {}", written(&Value::from(count)));
        assert!(codes.iter().any(|shown| shown.starts_with(&row)), "{row}: {codes:?}");
    }
    // Quantiles are those of all transactions.
    let times = rows(&browser, "#times");
    let [inbound, outbound] = [&union.period.dns.xact.inbound, &union.period.dns.xact.outbound]
        .map(|side| side.quantiles_us.unwrap());
    for (name, inbound, outbound) in [
        ("p50", inbound.p50, outbound.p50),
        ("p95", inbound.p95, outbound.p95),
        ("p99", inbound.p99, outbound.p99),
    ] {
        assert!(
            times.contains(&format!("{name} {} {}", duration(inbound), duration(outbound))),
            "{name}: {times:?}"
        );
    }
    assert_distinct(&browser, &documents, &union);
    for (title, list) in [
        ("Clients", &union.period.dns.inbound.top_clients),
        ("Names, 2 labels", &union.period.dns.top_qname2),
    ] {
        let shown = rows(&browser, &format!("[aria-label=\"{title}\"]"));
        assert_eq!(shown, list.iter().take(5).map(row).collect::<Vec<_>>(), "{title}");
    }
    let complaints = browser.complaints();
    assert!(complaints.iter().all(|line| line.contains("127.0.0.1:9")), "{complaints:?}");
}

#[test]
fn an_agent_without_sketches_adds_its_counters_alone() {
    require_browser!();
    let folder = tempfile::tempdir().unwrap();
    let (browser, agent) = (Browser::start(), served(&[], &capture(folder.path(), &(0..PACKETS))));
    let older = answering(BTreeMap::from([
        ("/api/v1/openapi.json", json!({"paths": {}})),
        ("/api/v1/metrics/app", agent.json("/api/v1/metrics/app")),
        ("/api/v1/metrics/series", agent.json("/api/v1/metrics/series")),
        ("/api/v1/metrics/window/5", agent.json("/api/v1/metrics/window/5")),
        ("/healthz", json!({"status": "ok"})),
    ]));
    browser.open(&format!("http://{0}/?agents={0},{older}", agent.address()), DESKTOP);
    browser.wait_for(
        "/^union of 1 of 2 .*counters alone of 1;/.test(document.querySelector('#window-note').textContent)",
    );
    let period = sketches(&agent).period;
    let queries = format!("queries {}", written(&Value::from(2 * period.dns.wire_packets.queries)));
    assert!(rows(&browser, "#codes").iter().any(|row| row.starts_with(&queries)), "{queries}");
    let clients = format!("clients that asked HOST {}", written(&Value::from(period.dns.inbound.clients)));
    assert!(rows(&browser, "#distinct").contains(&clients), "{clients}");
    let shown = rows(&browser, "[aria-label=\"Clients\"]");
    assert_eq!(shown.first(), period.dns.inbound.top_clients.first().map(row).as_ref());
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Distinct items are counted once, within 1 % of what a program with the same sketches estimates.
fn assert_distinct(browser: &Browser, documents: &[SketchDocument], union: &SketchDocument) {
    let shown: Vec<u64> = rows(browser, "#distinct")
        .iter()
        .map(|row| row.rsplit(' ').next().unwrap().replace(',', "").parse().unwrap())
        .collect();
    let (dns, addresses) = (&union.period.dns, &union.period.packets.cardinality);
    let expected = [
        dns.inbound.clients,
        dns.outbound.servers,
        dns.cardinality.qname,
        addresses.src_ips_in,
        addresses.dst_ips_out,
    ];
    for (shown, expected) in shown.iter().zip(expected) {
        assert!((*shown as f64 / expected as f64 - 1.0).abs() < 0.01, "{shown} for {expected}");
    }
    let sum: u64 = documents.iter().map(|document| document.period.dns.inbound.clients).sum();
    assert!(shown[0] * 10 < sum * 8, "{} clients, {sum} at all agents together", shown[0]);
}
