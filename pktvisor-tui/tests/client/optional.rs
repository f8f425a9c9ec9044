//! Pages that a session asks for only sometimes, and that an agent may lack: rates, seconds,
//! findings, sketches, long lists and a focus.

use pktvisor_api::SeriesDocument;
use pktvisor_tui::client::{AskedWindow, FilterKey, Session, TrafficFilter, Wanted, WantedLists};

use crate::{
    LONG, document, http, ours, over,
    support::{
        fake_agent::{FakeAgent, Reply},
        sample,
    },
};

#[test]
fn an_agent_without_a_rates_page_is_shown_without_rates() {
    let agent = ours();
    agent.on("rates", Reply::json(r#"{"error":"unknown path"}"#).status(404));
    let answer = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect("the rest is there");
    assert!(answer.rates.is_none() && answer.window.packets.total > 0);
}

#[test]
fn only_an_agent_on_the_screen_is_asked_for_its_seconds_and_one_without_them_rarely() {
    let agent = ours();
    let in_detail = Wanted { in_detail: true, ..Wanted::default() };
    let mut session = Session::new(http(&agent, LONG));
    session.round(&Wanted::default()).expect("it answers");
    assert!(!agent.asked().contains(&"series".to_owned()));
    let requests = |agent: &FakeAgent| agent.asked().iter().filter(|path| *path == "series").count();
    for _ in 0..10 {
        assert_eq!(session.round(&in_detail).expect("the rest is there").series, None);
    }
    assert_eq!(requests(&agent), 1);

    // A newer agent answers at the same address.
    session.forget();
    let document = SeriesDocument { series: sample::series(100) };
    agent.on("series", Reply::json(serde_json::to_vec(&document).expect("it serialises")));
    let answer = session.round(&in_detail).expect("it answers");
    assert_eq!(answer.series.map(|series| series.dns.queries.len()), Some(81));
}

#[test]
fn findings_are_fetched_every_round() {
    let agent = ours();
    let document = serde_json::to_vec(&sample::findings()).expect("it serialises");
    agent.on("/api/v1/findings", Reply::json(document));
    let mut session = Session::new(http(&agent, LONG));
    for _ in 0..2 {
        let answer = session.round(&Wanted::default()).expect("it answers");
        assert_eq!(answer.findings, Some(sample::findings()));
    }
}

#[test]
fn sketches_are_requested_every_fifth_round_and_for_another_window_at_once() {
    let agent = ours();
    let document = serde_json::to_vec(&sample::sketches(sample::busy(sample::START, 150), 0..10));
    let document = Reply::json(document.expect("it serialises"));
    agent
        .on("/api/v1/sketches/window/5?top=100", document.clone())
        .on("/api/v1/sketches/window/1?top=100", document);
    let mut session = Session::new(http(&agent, LONG));
    let mut is_given = |wanted: Wanted| session.round(&wanted).expect("it answers").sketches.is_some();
    let in_union = |window| Wanted { in_union: true, ..over(window) };
    let rounds: Vec<bool> = (0..6).map(|_| is_given(in_union(None))).collect();
    assert_eq!(rounds, [true, false, false, false, false, true]);
    assert!(is_given(in_union(Some(AskedWindow::Live))));
    assert!(!is_given(over(None)));
}

#[test]
fn an_agent_without_valid_sketches_answers_everything_else() {
    let path = "/api/v1/sketches/window/5?top=100";
    let long = format!("{{\"x\":\"{}\"}}", "x".repeat(4 << 20));
    for bad in [Reply::json("{").status(200), Reply::json(long), Reply::json("{}").status(503)] {
        let agent = ours();
        agent.on(path, bad);
        let mut session = Session::new(http(&agent, LONG));
        for _ in 0..10 {
            let wanted = Wanted { in_union: true, ..Wanted::default() };
            let answer = session.round(&wanted).expect("it answers");
            assert!(answer.sketches.is_none() && answer.window.packets.total > 0);
        }
        let asked = agent.asked().iter().filter(|asked| *asked == path).count();
        assert_eq!(asked, 1, "it is not asked again soon");
    }
}

fn wanting(lists: WantedLists) -> Wanted {
    Wanted { in_detail: true, lists, ..Wanted::default() }
}

#[test]
fn long_lists_are_requested_every_third_round_and_for_another_window_at_once() {
    let agent = ours();
    agent
        .on("window/5?top=1000", document("5m", sample::busy(sample::START, 150)))
        .on("window/2?top=1000", document("2m", sample::busy(sample::START + 60, 90)))
        .on("rolling/10?top=1000", document("10s", sample::busy(sample::START + 140, 10)));
    let mut session = Session::new(http(&agent, LONG));
    let mut is_long = |wanted: Wanted| session.round(&wanted).expect("it answers").long.is_some();
    let rounds: Vec<bool> = (0..7).map(|_| is_long(wanting(WantedLists::Long))).collect();
    assert_eq!(rounds, [true, false, false, true, false, false, true]);
    assert!(is_long(Wanted { window: Some(AskedWindow::Last(2)), ..wanting(WantedLists::Long) }));
    assert!(!is_long(wanting(WantedLists::Short)));
    assert!(is_long(wanting(WantedLists::Long)));
}

#[test]
fn an_agent_without_long_lists_and_rates_is_shown_without_them() {
    let agent = ours();
    let mut session = Session::new(http(&agent, LONG));
    for lists in [WantedLists::Long, WantedLists::WithRates] {
        let answer = session.round(&wanting(lists)).expect("the rest is there");
        assert!(answer.long.is_none() && answer.rolling.is_none() && answer.window.packets.total > 0);
    }
}

#[test]
fn an_agent_is_looked_into_or_says_why_not() {
    let agent = ours();
    let filter = TrafficFilter::default().with(FilterKey::Zone, "shop.example");
    let wanted = Wanted { focus: Some(filter.clone()), in_detail: true, ..Wanted::default() };
    let mut session = Session::new(http(&agent, LONG));
    let mut focus = || session.round(&wanted).expect("it answers").focus.expect("it was wanted");
    assert_eq!(focus().period.expect_err("an older agent"), "this agent cannot be looked into");
    let full = r#"{"error":"eight others look already"}"#;
    agent.on("/api/v1/focus?zone=shop.example", Reply::json(full).status(503));
    assert_eq!(focus().period.expect_err("too many"), "the agent answers: eight others look already");
    let matching = document("12s", sample::busy(sample::START, 12));
    agent.on("/api/v1/focus?zone=shop.example", matching);
    let answer = focus();
    assert_eq!(answer.period.expect("it looks").0, "12s");
    assert_eq!(answer.filter, filter);
}
