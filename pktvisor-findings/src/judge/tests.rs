//! When findings are raised and cleared.

use super::*;
use crate::observation::{ClientObservation, InterfaceObservation, LinkCondition, ServerSecond};

/// The kinds of the findings after a second.
fn kinds(judge: &mut Judge, observation: TrafficObservation) -> Vec<String> {
    judge.second(&observation);
    judge.document().findings.into_iter().map(|finding| finding.kind).collect()
}

fn at(second_s: u64) -> TrafficObservation {
    let agent =
        AgentObservation { sample_rate_now_pct: 100.0, sample_rate_max_pct: 100.0, ..Default::default() };
    TrafficObservation {
        second_s,
        inspected_s: second_s,
        window_s: 10,
        scale: 1.0,
        agent,
        ..Default::default()
    }
}

fn with_interface(second_s: u64, condition: LinkCondition) -> TrafficObservation {
    let mut observation = at(second_s);
    observation.agent.interfaces = vec![InterfaceObservation { name: "eth0".to_owned(), condition }];
    observation
}

/// A server with this many answered and waiting queries in each of the last seconds.
fn with_server(second_s: u64, responses: u64, waited: u64) -> TrafficObservation {
    let second = ServerSecond { queries: responses + waited, responses, waited };
    let server = ServerObservation {
        name: "192.0.2.53".into(),
        queries: 10 * second.queries,
        host_queries: 10 * second.queries,
        responses: 10 * responses,
        seconds: vec![second; 10],
        ..Default::default()
    };
    TrafficObservation { servers: vec![server], ..at(second_s) }
}

#[test]
fn a_finding_is_raised_in_the_second_second_and_cleared_after_ten() {
    let mut judge = Judge::default();
    assert!(kinds(&mut judge, with_interface(1, LinkCondition::Down)).is_empty());
    for second_s in 2..5 {
        assert_eq!(kinds(&mut judge, with_interface(second_s, LinkCondition::Down)), ["interface_down"]);
    }
    assert_eq!(judge.document().findings[0].since_ts, 1);
    for second_s in 5..14 {
        assert_eq!(kinds(&mut judge, with_interface(second_s, LinkCondition::Up)), ["interface_down"]);
    }
    assert!(kinds(&mut judge, with_interface(14, LinkCondition::Up)).is_empty());
}

#[test]
fn what_holds_for_one_second_is_no_finding() {
    let mut judge = Judge::default();
    for second_s in 1..20 {
        let condition = if second_s % 2 == 0 { LinkCondition::Gone } else { LinkCondition::Up };
        assert!(kinds(&mut judge, with_interface(second_s, condition)).is_empty());
    }
}

#[test]
fn a_silent_server_stays_a_finding_until_it_answers() {
    let mut judge = Judge::default();
    for second_s in 1..40 {
        assert!(kinds(&mut judge, with_server(second_s, 50, 0)).is_empty(), "{second_s}");
    }
    assert!(kinds(&mut judge, with_server(40, 0, 10)).is_empty());
    assert_eq!(kinds(&mut judge, with_server(41, 0, 10)), ["server_unanswered"]);
    for second_s in 42..80 {
        assert_eq!(kinds(&mut judge, at(second_s)), ["server_unanswered"], "nobody asks it");
    }
    assert!(kinds(&mut judge, with_server(80, 50, 0)).is_empty());
}

#[test]
fn a_server_that_never_answered_is_no_news() {
    let mut judge = Judge::default();
    for second_s in 1..100 {
        let mut observation = with_server(second_s, 0, 2);
        observation.totals.queries = 10_000;
        assert!(kinds(&mut judge, observation).is_empty());
    }
}

#[test]
fn losses_are_those_of_the_last_ten_seconds() {
    let mut judge = Judge::default();
    let with_losses = |second_s: u64, lost: u64| {
        let mut observation = at(second_s);
        (observation.agent.packets, observation.agent.lost) = (second_s * 1_000, lost);
        observation
    };
    assert!(kinds(&mut judge, with_losses(1, 500)).is_empty(), "lost before");
    kinds(&mut judge, with_losses(2, 900));
    assert_eq!(kinds(&mut judge, with_losses(3, 900)), ["analysis_behind"]);
    let last = (4..60).find(|&second_s| kinds(&mut judge, with_losses(second_s, 900)).is_empty());
    assert!(last.is_some_and(|second_s| second_s < 30), "{last:?}");
}

