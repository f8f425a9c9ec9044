//! Screens in every state that an agent can be in.

use std::time::Duration;

use pktvisor_api::{CaptureMode, Period, PeriodDocument};
use pktvisor_tui::{
    app::{Action, Page, UiState},
    client::Update,
    model::{AgentModel, Union},
    theme::Theme,
};

use super::sample;

/// Creates a screen.
pub(crate) type State = fn() -> UiState;

/// States by name. Each is a fleet of one, but for the fleet's page.
pub(crate) const STATES: [(&str, State); 10] = [
    ("full", full),
    ("failing", failing),
    ("empty", empty),
    ("stale", stale),
    ("no_agent", no_agent),
    ("older", older),
    ("long_names", long_names),
    ("odd_bytes", odd_bytes),
    ("huge_numbers", huge_numbers),
    ("file", file),
];

/// A capture file, read to its end by an agent that does not know the addresses of HOST.
pub(crate) fn file() -> UiState {
    let agent = sample::watched("ns1.example", 3, |answer| {
        let periods = [Some(&mut answer.window), answer.live.as_mut()].into_iter().flatten();
        for period in periods.chain(&mut answer.closed) {
            let packets = &mut period.packets;
            (packets.received, packets.sent, packets.unknown) = (0, 0, packets.total);
            (packets.bytes_in, packets.bytes_out) = (0, 0);
            packets.rates = Default::default();
            packets.cardinality = Default::default();
            for list in
                [&mut packets.top_ipv4, &mut packets.top_ipv6, &mut packets.top_geo_loc, &mut packets.top_asn]
            {
                list.clear();
            }
            (period.dns.inbound, period.dns.outbound) = Default::default();
            for direction in [&mut period.dns.xact.inbound, &mut period.dns.xact.outbound] {
                *direction = Default::default();
            }
        }
        answer.rates = Some(Default::default());
        answer.series = Some(Default::default());
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            capture.target = "/var/captures/2020-03-24.pcap".to_owned();
            capture.mode = CaptureMode::File;
            capture.hook = None;
            capture.interfaces.clear();
            capture.finished = true;
            capture.notes.clear();
        }
    });
    show(vec![agent], 2)
}

pub(crate) fn show(agents: Vec<AgentModel>, now: u64) -> UiState {
    let mut app = UiState::new(agents, None, Theme::dark());
    app.handle(Action::Show(Page::Overview));
    app.tick(Duration::from_secs(now));
    app
}

pub(crate) fn full() -> UiState {
    show(vec![sample::watched("ns1.example", 90, |_| {})], 89)
}

/// Something is wrong.
pub(crate) fn failing() -> UiState {
    let agent = sample::watched("ns1.example", 90, |answer| answer.findings = Some(sample::findings()));
    show(vec![agent], 89)
}

/// The agent answers and has seen no packet yet.
pub(crate) fn empty() -> UiState {
    let clear = |period: &mut Period| {
        let span = period.period;
        *period = Period { period: span, ..Period::default() };
    };
    let agent = sample::watched("ns1.example", 3, |answer| {
        clear(&mut answer.window);
        if let Some(live) = &mut answer.live {
            clear(live);
        }
        answer.closed.clear();
        answer.rates = Some(Default::default());
        answer.series = Some(Default::default());
        if let Some(app) = &mut answer.app {
            app.app.ledger = Some(Default::default());
        }
    });
    show(vec![agent], 2)
}

pub(crate) fn stale() -> UiState {
    let mut agent = sample::watched("ns1.example", 90, |_| {});
    for second in [90, 92, 96, 104] {
        agent.update(sample::refused(), Duration::from_secs(second));
    }
    show(vec![agent], 107)
}

pub(crate) fn no_agent() -> UiState {
    let mut agent = AgentModel::new("ns1.example");
    agent.update(sample::refused(), Duration::from_secs(1));
    show(vec![agent], 3)
}

pub(crate) fn older() -> UiState {
    let mut agent = AgentModel::new("ns1.example");
    agent.update(Update::Answer(Box::new(sample::older_answer())), Duration::from_secs(1));
    show(vec![agent], 2)
}

pub(crate) fn renamed(label: &str, name: impl Fn(usize) -> String) -> UiState {
    let agent = sample::watched(label, 5, |answer| {
        for list in sample::lists(&mut answer.window) {
            for (place, entry) in list.iter_mut().enumerate() {
                entry.name = name(place);
            }
        }
        let mut findings = sample::findings();
        for finding in &mut findings.findings {
            (finding.text, finding.subject.name) = (name(0), name(1));
            finding.kind = name(2);
            finding.who.iter_mut().for_each(|row| row.name = name(0));
            finding.measures.iter_mut().for_each(|measure| measure.name = name(1));
        }
        answer.findings = Some(findings);
        if let Some(capture) = answer.app.as_mut().and_then(|app| app.app.capture.as_mut()) {
            capture.target = name(0);
            capture.notes = vec![name(1)];
        }
    });
    show(vec![agent], 4)
}

pub(crate) fn long_names() -> UiState {
    let label = |length| "abcdefghijklmnopqrstuvwxyz".repeat(3).chars().take(length).collect::<String>();
    renamed(&format!("{}.example", label(63)), |place| {
        format!("{}.{}.{}.{}.example", label(63), label(63), label(63), label(40 + place))
    })
}

