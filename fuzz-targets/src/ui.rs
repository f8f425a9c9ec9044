//! An agent's answers in the terminal UI: decoding, the model, the union of a fleet, and the screen.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{Analysis, AnalysisSettings};
use pktvisor_api::{App, FindingsDocument, Period, Rates, SeriesDocument, SketchDocument, TopEntry};
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{Clock, ListLength, PacketKeys, RollingSpan, Store, StoreSettings};
use pktvisor_tui::app::{Action, Page, UiState};
use pktvisor_tui::client::{AgentAnswer, LongLists, OneEntry, OnePeriod, Update};
use pktvisor_tui::model::{AgentModel, Union, UnionPart};
use pktvisor_tui::pages;
use pktvisor_tui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::traffic::{FRAMES, LIMITS, packet};
use crate::work;

/// Most changes to one document.
const CHANGES_MAX: usize = 12;
const ACTIONS_MAX: usize = 6;
const TIME_MAX: Duration = Duration::from_secs(2);
const SIZES: [(u16, u16); 6] = [(80, 24), (120, 40), (200, 60), (1, 1), (20, 5), (63, 9)];

/// Texts that a terminal or a layout could trip over.
const TEXTS: [&str; 10] = [
    "",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\r\n\t\0",
    "\u{202e}elpmaxe",
    "\u{200b}\u{feff}\u{ad}",
    "宽宽宽宽",
    "e\u{301}\u{301}",
    "👩‍👩‍👧‍👦",
    "a.very.long.name.of.a.host.in.a.zone.that.does.not.end.example",
    "\u{9b}31m\u{7f}",
];

/// A byte with the kind of the input; a document as text, or changes to the documents of an agent.
pub fn run(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    work::within(TIME_MAX, || {
        if kind % 4 == 0 {
            let mut documents = Documents::default();
            documents.decode_all(rest);
            show(documents.clone(), documents, &mut Unstructured::new(&[]));
        } else {
            let mut input = Unstructured::new(rest);
            let [mut first, mut second] = [ChangedDocuments::default(), ChangedDocuments::default()];
            let _ = change(&mut first, &mut input).and_then(|()| change(&mut second, &mut input));
            let documents = [&first, &second].map(|document| {
                let documents = Documents::of(document);
                // To merge sketches takes longer than all else.
                if kind / 4 % 4 == 0 { documents } else { Documents { sketches: None, ..documents } }
            });
            let [first, second] = documents;
            show(first, second, &mut input);
        }
    });
}

/// The documents that an agent answers with, by name.
static SAMPLE: LazyLock<Value> = LazyLock::new(|| {
    let store = sample_store();
    let period = store.window_listing(ListLength::DEFAULT, 5).unwrap_or_default();
    let rolling = RollingSpan::new(10).map(|span| store.rolling(ListLength::DEFAULT, span));
    let entry = json!({"name": "www.example.com", "estimate": 5, "lower": 4, "upper": 6, "scaled": 50});
    let text = |value: serde_json::Result<Value>| value.unwrap_or_default();
    json!({
        "app": {"app": {"version": "4.0.0", "deep_sample_rate_pct": 100, "periods": 5, "single_summary": false,
            "up_time_min": 1.5, "capture": {"target": "eth0", "mode": "inline", "hook": "xdp", "finished": false,
            "interfaces": [{"name": "eth0", "ingress": "xdp", "egress": "tcx", "state": "up"}],
            "link_types": [1], "likely_host": ["192.0.2.53"], "notes": ["a note"]},
            "ledger": {"seen": 10, "counted": 9, "filtered": 1}, "losses": {"ring_full": 2},
            "labels": {"site": "one"}}, "dns": {"xact": {"open": 3, "waiting": 2}}},
        "rates": text(serde_json::to_value(store.rates())),
        "series": text(serde_json::to_value(store.series())),
        "findings": {"at_ts": 1_600_000_020, "findings": [{"kind": "random_subdomains", "severity": "warning",
            "subject": {"kind": "zone", "name": "example.com"}, "since_ts": 1_600_000_010, "text": "much",
            "measures": [{"name": "queries_per_second", "value": 500.5}], "who": [entry]}]},
        "window": {"5m": text(serde_json::to_value(&period))},
        "rolling": {"10s": text(serde_json::to_value(rolling))},
        "sketches": text(serde_json::to_value(store.sketches(5, ListLength::DEFAULT).unwrap_or_default())),
    })
});

/// The names of these documents.
const NAMES: [&str; 7] = ["app", "rates", "series", "findings", "window", "rolling", "sketches"];

