//! Answers that are errors, foreign, endless or late, and agents that are not there.

use std::time::Duration;

use pktvisor_api::Period;
use pktvisor_tui::client::{FetchError, Session, Wanted};

use crate::{
    LONG, http, ours,
    support::fake_agent::{FakeAgent, Reply},
};

#[test]
fn an_error_with_status_200_is_told_in_the_words_of_the_agent() {
    let agent = ours();
    agent.on("window/5", Reply::json(r#"{"error": "invalid metrics period, specify [2, 3]"}"#));
    let error = Session::new(http(&agent, LONG)).round(&Wanted::default()).expect_err("it refuses");
    assert_eq!(error.to_string(), "the agent answers: invalid metrics period, specify [2, 3]");
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
