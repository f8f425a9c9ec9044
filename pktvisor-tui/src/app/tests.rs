//! Tests of keys: pages, and what is on the screen.

mod fleet;
mod focus;
mod lists;
mod windows;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use pktvisor_api::{Period, TopEntry};

use super::*;
use crate::{
    client::{AgentAnswer, FilterKey, FocusAnswer, TrafficFilter, Update},
    model::{AgentLink, FindingRow, Printable, RecentSeconds, Sort, SubjectKind, Union},
};

fn entry(name: &str, estimate: u64) -> TopEntry {
    TopEntry {
        name: name.to_owned(),
        estimate,
        lower: Some(estimate - 1),
        upper: Some(estimate + 1),
        scaled: None,
    }
}

fn agent(label: &str, queries_per_second: u64) -> AgentModel {
    let mut agent = AgentModel::new(label);
    let mut period = Period::default();
    period.period.length = 1;
    period.dns.wire_packets.queries = queries_per_second;
    period.dns.top_qname2 = vec![entry(".example.com", 30), entry(".example.net", 20), entry("com", 10)];
    let answer =
        AgentAnswer { ours: true, window: period, window_name: "5m".to_owned(), ..AgentAnswer::default() };
    agent.update(Update::Answer(Box::new(answer)), Duration::ZERO);
    agent
}

fn app(labels: &[&str]) -> UiState {
    let agents = (1..).zip(labels).map(|(rate, label)| agent(label, rate)).collect();
    UiState::new(agents, None, Theme::dark())
}

fn press(app: &mut UiState, keys: &str) -> ActionOutcome {
    let mut outcome = ActionOutcome::Continue;
    for character in keys.chars() {
        let code = match character {
            '⏎' => KeyCode::Enter,
            '⎋' => KeyCode::Esc,
            '⇥' => KeyCode::Tab,
            '⌫' => KeyCode::Backspace,
            '↓' => KeyCode::Down,
            '↑' => KeyCode::Up,
            '→' => KeyCode::Right,
            '←' => KeyCode::Left,
            other => KeyCode::Char(other),
        };
        let mode = if app.typing { InputMode::Typing } else { InputMode::Normal };
        if let Some(action) = action_of_key(KeyEvent::new(code, KeyModifiers::NONE), mode) {
            outcome = app.handle(action);
        }
    }
    outcome
}

#[test]
fn one_agent_starts_on_its_overview_and_several_on_the_fleet() {
    assert_eq!(app(&["ns1"]).page, Page::Overview);
    assert_eq!(app(&["ns1", "ns2"]).page, Page::Fleet);
}

#[test]
fn digits_and_tab_change_pages() {
    let mut app = app(&["ns1"]);
    for (keys, page) in [("2", Page::Dns), ("8", Page::Fleet), ("⇥", Page::Overview), ("7", Page::Agent)] {
        press(&mut app, keys);
        assert_eq!(app.page, page, "{keys}");
    }
}

#[test]
fn q_leaves_but_not_while_a_filter_is_typed() {
    let mut app = app(&["ns1"]);
    assert_eq!(press(&mut app, "/q"), ActionOutcome::Continue);
    assert_eq!(app.filter, "q");
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(action_of_key(ctrl_c, InputMode::Typing), Some(Action::Quit));
    assert_eq!(press(&mut app, "⏎q"), ActionOutcome::Quit);
}

#[test]
fn escape_goes_out_one_step_at_a_time() {
    let mut app = app(&["ns1", "ns2"]);
    press(&mut app, "⏎⏎/exa⏎?");
    assert!(app.help.is_some() && app.zoom.is_some() && app.filter == "exa");
    press(&mut app, "⎋");
    assert!(app.help.is_none() && app.filter == "exa");
    press(&mut app, "⎋");
    assert!(app.filter.is_empty() && app.zoom.is_some());
    press(&mut app, "⎋");
    assert!(app.zoom.is_none() && app.page == Page::Overview);
    press(&mut app, "⎋");
    assert_eq!(app.page, Page::Fleet);
}

#[test]
fn a_paused_screen_stands_still_while_data_comes_in() {
    let mut app = app(&["ns1"]);
    app.tick(Duration::from_secs(10));
    press(&mut app, "p");
    app.tick(Duration::from_secs(15));
    *app.agent_mut(0).expect("there is one") = agent("ns1", 99);
    let shown = |app: &UiState| app.agent().and_then(AgentModel::queries_per_second);
    assert_eq!((shown(&app), app.now()), (Some(1), Duration::from_secs(10)));
    assert_eq!(app.paused_for(), Some(Duration::from_secs(5)));
    press(&mut app, "p");
    assert_eq!((shown(&app), app.now()), (Some(99), Duration::from_secs(15)));
}

fn failing() -> UiState {
    let mut app = app(&["ns1"]);
    let finding = |kind: &str, subject: SubjectKind| FindingRow {
        kind: Printable::new(kind),
        subject_kind: subject,
        ..FindingRow::default()
    };
    let findings =
        vec![finding("random_subdomains", SubjectKind::Zone), finding("driver_drops", SubjectKind::Agent)];
    app.agent_mut(0).expect("there is one").findings = Some(findings);
    app
}

/// An agent that serves single seconds, and so everything that came with them.
fn newer() -> UiState {
    let mut app = failing();
    app.agent_mut(0).expect("there is one").recent = Some(RecentSeconds::default());
    app
}

#[test]
fn what_became_of_a_file_stays_until_a_key_is_pressed() {
    let mut app = newer();
    app.packets = Some(PacketsUpdate::Saving { file: "x".to_owned(), bytes: 3 });
    press(&mut app, "1");
    assert!(app.packets.is_some());
    app.packets = Some(PacketsUpdate::Failed("no".to_owned()));
    press(&mut app, "1");
    assert!(app.packets.is_none());
}
