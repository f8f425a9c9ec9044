//! Rules on clients: greedy, amplifying, malformed.

use pktvisor_api::Severity;

use super::is_named;
use super::text::{percent, rate};
use crate::baseline::{Comparison, Level, Population};
use crate::bounds::{share, share_low};
use crate::observation::ClientObservation;
use crate::symptom::{Bar, Patience, Scene, SubjectClass, Symptom};

/// Messages that cannot be parsed.
pub(super) fn malformed(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "malformed_client";
    for client in &scene.observation.clients {
        let bar = scene.bar(KIND, &client.name);
        let is_broken = client.malformed as f64 >= bar.at(10.0)
            && share_low(client.malformed, client.queries) >= bar.at(0.25);
        if !is_broken {
            continue;
        }
        let per_second = scene.per_second(client.malformed);
        symptoms.push(symptom(
            KIND,
            Severity::Notice,
            client,
            format!(
                "{} sends {} malformed queries, {} of all that it sends",
                client.name,
                rate(per_second),
                percent(share(client.malformed, client.queries))
            ),
            vec![
                ("malformed_per_second", per_second),
                ("malformed_share", share(client.malformed, client.queries)),
            ],
        ));
    }
}

/// Large answers to one address, which may be forged: the victim.
pub(super) fn amplification(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "amplification";
    for client in &scene.observation.clients {
        let bar = scene.bar(KIND, &client.name);
        let answer_bytes = share(client.response_bytes, client.responses);
        let factor = share(client.response_bytes, client.query_bytes);
        let is_amplified = client.queries as f64 >= bar.at(24.0)
            && client.responses as f64 >= bar.at(16.0)
            && share_low(client.wide_queries, client.queries) >= bar.at(0.6)
            && answer_bytes >= bar.at(512.0)
            && factor >= bar.at(8.0);
        let (name, bytes) = (&client.name, client.response_bytes);
        let usual = || scene.compare_bytes(Population::Clients, name, bytes, client.responses);
        if !is_amplified || !is_new(scene, client, usual, bar) {
            continue;
        }
        let bytes_per_second = scene.per_second(client.response_bytes);
        symptoms.push(symptom(
            KIND,
            Severity::Warning,
            client,
            format!(
                "{} gets {:.1} MB/s of large answers, {factor:.0} times what it sends: its address may be forged",
                client.name,
                bytes_per_second / 1e6
            ),
            vec![
                ("response_bytes_per_second", bytes_per_second),
                ("bytes_factor", factor),
                ("large_type_share", share(client.wide_queries, client.queries)),
            ],
        ));
    }
}

/// One client asks far more than usual, and so much that others may notice.
pub(super) fn greedy(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "greedy_client";
    /// No server suffers from less.
    const QUERIES_PER_SECOND: f64 = 20.0;
    const EXPLAINED: [&str; 3] = ["malformed_client", "amplification", "truncation_storm"];
    let all = scene.observation.totals.client_queries;
    for client in &scene.observation.clients {
        let bar = scene.bar(KIND, &client.name);
        let per_second = scene.per_second(client.queries);
        let is_greedy = client.queries as f64 >= bar.at(40.0)
            && per_second >= bar.at(QUERIES_PER_SECOND)
            && share_low(client.queries, all) >= bar.at(0.025)
            // A lone client is not far above others.
            && all.saturating_sub(client.queries) as f64 >= bar.at(30.0);
        if !is_greedy || is_named(symptoms, &EXPLAINED, &client.name) {
            continue;
        }
        let usual = || scene.compare(Population::Clients, &client.name, Level::Queries, client.queries);
        if !is_new(scene, client, usual, bar) {
            continue;
        }
        let known = scene.baselines.of(Population::Clients, &client.name);
        let usual = known.and_then(|known| known.mean(Level::Queries)).unwrap_or(0.0);
        symptoms.push(symptom(
            KIND,
            Severity::Notice,
            client,
            format!(
                "{} sends {} of all queries, {}, usually {}",
                client.name,
                percent(share(client.queries, all)),
                rate(per_second),
                rate(usual)
            ),
            vec![
                ("queries_per_second", per_second),
                ("queries_share", share(client.queries, all)),
                ("usual_queries_per_second", usual),
            ],
        ));
    }
}

fn symptom(
    kind: &'static str,
    severity: Severity,
    client: &ClientObservation,
    text: String,
    measures: Vec<(&'static str, f64)>,
) -> Symptom {
    let (subject_kind, subject) = (SubjectClass::Client, client.name.to_string());
    let (who, patience) = (Vec::new(), Patience::Usual);
    Symptom { kind, severity, subject_kind, subject, text, measures, who, patience }
}

/// Whether a client has far more of something than in the last hour. Without an hour to compare
/// with, only one with half of all queries is suspicious, if others ask, too.
fn is_new(scene: &Scene<'_>, client: &ClientObservation, compare: impl Fn() -> Comparison, bar: Bar) -> bool {
    if bar == Bar::Keep {
        return true;
    }
    match compare() {
        Comparison::Surge => true,
        Comparison::Usual => false,
        Comparison::Unknown => {
            let all = scene.observation.totals.client_queries;
            let others = all.saturating_sub(client.queries);
            share_low(client.queries, all) >= 0.5 && others >= 50
        }
    }
}