static DECODED: LazyLock<Documents> = LazyLock::new(|| {
    let mut documents = Documents::default();
    NAMES.iter().for_each(|name| documents.decode_one(name, SAMPLE[name].to_string().as_bytes()));
    documents
});

/// A store with some of everything.
fn sample_store() -> Store {
    const SECOND_NS: u64 = 1_000_000_000;
    let settings =
        StoreSettings { periods: 5, summary: false, name_cut: NameCut::Labels, clock: Clock::Packets };
    let store = Store::new(settings).with_series();
    let settings = AnalysisSettings {
        dns_ports: DnsPorts::default(),
        sample_rate: SampleRate::ALL,
        transaction_timeout_ns: 5 * SECOND_NS,
        host: ["192.0.2.0/28"].iter().filter_map(|network| network.parse().ok()).collect::<HostSet>(),
    };
    let mut analysis = Analysis::with_limits(settings, LIMITS);
    let mut batch = store.batch();
    for (place, data) in (0_u64..).zip(FRAMES.iter()) {
        let packet = packet(data, 1_700_000_000 * SECOND_NS + place * SECOND_NS / 8, 0, LinkType::ETHERNET);
        batch.advance(packet.timestamp_ns, |end_ns, recorder| analysis.advance(end_ns, recorder));
        let mut class = Class::default();
        classify(data.as_slice(), packet.link_type, &DnsPorts::default(), &mut class);
        analysis.packet(&packet, &class, batch.recorder());
        let direction = analysis.direction(&class);
        batch.packet(&class, &PacketKeys::of(&class, direction), packet.wire_len);
    }
    drop(batch);
    store
}

#[derive(Arbitrary, Debug)]
enum Change {
    Number(u64),
    Negative(i64),
    Fraction(f64),
    Text(u8),
    Bytes([u8; 8]),
    Null,
    Empty,
    /// The elements of a list, again and again.
    Repeat(u8),
    Remove,
    Copy([u8; 4]),
}

/// Copies of those of the [documents](NAMES) that were changed.
type ChangedDocuments = [Option<Value>; NAMES.len()];

/// Changes values anywhere.
fn change(documents: &mut ChangedDocuments, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    for _ in 0..input.int_in_range(0..=CHANGES_MAX)? {
        let (document, path): (u8, [u8; 4]) = input.arbitrary()?;
        let document = usize::from(document) % NAMES.len();
        let document = documents[document].get_or_insert_with(|| SAMPLE[NAMES[document]].clone());
        let change: Change = input.arbitrary()?;
        let copy = match &change {
            Change::Copy(path) => at(document, path).clone(),
            _ => Value::Null,
        };
        let value = at(document, &path);
        match change {
            Change::Number(number) => *value = number.into(),
            Change::Negative(number) => *value = number.into(),
            Change::Fraction(number) => *value = number.into(),
            Change::Text(number) => *value = TEXTS[usize::from(number) % TEXTS.len()].into(),
            Change::Bytes(bytes) => *value = String::from_utf8_lossy(&bytes).into(),
            Change::Null => *value = Value::Null,
            Change::Empty => *value = if value.is_array() { json!([]) } else { json!({}) },
            Change::Copy(_) => *value = copy,
            Change::Repeat(times) => {
                if let Value::Array(elements) = value {
                    let again = elements.clone();
                    let again = again.iter().cycle().take(again.len() * usize::from(times % 16));
                    elements.extend(again.cloned());
                    elements.truncate(1000);
                }
            }
            Change::Remove => {
                if let Value::Object(entries) = value {
                    let first = entries.keys().next().cloned();
                    first.map(|key| entries.remove(&key));
                }
            }
        }
    }
    Ok(())
}

/// The value at a path, of which each step chooses among what is there.
fn at<'a>(mut value: &'a mut Value, path: &[u8]) -> &'a mut Value {
    for step in path {
        let parts = match &*value {
            Value::Array(elements) => elements.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        };
        if parts == 0 {
            break;
        }
        let place = usize::from(*step) % parts;
        let part = match value {
            Value::Array(elements) => elements.get_mut(place),
            Value::Object(entries) => entries.values_mut().nth(place),
            _ => None,
        };
        value = part.expect("there are so many");
    }
    value
}

/// What could be decoded.
#[derive(Clone, Default)]
struct Documents {
    app: Option<App>,
    rates: Option<Rates>,
    series: Option<SeriesDocument>,
    findings: Option<FindingsDocument>,
    window: Option<(String, Period)>,
    rolling: Option<Period>,
    sketches: Option<Arc<SketchDocument>>,
}

/// As the client decodes an answer.
fn decode<T: DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_slice(text).ok()
}

