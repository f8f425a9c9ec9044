//! From the symptoms of a second to findings that last: two seconds to raise one, ten to clear it.

use std::collections::VecDeque;
use std::sync::Arc;

use pktvisor_api::{Finding, FindingsDocument, Measure, Severity, Subject};

use crate::baseline::{Baselines, Level, Levels, Population};
use crate::observation::{AgentObservation, ServerObservation, TrafficObservation};
use crate::rules::RULES;
use crate::symptom::{Patience, RecentAgent, Scene, SubjectClass, Symptom};

/// Inspected queries in a window from which on a zone is observed.
pub const ZONE_QUERIES_MIN: u64 = 8;

/// Inspected queries in a window from which on a client is observed.
pub const CLIENT_QUERIES_MIN: u64 = 8;

/// Seconds for which a rule must hold.
const RAISE_S: u64 = 2;

/// Seconds for which a rule must not hold before its finding is cleared.
const CLEAR_S: u64 = 10;

/// The same for a finding that a silence does not end.
const CLEAR_SILENT_S: u64 = 120;

/// Findings of one kind.
const PER_KIND_MAX: usize = 8;

/// Seconds of losses that are looked at.
const LOSS_S: usize = 10;

/// Where a finding stands among those of its severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Cause,
    /// It is about HOST's own server. A server that HOST asks, or a flood that it must answer, also
    /// makes HOST slow or silent, so they come first.
    Consequence,
}

/// A rule that holds or held.
#[derive(Debug)]
struct Case {
    symptom: Symptom,
    rank: Rank,
    since_s: u64,
    held_s: u64,
    /// The last second in which it held.
    last_s: u64,
    is_raised: bool,
    /// Seconds after the last one at which it is cleared.
    clear_s: u64,
}

impl Case {
    fn is(&self, kind: &str, subject: &str) -> bool {
        self.symptom.kind == kind && self.symptom.subject == subject
    }

    fn order(&self) -> (Severity, Rank, u64, &str) {
        (self.symptom.severity, self.rank, self.since_s, &self.symptom.subject)
    }
}

/// Judges the traffic once a second.
#[derive(Debug, Default)]
pub struct Judge {
    baselines: Baselines,
    cases: Vec<Case>,
    /// The agent's counters at the end of the last seconds, newest first.
    agent: VecDeque<AgentObservation>,
    last_s: u64,
}

impl Judge {
    /// Judges the second that has ended.
    pub fn second(&mut self, observation: &TrafficObservation) {
        let now_s = observation.second_s;
        self.last_s = now_s;
        self.agent.push_front(observation.agent.clone());
        self.agent.truncate(LOSS_S + 1);
        let cases = &self.cases;
        self.baselines.second(observation, levels(observation), |population, name| {
            let kind = subject_kind(population);
            cases.iter().any(|case| case.symptom.subject_kind == kind && case.symptom.subject == name)
        });
        let symptoms = self.symptoms(observation);
        for symptom in symptoms {
            let rank = rank(observation, &symptom);
            self.record(symptom, rank, now_s);
        }
        self.cases.retain_mut(|case| {
            let passed_s = now_s.saturating_sub(case.last_s);
            if let Patience::UntilOver(is_over) = case.symptom.patience
                && is_over(observation, &case.symptom.subject)
            {
                case.clear_s = CLEAR_S;
            }
            if case.is_raised { passed_s < case.clear_s } else { passed_s == 0 }
        });
    }

    /// The findings now, the most severe first, and causes before their consequences.
    pub fn document(&self) -> FindingsDocument {
        let mut raised: Vec<_> = self.cases.iter().filter(|case| case.is_raised).collect();
        raised.sort_by(|a, b| a.order().cmp(&b.order()));
        let findings = raised.into_iter().map(finding).collect();
        FindingsDocument { at_ts: self.last_s as i64, findings }
    }

