//! Tests of keys.

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
fn the_cursor_of_a_zoomed_list_stays_on_rows_that_the_filter_leaves() {
    let mut app = app(&["ns1"]);
    press(&mut app, "⏎↓↓↓↓");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[0], row: 2 }));
    press(&mut app, "/.net");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[0], row: 0 }));
    press(&mut app, "⎋→");
    assert_eq!(app.zoom, Some(Zoom { list: ListKind::ALL[1], row: 0 }));
}

#[test]
fn the_focus_never_leaves_the_lists() {
    let mut app = app(&["ns1"]);
    app.regions.columns = 3;
    press(&mut app, "↑←");
    assert_eq!(app.focus(), 0);
    press(&mut app, "↓↓↓↓↓↓↓↓→→→→");
    assert_eq!(app.focus(), ListKind::ALL.len() - 1);
    press(&mut app, "6");
    assert_eq!(app.focus(), 0);
}

fn keeping(periods: u64) -> UiState {
    let mut app = app(&["ns1"]);
    let info = crate::model::AgentInfo { periods, ..Default::default() };
    app.agent_mut(0).expect("there is one").info = Some(info);
    app
}

fn windows_after(app: &mut UiState, key: &str, presses: usize) -> Vec<u64> {
    let mut window = || {
        press(app, key);
        app.wanted(0).window.map_or(0, AskedWindow::periods)
    };
    (0..presses).map(|_| window()).collect()
}

#[test]
fn windows_go_from_the_live_period_to_all_that_the_agent_keeps_and_around() {
    let mut app = keeping(12);
    assert_eq!(app.wanted(0).window, None);
    assert_eq!(windows_after(&mut app, "w", 8), [6, 7, 8, 9, 10, 12, 1, 2]);
    assert_eq!(windows_after(&mut app, "W", 3), [1, 12, 10]);
}

#[test]
fn at_the_default_window_both_keys_change_it() {
    assert_eq!(windows_after(&mut keeping(5), "w", 2), [1, 2]);
    assert_eq!(windows_after(&mut keeping(5), "W", 2), [4, 3]);
    assert_eq!(windows_after(&mut keeping(2), "w", 3), [1, 2, 1]);
    assert_eq!(windows_after(&mut keeping(2), "W", 3), [1, 2, 1]);
}

#[test]
fn a_window_that_cannot_be_chosen_is_not_offered() {
    let mut app = keeping(1);
    assert!(!app.can_change_window());
    assert_eq!(windows_after(&mut app, "w", 1), [0]);
    let mut app = keeping(5);
    assert!(app.can_change_window());
    app.agent_mut(0).expect("there is one").link = AgentLink::Saved;
    assert!(!app.can_change_window());
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

#[test]
fn the_fleet_sorts_and_filters_and_the_cursor_stays_on_its_agent() {
    let mut app = app(&["ns1.a", "ns2.b", "ns3.a"]);
    press(&mut app, "↓");
    assert_eq!(app.selected(), 1);
    press(&mut app, "s");
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 1, 0], 1));
    press(&mut app, "/.a");
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 0], 2));
}

#[test]
fn the_whole_fleet_is_the_first_row_and_opens_like_an_agent() {
    let mut app = app(&["ns1", "ns2"]);
    assert_eq!(app.fleet_order(), [0, 1]);
    let union = Union::of(&app.union_parts());
    assert_eq!((union.agents.counters_only, union.agents.whole), (2, 0));
    app.update_fleet(union);
    assert_eq!((app.fleet_order(), app.selected()), (vec![2, 0, 1], 0));
    press(&mut app, "↑⏎");
    let window = app.agent().and_then(|agent| agent.window.as_ref()).expect("there is a union");
    assert_eq!((app.page, window.dns.wire_packets.queries), (Page::Overview, 3));
    assert!(app.wanted(0).in_union && !app.wanted(0).in_detail);
    press(&mut app, "n");
    assert_eq!(app.agent().map(|agent| agent.label.as_str()), Some("ns1"));
    assert!(!app.wanted(0).in_union);
    press(&mut app, "N");
    assert!(app.is_whole_fleet(app.selected()));
    press(&mut app, "8/ns2");
    assert_eq!((app.fleet_order(), app.selected()), (vec![1], 1));
}