impl Documents {
    /// Takes a text for every document.
    fn decode_all(&mut self, text: &[u8]) {
        NAMES.iter().for_each(|name| self.decode_one(name, text));
    }

    /// Takes a text for the document that an agent calls so.
    fn decode_one(&mut self, name: &str, text: &[u8]) {
        let period = |page: Option<OnePeriod>| page.and_then(|OneEntry(entry)| entry);
        match name {
            "app" => self.app = decode(text),
            "rates" => self.rates = decode(text),
            "series" => self.series = decode(text),
            "findings" => self.findings = decode(text),
            "window" => self.window = period(decode(text)),
            "rolling" => self.rolling = period(decode(text)).map(|(_, period)| period),
            _ => self.sketches = decode(text).map(Arc::new),
        }
    }

    /// Of documents that were not changed, it takes what was decoded before.
    fn of(changed: &ChangedDocuments) -> Self {
        let mut all = DECODED.clone();
        for (name, document) in NAMES.iter().zip(changed) {
            if let Some(document) = document {
                all.decode_one(name, document.to_string().as_bytes());
            }
        }
        all
    }

    fn answer(self) -> AgentAnswer {
        let (window_name, window) = self.window.unwrap_or_default();
        AgentAnswer {
            ours: self.app.is_some(),
            app: self.app,
            rates: self.rates.map(|Rates { packets }| packets),
            findings: self.findings,
            series: self.series.map(|SeriesDocument { series }| series),
            live: Some(window.clone()),
            closed: vec![window.clone()],
            long: self
                .rolling
                .clone()
                .map(|rolling| LongLists { window: window.clone(), rolling: Some(rolling) }),
            window_name,
            window,
            rolling: self.rolling,
            sketches: self.sketches,
            ..AgentAnswer::default()
        }
    }
}

/// Draws screens of two agents, of which the second answers twice.
fn show(first: Documents, second: Documents, input: &mut Unstructured<'_>) {
    let sketches = [first.sketches.clone(), second.sketches.clone()];
    let mut agents = [AgentModel::new("one"), AgentModel::new("two")];
    let answers = [(0, first.clone()), (1, first), (1, second)];
    for (second, (agent, documents)) in (1..).zip(answers) {
        let update = Update::Answer(Box::new(documents.answer()));
        agents[agent].update(update, Duration::from_secs(second));
    }
    let parts: Vec<UnionPart> = sketches.into_iter().flatten().map(UnionPart::Sketches).collect();
    let union = Union::of(&parts);
    check_lists(&union.merged.document);
    let mut app = UiState::new(agents.into(), None, Theme::dark());
    app.update_fleet(union);
    app.tick(Duration::from_secs(4));
    draw(&mut app, (80, 24));
    for _ in 0..ACTIONS_MAX {
        let Ok((action, size)) = <(u8, u8)>::arbitrary(input) else { break };
        if input.is_empty() {
            break;
        }
        app.handle(self::action(action));
        draw(&mut app, SIZES[usize::from(size) % SIZES.len()]);
    }
}

fn action(number: u8) -> Action {
    let page = Page::ALL[usize::from(number / 16) % Page::ALL.len()];
    match number % 16 {
        0 | 1 => Action::Show(page),
        2 => Action::Open,
        3 => Action::Back,
        4 => Action::Down,
        5 => Action::Right,
        6 => Action::Last,
        7 => Action::Findings,
        8 => Action::Sort,
        9 => Action::Wider,
        10 => Action::Pause,
        11 => Action::NextAgent,
        12 => Action::Help,
        13 => Action::Filter,
        14 => Action::Type('e'),
        _ => Action::Click(u16::from(number), 5),
    }
}

/// Every cell holds what a terminal shows and does not obey.
fn draw(app: &mut UiState, (width, height): (u16, u16)) {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    app.regions = pages::draw(&mut buffer, area, app);
    for cell in buffer.content() {
        let is_odd =
            |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        assert!(!cell.symbol().chars().any(is_odd), "{:?}", cell.symbol());
    }
}

/// The bounds of a union hold for all answers of its agents.
fn check_lists(document: &SketchDocument) {
    let (packets, dns) = (&document.period.packets, &document.period.dns);
    for list in [&packets.top_ipv4, &packets.top_ipv6, &dns.top_qname2, &dns.top_nxdomain, &dns.top_qtype] {
        for TopEntry { name, estimate, lower, upper, .. } in list {
            let (lower, upper) = (lower.unwrap_or(0), upper.unwrap_or(u64::MAX));
            assert!((lower..=upper).contains(estimate), "{name:?}: {lower} {estimate} {upper}");
        }
    }
}
