//! Sessions with agents: of our line, of the 3.0 line, slow, broken, and restarted.

mod failures;
mod optional;
mod packets;
mod poller;
#[path = "../support/mod.rs"]
mod support;
mod windows;

use std::time::Duration;

use pktvisor_api::{Period, PeriodDocument, Rates};
use pktvisor_tui::client::{AgentEndpoint, AskedWindow, Http, Wanted};
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