#[test]
fn one_agent_is_not_asked_for_a_union() {
    let app = app(&["ns1"]);
    assert!(!app.shows_union() && !app.wanted(0).in_union);
}

#[test]
fn only_the_agent_on_the_screen_is_asked_in_detail() {
    let mut app = app(&["ns1", "ns2"]);
    assert!(!app.wanted(0).in_detail);
    press(&mut app, "7");
    assert!(app.wanted(0).in_detail && !app.wanted(1).in_detail);
    press(&mut app, "n");
    assert!(!app.wanted(0).in_detail && app.wanted(1).in_detail);
}

fn first(app: &UiState) -> Option<String> {
    let window = app.agent().and_then(|agent| agent.window.as_ref()).expect("there is one");
    let rows = window.rows(ListKind::Qname2, &app.filter, app.sorts.of(ListKind::Qname2));
    rows.first().map(|row| row.name.to_string())
}

#[test]
fn a_key_sorts_by_name_or_bound() {
    let mut app = app(&["ns1"]);
    assert_eq!(first(&app).as_deref(), Some(".example.com"));
    press(&mut app, "ss");
    assert_eq!(app.sorts.of(ListKind::Qname2), Sort::Upper);
    press(&mut app, "ss");
    assert_eq!((app.sorts.of(ListKind::Qname2), first(&app).as_deref()), (Sort::Name, Some(".example.com")));
}

#[test]
fn only_the_focused_list_is_sorted_and_without_a_list_nothing_is_sorted() {
    let mut app = app(&["ns1"]);
    let [first_list, second_list] = [Page::Overview.lists()[0], Page::Overview.lists()[1]];
    press(&mut app, "→s");
    assert_eq!((app.sorts.of(first_list), app.sorts.of(second_list)), (Sort::Count, Sort::Name));
    // Neither the agent's page nor help has a list, and the fleet has an order of its own.
    press(&mut app, "7s1?s⎋");
    assert_eq!((app.sorts.of(first_list), app.sorts.of(second_list)), (Sort::Count, Sort::Name));
    assert_eq!(app.fleet_sort, FleetSort::Given);
    press(&mut app, "8s1");
    assert_eq!((app.fleet_sort, app.sorts.of(second_list)), (FleetSort::Queries, Sort::Name));
}

