//! The window and the closed periods that a session asks for.

use pktvisor_tui::client::{AskedWindow, Session, Wanted};

use crate::{
    LONG, document, http, ours, over,
    support::{
        fake_agent::{FakeAgent, Reply},
        sample,
    },
};

#[test]
fn the_default_window_is_five_minutes() {
    let agent = ours();
    let mut session = Session::new(http(&agent, LONG));
    let answer = session.round(&Wanted::default()).expect("it answers");
    assert!(answer.ours);
    assert_eq!((answer.window_name.as_str(), answer.window.period.length), ("5m", 150));
    let answer = session.round(&over(Some(AskedWindow::Last(2)))).expect("it answers");
    assert_eq!((answer.window_name.as_str(), answer.window.period.length), ("2m", 90));
    let answer = session.round(&over(Some(AskedWindow::Live))).expect("it answers");
    assert_eq!((answer.window_name.as_str(), answer.window.period.length), ("1m", 30));
}

#[test]
fn a_window_never_exceeds_the_periods_that_the_agent_keeps() {
    let agent = ours();
    let mut session = Session::new(http(&agent, LONG));
    session.round(&over(Some(AskedWindow::Last(60)))).expect("it answers");
    assert!(agent.asked().contains(&"window/5".to_owned()));
}

#[test]
fn closed_periods_are_fetched_once_and_after_a_rotation() {
    let agent = ours();
    let mut session = Session::new(http(&agent, LONG));
    let answer = session.round(&Wanted::default()).expect("it answers");
    let starts: Vec<i64> = answer.closed.iter().map(|period| period.period.start_ts).collect();
    assert_eq!(starts, [sample::START + 60, sample::START]);
    assert_eq!(agent.asked()[..4], ["app", "rates", "/api/v1/findings", "bucket/0"]);
    assert_eq!(agent.asked()[4..], ["window/5", "bucket/1", "bucket/2", "bucket/3"]);

    let before = agent.asked().len();
    assert!(session.round(&Wanted::default()).expect("it answers").closed.is_empty());
    assert_eq!(agent.asked()[before..], ["rates", "bucket/0", "window/5"]);

    agent.on("bucket/0", document("1m", sample::busy(sample::START + 180, 1)));
    agent.on("bucket/1", document("1m", sample::busy(sample::START + 120, 60)));
    let answer = session.round(&Wanted::default()).expect("it answers");
    assert_eq!(answer.closed.first().map(|period| period.period.start_ts), Some(sample::START + 120));
}

#[test]
fn a_snapshot_asks_for_no_history() {
    let agent = ours();
    Session::without_history(http(&agent, LONG)).round(&Wanted::default()).expect("it answers");
    assert_eq!(agent.asked(), ["app", "rates", "/api/v1/findings", "bucket/0", "window/5"]);
}

#[test]
fn a_3_0_agent_is_asked_for_what_it_can_answer() {
    let agent = FakeAgent::start();
    let text_json = |body: &str| Reply::json(body).content_type("text/json");
    agent
        .on("app", text_json(r#"{"app":{"version":"3.0.7","periods":5},"dns":{"xact":{"open":0}}}"#))
        .on("rates", text_json(r#"{"packets":{"in":412,"out":390}}"#))
        .on("window/5", text_json(sample::OLDER_WINDOW));
    let mut session = Session::new(http(&agent, LONG));
    let answer = session.round(&over(Some(AskedWindow::Live))).expect("it answers");
    assert!(!answer.ours && answer.live.is_none() && answer.closed.is_empty());
    assert_eq!((answer.window_name.as_str(), answer.window.packets.total), ("5m", 214_377));
    assert_eq!(answer.rates.map(|rates| rates.received), Some(412));
    assert_eq!(agent.asked(), ["app", "rates", "window/5"]);
}

#[test]
fn a_window_is_shortened_to_the_periods_that_the_agent_keeps() {
    let agent = FakeAgent::start();
    agent
        .on("app", Reply::json(r#"{"app":{"version":"3.0.7","periods":3}}"#))
        .on("rates", Reply::json(r#"{"packets":{"in":1,"out":2}}"#))
        .on("window/3", Reply::json(sample::OLDER_WINDOW.replace("5m", "3m")));
    let answer = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect("it answers");
    assert_eq!(answer.window_name, "3m");
}
