//! The union of a fleet of 50 agents, some of which are older, slow, silent or hostile.

mod support;

use std::{
    ops::Range,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use pktvisor_api::{HllImage, PeriodDocument, Rates, SketchDocument};
use pktvisor_tui::{
    app::UiState,
    client::{AgentEndpoint, Http, Permits, Poller, Update},
    model::{AgentModel, Standing, Union, UnionAgents, UnionPart},
    pages,
    theme::Theme,
};
use ratatui::{buffer::Buffer, layout::Rect};
use support::{
    fake_agent::{FakeAgent, Reply},
    sample,
};

/// Longer than anything here takes; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(60);

/// The timeout of a request. Slow agents take longer to give sketches.
const TIMEOUT: Duration = Duration::from_millis(1500);

const SKETCHES: &str = "/api/v1/sketches/window/5?top=100";

/// What is special about an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    Good,
    /// Of version 3.0.
    Older,
    /// Its sketches take longer than the timeout.
    Slow,
    /// Its sketches are longer than any agent's.
    Endless,
    /// Its sketches are none.
    Lying,
    /// Nobody listens.
    Silent,
}

/// 50 agents in a mixed order.
fn nature(index: usize) -> Nature {
    match index {
        7 | 23 | 41 => Nature::Older,
        2 | 3 | 30 => Nature::Slow,
        11 => Nature::Endless,
        12 => Nature::Lying,
        19 | 49 => Nature::Silent,
        _ => Nature::Good,
    }
}

/// The clients of an agent. The next one has most of them, too.
fn clients(index: usize) -> Range<usize> {
    index * 100..index * 100 + 1000
}

fn json(value: &impl serde::Serialize) -> Reply {
    Reply::json(serde_json::to_vec(value).expect("it serialises"))
}

fn start(index: usize) -> FakeAgent {
    let agent = FakeAgent::start();
    if nature(index) == Nature::Older {
        let app = r#"{"app":{"version":"3.0.7","deep_sample_rate_pct":100,"periods":5,"single_summary":false,
                      "up_time_min":17.5},"dns":{"xact":{"open":3}}}"#;
        agent.on("app", Reply::json(app)).on("window/5", Reply::json(sample::OLDER_WINDOW));
        return agent;
    }
    let mut app = sample::app();
    app.app.periods = 5;
    let period = sample::busy(sample::START, 150);
    let mut document = sample::sketches(period.clone(), clients(index));
    if nature(index) == Nature::Lying {
        document.distinct.insert("dns.in.clients".to_owned(), HllImage(vec![10, 1, 7, 14]));
    }
    let sketches = match nature(index) {
        Nature::Slow => json(&document).after(TIMEOUT * 3),
        Nature::Endless => Reply::json(format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20))),
        _ => json(&document),
    };
    agent
        .on("app", json(&app))
        .on("rates", json(&Rates { packets: sample::rates(7) }))
        .on("bucket/0", json(&PeriodDocument::from([("1m".to_owned(), period.clone())])))
        .on("window/5", json(&PeriodDocument::from([("5m".to_owned(), period)])))
        .on(SKETCHES, sketches);
    agent
}

/// What one agent would have reported that saw the clients of all good ones.
fn expected() -> SketchDocument {
    let parts: Vec<UnionPart> = (0..50)
        .filter(|index| nature(*index) == Nature::Good)
        .map(|index| sample::sketches(sample::busy(sample::START, 150), clients(index)))
        .map(|document| UnionPart::Sketches(Arc::new(document)))
        .collect();
    Union::of(&parts).merged.document
}

#[test]
fn fifty_agents_are_united_although_some_are_older_slow_silent_or_hostile() {
    let agents: Vec<FakeAgent> = (0..50).map(start).collect();
    let endpoints: Vec<AgentEndpoint> = agents
        .iter()
        .map(|agent| AgentEndpoint::parse(&agent.address.to_string(), 1).expect("an address"))
        .collect();
    let agents: Vec<Option<FakeAgent>> = agents
        .into_iter()
        .enumerate()
        .map(|(index, agent)| Some(agent).filter(|_| nature(index) != Nature::Silent))
        .collect();
    let models = endpoints.iter().map(|endpoint| AgentModel::new(&endpoint.label())).collect();
    let mut app = UiState::new(models, None, Theme::dark());
    assert!(app.shows_union());
    let permits = Permits::default();
    let (sender, updates) = mpsc::channel::<(usize, Update)>();
    let pollers: Vec<Poller> = endpoints
        .iter()
        .enumerate()
        .map(|(index, endpoint)| {
            let (http, sender) = (Http::new(endpoint.clone(), TIMEOUT), sender.clone());
            Poller::start(http, permits.clone(), app.wanted(index), move |update| {
                sender.send((index, update)).is_ok()
            })
            .expect("a thread")
        })
        .collect();
    let wanted = UnionAgents { whole: 40, counters_only: 7, invalid: 1, missing: 2 };
    let started = Instant::now();
    let union = loop {
        let (index, update) = updates.recv_timeout(LONG).expect("agents go on answering");
        let now = started.elapsed();
        app.tick(now);
        app.agent_mut(index).expect("it is in the fleet").update(update, now);
        let union = Union::of(&app.union_parts());
        if union.agents == wanted {
            break union;
        }
        assert!(now < LONG, "{:?}", union.agents);
    };
    assert_union(&union);
    // A slow agent delays no other one.
    for (index, agent) in app.agents().iter().enumerate() {
        let is_silent = nature(index) == Nature::Silent;
        assert_eq!(agent.standing(app.now()) == Standing::Live, !is_silent, "{index}");
    }
    app.update_fleet(union);
    assert_screen(&app);
    drop((pollers, agents));
}

fn assert_union(union: &Union) {
    let (found, expected) = (&union.merged.document, expected());
    let dns = &found.period.dns;
    assert_eq!(found.distinct, expected.distinct);
    assert_eq!(dns.inbound.clients, expected.period.dns.inbound.clients);
    assert!(dns.inbound.clients < 40 * 1000 / 4, "not the sum: {}", dns.inbound.clients);
    assert_eq!(dns.inbound.top_clients, expected.period.dns.inbound.top_clients);
    assert_eq!(found.histograms["dns.xact.in.quantiles_us"].count, 40 * 100);
    // Counters are those of all that answer.
    let older: PeriodDocument = serde_json::from_str(sample::OLDER_WINDOW).expect("the 3.0 shape parses");
    let older = older["5m"].dns.wire_packets.queries;
    let ours = sample::busy(sample::START, 150).dns.wire_packets.queries;
    assert_eq!(dns.wire_packets.queries, 45 * ours + 3 * older);
}

fn assert_screen(app: &UiState) {
    let area = Rect::new(0, 0, 80, 24);
    let mut buffer = Buffer::empty(area);
    pages::draw(&mut buffer, area, app);
    let row = |row| (0..area.width).map(|column| buffer[(column, row)].symbol()).collect::<String>();
    let screen = (0..area.height).map(row).collect::<Vec<_>>().join("\n");
    for text in ["Union of 40 of 50 agents", "counters 7, invalid 1, absent 2", "the whole fleet", "at most"]
    {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
}