pub(crate) fn odd_bytes() -> UiState {
    let names = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}.example",
        "tab\there\r\nand\0there",
        "right\u{202e}tfel.example",
        "wide東京.example",
        "zero\u{200b}width\u{301}",
        "c1\u{9b}31m\u{7f}",
    ];
    renamed("\u{1b}[31mns1\u{9b}m", |place| names[place % names.len()].to_owned())
}

pub(crate) fn huge_numbers() -> UiState {
    let huge = |period: &Period| -> Period {
        let mut value = serde_json::to_value(period).expect("it serialises");
        sample::replace_numbers(&mut value, u64::MAX);
        value["period"] = serde_json::json!({ "start_ts": sample::START, "length": 1 });
        let document = serde_json::json!({ "5m": value });
        let document: PeriodDocument = serde_json::from_value(document).expect("2^64 - 1 is a u64");
        document.into_values().next().expect("one period")
    };
    let agent = sample::watched("ns1.example", 5, |answer| {
        answer.window = huge(&answer.window);
        answer.live = answer.live.as_ref().map(&huge);
        answer.closed = answer.closed.iter().map(&huge).collect();
        answer.rates = Some(pktvisor_api::DirectionRates {
            received: u64::MAX,
            sent: u64::MAX,
            unknown: u64::MAX,
            bytes_in: u64::MAX,
            bytes_out: u64::MAX,
            dns_queries: u64::MAX,
            dns_replies: u64::MAX,
        });
        let mut series = serde_json::to_value(&answer.series).expect("it serialises");
        sample::replace_numbers(&mut series, u64::MAX);
        series["start_ts"] = sample::START.into();
        answer.series = serde_json::from_value(series).expect("2^64 - 1 is a u64");
        if let Some(app) = &mut answer.app {
            let mut value = serde_json::to_value(app.app.ledger).expect("it serialises");
            sample::replace_numbers(&mut value, u64::MAX);
            app.app.ledger = serde_json::from_value(value).expect("2^64 - 1 is a u64");
            app.app.up_time_min = f64::MAX;
            app.dns.xact.open = u64::MAX;
            app.dns.xact.waiting = u64::MAX;
        }
    });
    show(vec![agent], 4)
}

/// A fleet of every state.
pub(crate) fn fleet() -> UiState {
    let mut agents = Vec::new();
    for (name, state) in STATES {
        let mut agent = state().agent().expect("there is one").clone();
        if !matches!(name, "odd_bytes" | "long_names") {
            agent.label = pktvisor_tui::model::Printable::new(&format!("{name}.example"));
        }
        // All but the silent ones have just answered.
        if !matches!(name, "stale" | "no_agent") {
            agent.answered_at = Some(Duration::from_secs(106));
        }
        agents.push(agent);
    }
    let mut app = UiState::new(agents, None, Theme::dark());
    app.tick(Duration::from_secs(107));
    app
}

/// A fleet whose union is on the screen: agents with overlapping clients, an older one, and silent ones.
pub(crate) fn fleet_union() -> UiState {
    let mut agents = vec![
        sample::with_sketches("ns1.example", 90, 0..2000),
        sample::with_sketches("ns2.example", 90, 1000..3000),
        older().agent().expect("there is one").clone(),
        no_agent().agent().expect("there is one").clone(),
    ];
    agents[2].label = pktvisor_tui::model::Printable::new("older.example");
    agents[2].answered_at = Some(Duration::from_secs(89));
    united(agents, 90)
}

/// A fleet with numbers as large as they can be.
pub(crate) fn huge_union() -> UiState {
    let mut huge = huge_numbers().agent().expect("there is one").clone();
    huge.answered_at = Some(Duration::from_secs(89));
    let agents = ["ns1.example", "ns2.example"].map(|label| {
        sample::watched(label, 90, |answer| {
            let mut document = sample::sketches(answer.window.clone(), 0..2000);
            let lists = [&mut document.period.dns.top_qname2, &mut document.period.dns.inbound.top_clients];
            for entry in lists.into_iter().flatten() {
                entry.estimate = u64::MAX;
            }
            for bucket in &mut document.histograms.values_mut().next().expect("times").buckets {
                (bucket.index, bucket.count) = (i32::MAX, u64::MAX);
            }
            answer.sketches = Some(std::sync::Arc::new(document));
        })
    });
    united(agents.into_iter().chain([huge]).collect(), 90)
}

fn united(agents: Vec<AgentModel>, now: u64) -> UiState {
    let mut app = UiState::new(agents, None, Theme::dark());
    app.tick(Duration::from_secs(now));
    let union = Union::of(&app.union_parts());
    app.update_fleet(union);
    app
}

/// The fleet whose union is selected.
pub(crate) fn whole_fleet() -> UiState {
    let mut app = fleet_union();
    app.handle(Action::First);
    app
}

/// All pages, zoomed and not, with help and a filter.
pub(crate) fn everywhere(state: State) -> Vec<UiState> {
    let mut apps = Vec::new();
    for page in Page::ALL {
        for actions in [
            &[][..],
            &[Action::Open],
            &[Action::Help],
            &[Action::Findings],
            &[Action::Filter, Action::Type('x')],
        ] {
            let mut app = state();
            app.handle(Action::Show(page));
            for action in actions {
                app.handle(*action);
            }
            apps.push(app);
        }
    }
    apps
}