    /// Forgets everything: the clock jumped.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn symptoms(&self, observation: &TrafficObservation) -> Vec<Symptom> {
        let is_raised = |kind: &str, subject: &str| {
            self.cases.iter().any(|case| case.is_raised && case.is(kind, subject))
        };
        let scene =
            Scene { observation, baselines: &self.baselines, is_raised: &is_raised, recent: self.recent() };
        let mut symptoms = Vec::new();
        RULES.iter().for_each(|rule| rule(&scene, &mut symptoms));
        symptoms
    }

    /// What happened to the agent in the last seconds.
    fn recent(&self) -> RecentAgent {
        let (Some(now), Some(then)) = (self.agent.front(), self.agent.back()) else {
            return RecentAgent::default();
        };
        RecentAgent {
            packets: now.packets.saturating_sub(then.packets),
            lost: now.lost.saturating_sub(then.lost),
            driver_drops: now.driver_drops.saturating_sub(then.driver_drops),
        }
    }

    fn record(&mut self, symptom: Symptom, rank: Rank, now_s: u64) {
        let clear_s = match symptom.patience {
            Patience::Usual => CLEAR_S,
            Patience::UntilOver(_) => CLEAR_SILENT_S,
        };
        let known = self.cases.iter_mut().find(|case| {
            case.is(symptom.kind, &symptom.subject) && case.symptom.subject_kind == symptom.subject_kind
        });
        if let Some(case) = known {
            case.symptom = symptom;
            case.rank = rank;
            case.held_s += 1;
            case.last_s = now_s;
            case.clear_s = clear_s;
            case.is_raised |= case.held_s >= RAISE_S;
            return;
        }
        if self.cases.iter().filter(|case| case.symptom.kind == symptom.kind).count() < PER_KIND_MAX {
            self.cases.push(Case {
                symptom,
                rank,
                since_s: now_s,
                held_s: 1,
                last_s: now_s,
                is_raised: false,
                clear_s,
            });
        }
    }
}

fn rank(observation: &TrafficObservation, symptom: &Symptom) -> Rank {
    let is_host = |server: &ServerObservation| *server.name == *symptom.subject && server.remote_queries > 0;
    match symptom.subject_kind {
        SubjectClass::Server if observation.servers.iter().any(is_host) => Rank::Consequence,
        _ => Rank::Cause,
    }
}

fn finding(case: &Case) -> Finding {
    let symptom = &case.symptom;
    let measure = |&(name, value): &(&str, f64)| Measure { name: name.to_owned(), value };
    Finding {
        kind: symptom.kind.to_owned(),
        severity: symptom.severity,
        subject: Subject { kind: symptom.subject_kind.as_str().to_owned(), name: symptom.subject.clone() },
        since_ts: case.since_s as i64,
        text: symptom.text.clone(),
        measures: symptom.measures.iter().map(measure).collect(),
        who: symptom.who.clone(),
    }
}

fn subject_kind(population: Population) -> SubjectClass {
    match population {
        Population::Zones => SubjectClass::Zone,
        Population::Servers => SubjectClass::Server,
        Population::Clients => SubjectClass::Client,
    }
}

/// The levels of all subjects of this second.
fn levels(observation: &TrafficObservation) -> impl Iterator<Item = (Population, Arc<str>, Levels)> {
    let per_second = |count: u64| Some(count as f64 * observation.scale / observation.window_s.max(1) as f64);
    let zones = observation.zones.iter().map(move |zone| {
        let mut levels = Levels::default();
        levels[Level::Queries as usize] = per_second(zone.queries);
        levels[Level::Answers as usize] = per_second(zone.failed().min(zone.queries));
        levels[Level::Servfail as usize] = per_second(zone.servfail);
        levels[Level::Truncated as usize] = per_second(zone.truncated + zone.tcp_queries);
        (Population::Zones, zone.name.clone(), levels)
    });
    let servers = observation.servers.iter().map(move |server| {
        let mut levels = Levels::default();
        levels[Level::Queries as usize] = per_second(server.queries);
        levels[Level::Answers as usize] = per_second(server.responses);
        levels[Level::Servfail as usize] = per_second(server.servfail);
        levels[Level::Truncated as usize] = per_second(server.truncated);
        // A few times say little.
        levels[Level::Time as usize] = server.median_us.filter(|_| server.times >= 8).map(f64::log2);
        (Population::Servers, server.name.clone(), levels)
    });
    let clients = observation.clients.iter().map(move |client| {
        let mut levels = Levels::default();
        levels[Level::Queries as usize] = per_second(client.queries);
        levels[Level::Truncated as usize] = per_second(client.truncated + client.tcp_queries);
        levels[Level::Bytes as usize] = per_second(client.response_bytes);
        (Population::Clients, client.name.clone(), levels)
    });
    zones.chain(servers).chain(clients)
}

#[cfg(test)]
mod tests;
