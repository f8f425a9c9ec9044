//! Answers and failures become the state of an agent.

use std::time::Duration;

use pktvisor_api::{App, CaptureInfo, CaptureMode, DirectionRates, Ledger, Period};

use super::*;
use crate::client::{AgentAnswer, FetchError, Update};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn app(up_time_min: f64, lost: u64, dns_packets: u64) -> App {
    let mut app = App::default();
    app.app.up_time_min = up_time_min;
    app.app.ledger = Some(Ledger { lost, dns_packets, ..Ledger::default() });
    app
}

fn period(start_ts: i64, replies: u64, noerror: u64) -> Period {
    let mut period = Period::default();
    period.period.start_ts = start_ts;
    period.period.length = 10;
    period.dns.wire_packets.queries = replies;
    period.dns.wire_packets.replies = replies;
    period.dns.wire_packets.noerror = noerror;
    period
}

fn answer(live: Period) -> AgentAnswer {
    let rates = Some(DirectionRates { dns_queries: 7, ..DirectionRates::default() });
    AgentAnswer { ours: true, window: live.clone(), live: Some(live), rates, ..AgentAnswer::default() }
}

fn failure() -> Update {
    Update::Failure { error: FetchError::Connect("connection refused".to_owned()), retry_in: seconds(4) }
}

fn record(agent: &mut AgentModel, answer: AgentAnswer, at: u64) {
    agent.update(Update::Answer(Box::new(answer)), seconds(at));
}

#[test]
fn data_outlives_the_connection_and_shows_its_age() {
    let mut agent = AgentModel::new("ns1");
    assert_eq!(agent.standing(seconds(0)), Standing::Connecting);
    agent.update(failure(), seconds(1));
    assert_eq!(agent.standing(seconds(1)), Standing::Absent);
    record(&mut agent, answer(period(0, 1, 1)), 2);
    assert_eq!(agent.standing(seconds(3)), Standing::Live);
    agent.update(failure(), seconds(4));
    agent.update(failure(), seconds(9));
    assert_eq!(agent.standing(seconds(9)), Standing::Stale);
    assert_eq!(agent.age(seconds(9)), Some(seconds(7)));
    assert!(agent.window.is_some());
    let AgentLink::Down { since, retry_at, attempts, .. } = agent.link else { panic!("it is down") };
    assert_eq!((since, retry_at, attempts), (seconds(4), seconds(13), 2));
}

#[test]
fn an_agent_that_hangs_is_stale_before_its_time_out() {
    let mut agent = AgentModel::new("ns1");
    record(&mut agent, answer(period(0, 1, 1)), 0);
    assert_eq!(agent.standing(seconds(4)), Standing::Live);
    assert_eq!(agent.standing(seconds(5)), Standing::Stale);
}

#[test]
fn a_file_that_was_read_shows_averages() {
    let mut agent = AgentModel::new("ns1");
    let mut app = App::default();
    app.app.capture = Some(CaptureInfo { mode: CaptureMode::File, finished: true, ..CaptureInfo::default() });
    record(&mut agent, AgentAnswer { app: Some(app), ..answer(period(0, 50, 50)) }, 0);
    assert_eq!(agent.standing(seconds(1)), Standing::Finished);
    assert_eq!(agent.queries_per_second(), Some(5));
}

#[test]
fn failed_replies_of_a_second_are_counted_since_the_last_one() {
    let mut agent = AgentModel::new("ns1");
    record(&mut agent, answer(period(0, 1000, 1000)), 0);
    record(&mut agent, answer(period(0, 1100, 1075)), 1);
    // A new period starts from nothing: there is no difference to take.
    record(&mut agent, answer(period(60, 10, 0)), 2);
    agent.update(failure(), seconds(3));
    record(&mut agent, answer(period(60, 30, 10)), 4);
    let newest_first: Vec<Option<u64>> =
        agent.history.seconds().map(|second| second.errors_permille).collect();
    assert_eq!(newest_first, [None, None, None, Some(250), None]);
    let queries: Vec<Option<u64>> = agent.history.seconds().map(|second| second.queries).collect();
    assert_eq!(queries, [Some(7), None, Some(7), Some(7), Some(7)]);
}

