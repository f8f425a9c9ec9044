//! Truncated answers, and the queries over TCP that follow them.

use pktvisor_api::Severity;

use super::text::{by, percent, rate, who};
use crate::baseline::{Comparison, Level, Population};
use crate::bounds::{share, share_low};
use crate::observation::{ClientObservation, ZoneObservation};
use crate::symptom::{Bar, Patience, Scene, SubjectClass, Symptom};

const KIND: &str = "truncation_storm";

/// Without truncated answers, clients that prefer TCP do no harm below this rate.
const TCP_PER_SECOND: f64 = 50.0;

/// Answers of one zone, or to one client, are truncated; or one client asks over TCP.
pub(super) fn truncation(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    let before = symptoms.len();
    symptoms.extend(scene.observation.zones.iter().filter_map(|zone| zone_symptom(scene, zone)));
    if symptoms.len() == before {
        let clients = scene.observation.clients.iter();
        symptoms.extend(clients.filter_map(|client| client_symptom(scene, client)));
    }
}

fn zone_symptom(scene: &Scene<'_>, zone: &ZoneObservation) -> Option<Symptom> {
    let bar = scene.bar(KIND, &zone.name);
    let totals = scene.observation.totals;
    let storm = zone.truncated + zone.tcp_queries;
    let truncated = scene.per_second(zone.truncated);
    let tcp = scene.per_second(zone.tcp_queries);
    let is_truncated = zone.truncated as f64 >= bar.at(20.0)
        && share_low(zone.truncated, zone.responses) >= bar.at(0.25)
        && share_low(zone.truncated, totals.responses) >= bar.at(0.01);
    let is_tcp = zone.tcp_queries as f64 >= bar.at(20.0)
        && tcp >= bar.at(TCP_PER_SECOND)
        && share_low(zone.tcp_queries, zone.queries) >= bar.at(0.4)
        && share_low(zone.tcp_queries, totals.queries) >= bar.at(0.01);
    if !(is_truncated || is_tcp) || !is_new(scene, Population::Zones, &zone.name, storm, bar) {
        return None;
    }
    let who = who(scene, &zone.heavy_clients, zone.queries);
    Some(Symptom {
        patience: Patience::Usual,
        kind: KIND,
        severity: Severity::Warning,
        subject_kind: SubjectClass::Zone,
        text: format!(
            "{} of the answers for {} are truncated ({}), {} queries come over TCP{}",
            percent(share(zone.truncated, zone.responses)),
            zone.name,
            rate(truncated),
            rate(tcp),
            by(&who, zone.distinct_clients)
        ),
        measures: measures(truncated, share(zone.truncated, zone.responses), tcp),
        who,
        subject: zone.name.to_string(),
    })
}

fn client_symptom(scene: &Scene<'_>, client: &ClientObservation) -> Option<Symptom> {
    let bar = scene.bar(KIND, &client.name);
    let totals = scene.observation.totals;
    let storm = client.truncated + client.tcp_queries;
    let truncated = scene.per_second(client.truncated);
    let tcp = scene.per_second(client.tcp_queries);
    let is_truncated = client.truncated as f64 >= bar.at(20.0)
        && share_low(client.truncated, client.responses) >= bar.at(0.25)
        && share_low(client.truncated, totals.responses) >= bar.at(0.01);
    let is_tcp = client.tcp_queries as f64 >= bar.at(20.0)
        && tcp >= bar.at(TCP_PER_SECOND)
        && share_low(client.tcp_queries, client.queries) >= bar.at(0.5)
        && share_low(client.tcp_queries, totals.client_queries) >= bar.at(0.01);
    if !(is_truncated || is_tcp) || !is_new(scene, Population::Clients, &client.name, storm, bar) {
        return None;
    }
    Some(Symptom {
        patience: Patience::Usual,
        kind: KIND,
        severity: Severity::Warning,
        subject_kind: SubjectClass::Client,
        text: format!(
            "{} of the answers to {} are truncated ({}), it sends {} queries over TCP",
            percent(share(client.truncated, client.responses)),
            client.name,
            rate(truncated),
            rate(tcp)
        ),
        measures: measures(truncated, share(client.truncated, client.responses), tcp),
        who: Vec::new(),
        subject: client.name.to_string(),
    })
}

fn measures(truncated: f64, truncated_share: f64, tcp: f64) -> Vec<(&'static str, f64)> {
    vec![
        ("truncated_per_second", truncated),
        ("truncated_share", truncated_share),
        ("tcp_queries_per_second", tcp),
    ]
}

/// Whether there are far more of them than in the last hour; without an hour to compare with, a
/// tenth of all messages.
fn is_new(scene: &Scene<'_>, population: Population, name: &str, storm: u64, bar: Bar) -> bool {
    if bar == Bar::Keep {
        return true;
    }
    match scene.compare(population, name, Level::Truncated, storm) {
        Comparison::Surge => true,
        Comparison::Usual => false,
        Comparison::Unknown => {
            let totals = scene.observation.totals;
            share_low(storm, totals.queries + totals.responses) >= 0.1
        }
    }
}