#[test]
fn nothing_is_filtered_on_a_page_without_lists() {
    let mut app = app(&["ns1"]);
    press(&mut app, "7/q");
    assert!(!app.typing && app.filter.is_empty());
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

#[test]
fn the_overview_begins_with_the_lists_that_say_more_about_the_worst_finding() {
    let app = failing();
    assert_eq!(app.lists()[..2], [ListKind::ZonesNxdomain, ListKind::ClientsNxdomain]);
    assert_eq!(app.lists()[2..], ListKind::ALL);
    assert_eq!(app.focused_list(), Some(ListKind::ZonesNxdomain));
}

#[test]
fn a_list_that_is_looked_at_stays_while_findings_come_and_go() {
    let mut app = failing();
    press(&mut app, "⏎");
    app.agent_mut(0).expect("there is one").findings = Some(Vec::new());
    assert_eq!(app.focused_list(), Some(ListKind::ZonesNxdomain));
}

#[test]
fn findings_are_listed_by_a_key_and_closed_by_it_or_escape() {
    let mut app = failing();
    press(&mut app, "f↓↓");
    assert_eq!(app.findings_cursor, Some(1));
    assert!(!app.shows_lists());
    press(&mut app, "f");
    assert_eq!(app.findings_cursor, None);
    press(&mut app, "f⎋");
    assert_eq!((app.findings_cursor, app.page), (None, Page::Overview));
    // An agent that does not judge has no list of findings.
    app.agent_mut(0).expect("there is one").findings = None;
    press(&mut app, "f");
    assert_eq!(app.findings_cursor, None);
}

/// An agent that serves single seconds, and so everything that came with them.
fn newer() -> UiState {
    let mut app = failing();
    app.agent_mut(0).expect("there is one").recent = Some(RecentSeconds::default());
    app
}

fn zone(name: &str) -> TrafficFilter {
    TrafficFilter::default().with(FilterKey::Zone, name)
}

#[test]
fn enter_goes_from_a_list_to_its_row_and_escape_goes_back() {
    let mut app = newer();
    app.agent_mut(0).expect("there is one").findings = Some(Vec::new());
    press(&mut app, "⏎↓⏎");
    assert_eq!(app.wanted(0).focus, Some(zone("example.net")));
    assert!(app.zoom.is_none() && app.agent().is_some_and(|agent| agent.window.is_none()));
    press(&mut app, "⎋");
    assert_eq!(app.wanted(0).focus, None);
    assert!(app.agent().is_some_and(|agent| agent.window.is_some()));
}

#[test]
fn a_row_of_what_is_looked_into_narrows_it() {
    let mut app = newer();
    app.agent_mut(0).expect("there is one").set_focus(Some(zone("example.net")));
    let mut period = Period::default();
    period.dns.top_qtype = vec![entry("TXT", 3)];
    period.dns.top_qname2 = vec![entry("a.example.net", 3)];
    let focus = FocusAnswer { filter: zone("example.net"), period: Ok(("3s".to_owned(), period)) };
    let answer = AgentAnswer { ours: true, focus: Some(focus), ..AgentAnswer::default() };
    let agent = app.agent_mut(0).expect("there is one");
    agent.update(Update::Answer(Box::new(answer)), Duration::ZERO);
    agent.recent = Some(RecentSeconds::default());
    press(&mut app, "⏎⏎");
    let narrower = zone("example.net").with(FilterKey::Name, "a.example.net");
    assert_eq!(app.wanted(0).focus, Some(narrower));
}

#[test]
fn a_late_answer_about_another_filter_is_not_shown() {
    let mut app = newer();
    app.agent_mut(0).expect("there is one").set_focus(Some(zone("example.net")));
    let focus = FocusAnswer { filter: zone("other"), period: Ok(("3s".to_owned(), Period::default())) };
    let answer = AgentAnswer { ours: true, focus: Some(focus), ..AgentAnswer::default() };
    app.agent_mut(0).expect("there is one").update(Update::Answer(Box::new(answer)), Duration::ZERO);
    assert!(app.agent().is_some_and(|agent| agent.window.is_none()));
}

#[test]
fn enter_looks_into_a_finding_and_c_saves_its_packets() {
    let mut app = newer();
    if let Some(findings) = &mut app.agent_mut(0).expect("there is one").findings {
        findings[0].subject = Printable::new("shop.example");
    }
    assert_eq!(press(&mut app, "fc"), ActionOutcome::SavePackets(zone("shop.example")));
    // The agent's own trouble is no traffic.
    assert_eq!(press(&mut app, "↓c"), ActionOutcome::Continue);
    press(&mut app, "⏎");
    assert!(app.wanted(0).focus.is_none() && app.findings_cursor == Some(1));
    press(&mut app, "↑⏎");
    assert_eq!(app.wanted(0).focus, Some(zone("shop.example")));
    assert_eq!(app.findings_cursor, None);
}

#[test]
fn an_older_agent_is_not_looked_into() {
    let mut app = app(&["ns1"]);
    press(&mut app, "⏎");
    assert_eq!(press(&mut app, "c"), ActionOutcome::Continue);
    press(&mut app, "⏎");
    assert!(app.zoom.is_none() && app.wanted(0).focus.is_none());
}

#[test]
fn lists_are_long_on_the_whole_screen_and_have_rates_if_sorted_by_them() {
    let mut app = newer();
    assert_eq!(app.wanted(0).lists, WantedLists::Short);
    press(&mut app, "s");
    assert_eq!(app.wanted(0).lists, WantedLists::WithRates);
    press(&mut app, "sss");
    assert_eq!(app.wanted(0).lists, WantedLists::Short);
    press(&mut app, "⏎");
    assert_eq!(app.wanted(0).lists, WantedLists::Long);
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
