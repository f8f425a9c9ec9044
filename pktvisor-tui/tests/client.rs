//! Sessions with agents: of our line, of the 3.0 line, slow, broken, and restarted.

mod support;

use std::{
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use pktvisor_api::{Period, PeriodDocument, Rates, SeriesDocument};
use pktvisor_tui::client::{
    AgentEndpoint, AskedWindow, FetchError, FilterKey, Http, PacketsUpdate, Permits, Poller, PollerCommand,
    Session, TrafficFilter, Update, Wanted, WantedLists, save_packets,
};
use support::{
    fake_agent::{FakeAgent, Reply},
    sample,
};

/// Longer than anything here takes; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(20);

fn http(agent: &FakeAgent, timeout: Duration) -> Http {
    Http::new(AgentEndpoint::parse(&agent.address.to_string(), 1).expect("an address"), timeout)
}

fn document(name: &str, period: Period) -> Reply {
    let document = PeriodDocument::from([(name.to_owned(), period)]);
    Reply::json(serde_json::to_vec(&document).expect("it serialises"))
}

/// An agent of ours that keeps five periods, two of which are closed.
fn ours() -> FakeAgent {
    let agent = FakeAgent::start();
    describe(&agent);
    agent
}

fn describe(agent: &FakeAgent) {
    let mut app = sample::app();
    app.app.periods = 5;
    agent
        .on("app", Reply::json(serde_json::to_vec(&app).expect("it serialises")))
        .on(
            "rates",
            Reply::json(serde_json::to_vec(&Rates { packets: sample::rates(7) }).expect("it serialises")),
        )
        .on("bucket/0", document("1m", sample::busy(sample::START + 120, 30)))
        .on("bucket/1", document("1m", sample::busy(sample::START + 60, 60)))
        .on("bucket/2", document("1m", sample::busy(sample::START, 60)))
        .on("bucket/3", Reply::json(r#"{"error":"this metrics period has not yet accumulated"}"#).status(425))
        .on("window/2", document("2m", sample::busy(sample::START + 60, 90)))
        .on("window/5", document("5m", sample::busy(sample::START, 150)));
}

/// What a screen with this window wants.
fn over(window: Option<AskedWindow>) -> Wanted {
    Wanted { window, ..Wanted::default() }
}

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

#[test]
fn an_error_with_status_200_is_told_in_the_words_of_the_agent() {
    let agent = ours();
    agent.on("window/5", Reply::json(r#"{"error": "invalid metrics period, specify [2, 3]"}"#));
    let error = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect_err("it refuses");
    assert_eq!(error.to_string(), "the agent answers: invalid metrics period, specify [2, 3]");
}

#[test]
fn an_agent_without_a_rates_page_is_shown_without_rates() {
    let agent = ours();
    agent.on("rates", Reply::json(r#"{"error":"unknown path"}"#).status(404));
    let answer = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect("the rest is there");
    assert!(answer.rates.is_none() && answer.window.packets.total > 0);
}

#[test]
fn an_answer_of_another_web_server_is_foreign() {
    let agent = FakeAgent::start();
    agent.on("app", Reply::json("<html>hello</html>").content_type("text/html"));
    let error = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect_err("a web page");
    assert!(matches!(error, FetchError::Foreign(_)), "{error}");
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let agent = FakeAgent::start();
    agent.on("app", Reply::json(vec![b' '; 2 << 20]));
    let error = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect_err("too long");
    assert_eq!(error.to_string(), "not an answer of pktvisord: it is longer than 1 MiB");
}

#[test]
fn thousands_of_periods_in_one_answer_are_one() {
    let agent = ours();
    let many = format!("{{{}\"5m\":{{}}}}", "\"5m\":{},".repeat(20_000));
    agent.on("window/5", Reply::json(many));
    let answer = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect("it answers");
    assert_eq!((answer.window_name.as_str(), answer.window), ("5m", Period::default()));
}

#[test]
fn a_request_to_a_slow_agent_times_out() {
    let agent = ours();
    agent.on("rates", Reply::json("{}").after(Duration::from_secs(5)));
    let error = Session::new(http(&agent, Duration::from_millis(150)))
        .round(&Wanted::default())
        .expect_err("too slow");
    assert_eq!(error.to_string(), "no answer within 150 ms");
}

#[test]
fn nobody_listening_is_a_refused_connection() {
    let agent = FakeAgent::start();
    let http = http(&agent, LONG);
    drop(agent);
    let error = Session::new(http).round(&Wanted::default()).expect_err("nobody is there");
    assert_eq!(error.to_string(), "cannot connect: connection refused");
}

fn poll(agent: &FakeAgent) -> (Poller, Receiver<Update>) {
    let (sender, updates) = mpsc::channel();
    let poller = Poller::start(http(agent, LONG), Permits::default(), Wanted::default(), move |update| {
        sender.send(update).is_ok()
    });
    (poller.expect("a thread"), updates)
}

fn next_window(updates: &Receiver<Update>) -> String {
    match updates.recv_timeout(LONG).expect("an update") {
        Update::Answer(answer) => answer.window_name,
        Update::Failure { error, .. } => panic!("{error}"),
    }
}

#[test]
fn another_window_is_requested_at_once() {
    let agent = ours();
    let (poller, updates) = poll(&agent);
    assert_eq!(next_window(&updates), "5m");
    poller.send(PollerCommand::Want(over(Some(AskedWindow::Last(2)))));
    // The round that was under way may still bring the old one.
    assert!((0..2).any(|_| next_window(&updates) == "2m"));
}

#[test]
fn an_agent_that_goes_away_and_comes_back_is_found_again() {
    let agent = ours();
    let address = agent.address;
    let (poller, updates) = poll(&agent);
    assert_eq!(next_window(&updates), "5m");
    drop(agent);
    let failure = updates.iter().find(|update| matches!(update, Update::Failure { .. }));
    let Some(Update::Failure { retry_in, .. }) = failure else { panic!("it is gone") };
    assert_eq!(retry_in, Duration::from_secs(1));
    let agent = FakeAgent::start_on(address);
    describe(&agent);
    poller.send(PollerCommand::Retry);
    let answer = updates.iter().find_map(|update| match update {
        Update::Answer(answer) => Some(answer),
        Update::Failure { .. } => None,
    });
    // Its description of itself is requested again, because it may be another agent.
    assert!(answer.is_some_and(|answer| answer.app.is_some() && answer.closed.len() == 2));
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

/// What becomes of saving packets into a directory of its own, and the files in it.
fn saved_from(reply: Reply) -> (PacketsUpdate, Vec<Vec<u8>>) {
    let agent = FakeAgent::start();
    agent.on("/api/v1/packets?client=192.0.2.1&limit=10000&seconds=30", reply);
    let directory = tempfile::tempdir().expect("a directory");
    let filter = TrafficFilter::default().with(FilterKey::Client, "192.0.2.1");
    let (sender, updates) = mpsc::channel();
    save_packets(http(&agent, LONG), filter, directory.path().to_owned(), move |update| {
        let _over = sender.send(update);
    })
    .expect("a thread");
    let last = updates.iter().last().expect("an update");
    let files = std::fs::read_dir(directory.path()).expect("it exists").flatten();
    (last, files.map(|file| std::fs::read(file.path()).expect("it can be read")).collect())
}

#[test]
fn packets_are_saved_as_they_are_streamed() {
    let packets = vec![7; 200_000];
    let (last, files) = saved_from(Reply::json(packets.clone()).content_type("application/x-pcapng"));
    let PacketsUpdate::Saved { file, bytes } = last else { panic!("{last:?}") };
    assert!(file.starts_with("pktvisor-192.0.2.1-") && file.ends_with(".pcapng"), "{file}");
    assert_eq!((bytes, files), (200_000, vec![packets]));
}

#[test]
fn an_agent_that_gives_no_packets_away_says_so_and_leaves_no_file() {
    let sentence = r#"{"error":"packets are given away only with --allow-packets"}"#;
    for (reply, why) in [
        (Reply::json(sentence).status(403), "packets are given away only with --allow-packets"),
        (Reply::json("no").status(404), "this agent cannot save packets"),
        (Reply::json("no").status(502), "HTTP status 502 for /api/v1/packets"),
    ] {
        let (last, files) = saved_from(reply);
        let PacketsUpdate::Failed(text) = last else { panic!("{last:?}") };
        assert!(text.starts_with(why), "{text}");
        assert!(files.is_empty());
    }
}
