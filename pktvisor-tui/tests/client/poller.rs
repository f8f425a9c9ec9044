//! The thread that asks an agent again and again: another window, and an agent that was restarted.

use std::{
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use pktvisor_tui::client::{AskedWindow, Permits, Poller, PollerCommand, Update, Wanted};

use crate::{LONG, describe, http, ours, over, support::fake_agent::FakeAgent};

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
