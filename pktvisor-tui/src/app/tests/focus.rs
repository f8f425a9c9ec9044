//! Tests of keys that look into a row or a finding, and that save packets.

use super::*;

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