#[test]
fn there_are_at_most_eight_findings_of_a_kind_and_the_most_severe_is_first() {
    let mut judge = Judge::default();
    for second_s in 1..4 {
        let mut observation = at(second_s);
        observation.agent.sample_rate_now_pct = 10.0;
        let interface =
            |n: u32| InterfaceObservation { name: format!("eth{n}"), condition: LinkCondition::Gone };
        observation.agent.interfaces = (0..100).map(interface).collect();
        judge.second(&observation);
    }
    let findings = judge.document().findings;
    assert_eq!(findings.len(), 9);
    assert_eq!(
        (findings[0].kind.as_str(), findings[8].kind.as_str()),
        ("interface_gone", "sampling_lowered")
    );
}

/// A second in which these clients sent so many queries in the window.
fn with_clients(second_s: u64, queries: &[(&str, u64)]) -> TrafficObservation {
    let client = |&(name, queries): &(&str, u64)| ClientObservation {
        name: name.into(),
        queries,
        ..Default::default()
    };
    let mut observation = at(second_s);
    observation.clients = queries.iter().map(client).collect();
    let all = queries.iter().map(|(_, queries)| queries).sum();
    (observation.totals.queries, observation.totals.client_queries) = (all, all);
    observation
}

#[test]
fn a_slot_in_which_a_client_begins_is_not_usual() {
    const STEADY: [(&str, u64); 4] = [("a", 350), ("b", 350), ("c", 350), ("d", 350)];
    for (begin_s, first) in [(9, 20), (9, 80), (19, 20), (19, 80)] {
        let mut judge = Judge::default();
        for second_s in 1..60 {
            let queries = match second_s {
                _ if second_s < begin_s => STEADY[..2].to_vec(),
                _ if second_s <= begin_s + 1 => {
                    STEADY.map(|(name, queries)| (name, if name < "c" { queries } else { first })).to_vec()
                }
                _ => STEADY.to_vec(),
            };
            let found = kinds(&mut judge, with_clients(second_s, &queries));
            assert!(found.is_empty(), "begins at {begin_s}, {second_s}: {found:?}");
        }
        let mut queries = STEADY.to_vec();
        for second_s in 60..62 {
            queries[0].1 = 5_000;
            kinds(&mut judge, with_clients(second_s, &queries));
        }
        assert_eq!(judge.document().findings[0].subject.name, "a");
    }
}

#[test]
fn the_server_that_host_asks_stands_before_host() {
    const US: f64 = 1_000.0;
    let server = |name: &str, ms: f64| ServerObservation {
        name: name.into(),
        queries: 400,
        responses: 400,
        times: 400,
        median_us: Some(ms * US),
        median_low_us: Some(ms * US),
        ..Default::default()
    };
    let second = |second_s: u64, ms: [f64; 2]| {
        let host = ServerObservation { remote_queries: 400, ..server("192.0.2.1", ms[0]) };
        let upstream = ServerObservation { host_queries: 400, ..server("203.0.113.53", ms[1]) };
        TrafficObservation { servers: vec![host, upstream], ..at(second_s) }
    };
    let mut judge = Judge::default();
    for second_s in 1..40 {
        assert!(kinds(&mut judge, second(second_s, [1.0, 1.0])).is_empty());
    }
    for second_s in 40..45 {
        // HOST is seen to be slow first.
        judge.second(&second(second_s, [200.0, if second_s < 42 { 1.0 } else { 200.0 }]));
    }
    let findings = judge.document().findings;
    let found: Vec<_> = findings.iter().map(|f| (f.kind.as_str(), f.subject.name.as_str())).collect();
    assert_eq!(found, [("server_slow", "203.0.113.53"), ("server_slow", "192.0.2.1")]);
}
