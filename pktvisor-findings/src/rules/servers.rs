//! Rules on servers: unanswered, slow, failing.

use pktvisor_api::Severity;

use super::text::{percent, rate, time};
use crate::baseline::{Comparison, Level, Population};
use crate::bounds::{share, share_low};
use crate::observation::{ServerObservation, TrafficObservation};
use crate::symptom::{Bar, Patience, Scene, SubjectClass, Symptom};

/// The newest seconds that decide whether a server answers.
const ANSWER_SECONDS: usize = 4;

/// The same, to keep a finding: a resolver asks a dead server less and less.
const ANSWER_SECONDS_KEPT: usize = 10;

/// Queries are not answered.
pub(super) fn unanswered(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "server_unanswered";
    let all_queries = scene.observation.totals.queries;
    for server in &scene.observation.servers {
        let bar = scene.bar(KIND, &server.name);
        let seconds = if bar == Bar::Raise { ANSWER_SECONDS } else { ANSWER_SECONDS_KEPT };
        let newest = || server.seconds.iter().take(seconds);
        let waited: u64 = newest().map(|second| second.waited).sum();
        let responses: u64 = newest().map(|second| second.responses).sum();
        let last_responses: u64 = server.seconds.iter().take(2).map(|second| second.responses).sum();
        let last_waited: u64 = server.seconds.iter().take(2).map(|second| second.waited).sum();
        let is_unanswered = match bar {
            Bar::Raise => waited >= 5 && share_low(waited, waited + responses) >= 0.25,
            // As soon as it answers again, its answers count, not what waited before.
            Bar::Keep => waited >= 1 && last_responses <= last_waited.max(1) * 3,
        };
        if !is_unanswered {
            continue;
        }
        // On the Internet many servers never answer. One that matters did, or is asked often.
        let answered_before = scene
            .baselines
            .of(Population::Servers, &server.name)
            .and_then(|known| known.mean(Level::Answers))
            .is_some_and(|mean| mean >= 0.5)
            || server.responses >= 20;
        let is_ours = server.remote_queries > 0;
        let is_asked_often = !is_ours && share_low(server.queries, all_queries) >= bar.at(0.1);
        if !(answered_before || is_asked_often || bar == Bar::Keep) {
            continue;
        }
        let unanswered_share = share(waited, waited + responses);
        let per_second = waited as f64 * scene.observation.scale / seconds as f64;
        symptoms.push(Symptom {
            // A resolver hardly asks a server that it believes dead.
            patience: Patience::UntilOver(answers),
            kind: KIND,
            severity: Severity::Critical,
            subject_kind: SubjectClass::Server,
            text: format!(
                "{} does not answer {} of the queries within a second ({} wait)",
                server.name,
                percent(unanswered_share),
                rate(per_second)
            ),
            measures: vec![
                ("unanswered_share", unanswered_share),
                ("unanswered_per_second", per_second),
                ("queries_per_second", scene.per_second(server.queries)),
            ],
            who: Vec::new(),
            subject: server.name.to_string(),
        });
    }
}

/// Whether a server answered in the last seconds, and did not leave as many queries unanswered.
fn answers(observation: &TrafficObservation, server: &str) -> bool {
    let server = observation.servers.iter().find(|known| *known.name == *server);
    server.is_some_and(|server| {
        let newest = || server.seconds.iter().take(3);
        let responses: u64 = newest().map(|second| second.responses).sum();
        responses > newest().map(|second| second.waited).sum()
    })
}

/// The median time is far above that of the last hour.
pub(super) fn slow(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "server_slow";
    /// Less is noticed by nobody.
    const ADDED_US: f64 = 20_000.0;
    for server in &scene.observation.servers {
        let bar = scene.bar(KIND, &server.name);
        let (Some(median_us), Some(low_us), Some(known)) =
            (server.median_us, server.median_low_us, scene.baselines.of(Population::Servers, &server.name))
        else {
            continue;
        };
        let Some(usual_log2) = known.usual_time() else { continue };
        let usual_us = usual_log2.exp2();
        // Four times as long, and twice to keep.
        let factor = if bar == Bar::Raise { 4.0 } else { 2.0 };
        let is_slow = server.times >= if bar == Bar::Raise { 16 } else { 4 }
            && low_us >= factor * usual_us
            && low_us - usual_us >= bar.at(ADDED_US)
            && low_us.log2() >= known.max(Level::Time) + if bar == Bar::Raise { 1.0 } else { 0.5 };
        if !is_slow {
            continue;
        }
        symptoms.push(Symptom {
            patience: Patience::Usual,
            kind: KIND,
            severity: Severity::Warning,
            subject_kind: SubjectClass::Server,
            text: format!(
                "{} takes {} for half of its answers, usually {}",
                server.name,
                time(median_us),
                time(usual_us)
            ),
            measures: vec![
                ("p50_us", median_us),
                ("usual_p50_us", usual_us),
                ("responses_per_second", scene.per_second(server.responses)),
            ],
            who: Vec::new(),
            subject: server.name.to_string(),
        });
    }
}

/// Most answers are SERVFAIL.
pub(super) fn servfail(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "server_srvfail";
    for server in &scene.observation.servers {
        let bar = scene.bar(KIND, &server.name);
        let failing = share_low(server.servfail, server.responses);
        let is_failing = server.servfail as f64 >= bar.at(16.0) && failing >= bar.at(0.4);
        if !is_failing || !is_new(scene, server, bar) {
            continue;
        }
        let per_second = scene.per_second(server.servfail);
        symptoms.push(Symptom {
            patience: Patience::Usual,
            kind: KIND,
            severity: Severity::Critical,
            subject_kind: SubjectClass::Server,
            text: format!(
                "{} answers {} of the queries with SERVFAIL ({})",
                server.name,
                percent(share(server.servfail, server.responses)),
                rate(per_second)
            ),
            measures: vec![
                ("srvfail_share", share(server.servfail, server.responses)),
                ("srvfail_per_second", per_second),
            ],
            who: Vec::new(),
            subject: server.name.to_string(),
        });
    }
}

/// A server that always fails is broken, not in trouble; without an hour to compare with, only one
/// with a fifth of all answers matters.
fn is_new(scene: &Scene<'_>, server: &ServerObservation, bar: Bar) -> bool {
    if bar == Bar::Keep {
        return true;
    }
    match scene.compare(Population::Servers, &server.name, Level::Servfail, server.servfail) {
        Comparison::Surge => true,
        Comparison::Usual => false,
        Comparison::Unknown => share_low(server.responses, scene.observation.totals.responses) >= 0.2,
    }
}