#[test]
fn an_answer_from_a_cache_repeats_the_previous_second_and_counts_no_query_twice() {
    let mut agent = AgentModel::new("ns1");
    // An agent of the 3.0 line: queries are known by difference alone.
    for (second, replies) in [(0, 1000), (1, 1100), (2, 1100), (3, 1300), (4, 1300), (5, 1300)] {
        let window = period(0, replies, replies);
        record(&mut agent, AgentAnswer { window, ..AgentAnswer::default() }, second);
    }
    let queries: Vec<Option<u64>> = agent.history.seconds().map(|second| second.queries).collect();
    assert_eq!(queries, [Some(0), Some(100), Some(100), Some(100), Some(100), None]);
}

#[test]
fn the_past_is_bounded() {
    let mut agent = AgentModel::new("ns1");
    for second in 0..2000_u32 {
        record(&mut agent, answer(period(i64::from(second) * 60, 1, 1)), second.into());
    }
    assert_eq!(agent.history.seconds().count(), 600);
    assert_eq!(agent.history.period_count(), 121);
    assert_eq!(agent.history.periods().next().map(|newest| newest.start_ts), Some(1999 * 60));
}

#[test]
fn periods_of_before_a_restart_are_forgotten() {
    let mut agent = AgentModel::new("ns1");
    record(&mut agent, AgentAnswer { app: Some(app(10.0, 0, 0)), ..answer(period(0, 1, 1)) }, 0);
    record(&mut agent, AgentAnswer { app: Some(app(11.0, 0, 0)), ..answer(period(60, 1, 1)) }, 60);
    assert_eq!(agent.history.period_count(), 2);
    record(&mut agent, AgentAnswer { app: Some(app(0.1, 0, 0)), ..answer(period(90, 1, 1)) }, 90);
    assert_eq!(agent.history.period_count(), 1);
}

#[test]
fn packets_lost_long_ago_do_not_affect_the_state() {
    let mut agent = AgentModel::new("ns1");
    let mut at = |second: u64, lost| {
        record(
            &mut agent,
            AgentAnswer { app: Some(app(second as f64, lost, 1000 * second)), ..answer(period(0, 1, 1)) },
            second,
        );
        agent.health(seconds(second))
    };
    assert_eq!(at(10, 500), HealthLevel::Good);
    assert_eq!(at(20, 500), HealthLevel::Good);
    assert_eq!(at(30, 501), HealthLevel::Warn);
    assert_eq!(at(40, 900), HealthLevel::Bad);
    assert_eq!(at(400, 900), HealthLevel::Good);
    assert_eq!(at(410, 900), HealthLevel::Good);
}

#[test]
fn shares_are_of_the_analysed_part() {
    let mut period = period(0, 1000, 1000);
    period.dns.wire_packets.total = 2000;
    period.sampling.rate = 0.25;
    period.packets.received = 400;
    let observation = Observation::new("1m", period.clone());
    assert_eq!(ListKind::Qname2.whole(&observation), 500);
    assert_eq!(ListKind::Rcode.whole(&observation), 250);
    assert_eq!(ListKind::Ipv4.whole(&observation), 400);
    // 3.0 sampled among all packets, and for addresses as well.
    period.packets.total = 1000;
    period.packets.deep_samples = 500;
    let observation = Observation::of_older_agent("1m", period);
    assert_eq!((ListKind::Qname2.whole(&observation), ListKind::Ipv4.whole(&observation)), (1000, 200));
}

#[test]
fn an_absurd_sampling_rate_is_taken_for_all() {
    for rate in [f64::NAN, f64::INFINITY, -1.0, 7.0] {
        let mut period = period(0, 10, 10);
        period.sampling.rate = rate;
        let share = Observation::new("1m", period).analysed_share();
        assert!((0.0..=1.0).contains(&share), "{rate}");
    }
}
