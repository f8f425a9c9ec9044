//! Truncated answers, and the queries over TCP that follow them.

use pktvisor_api::{Severity, TopEntry};

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

/// The messages of one zone or one client.
struct Storm<'a> {
    population: Population,
    name: &'a str,
    truncated: u64,
    responses: u64,
    tcp_queries: u64,
    queries: u64,
    /// The share of its queries that must come over TCP.
    tcp_share_min: f64,
    /// The queries of all.
    all_queries: u64,
}

impl Storm<'_> {
    fn truncated_share(&self) -> f64 {
        share(self.truncated, self.responses)
    }

    /// Whether truncated answers, or queries over TCP, are many and far more than usual.
    fn holds(&self, scene: &Scene<'_>) -> bool {
        let bar = scene.bar(KIND, self.name);
        let is_truncated = self.truncated as f64 >= bar.at(20.0)
            && share_low(self.truncated, self.responses) >= bar.at(0.25)
            && share_low(self.truncated, scene.observation.totals.responses) >= bar.at(0.01);
        let is_tcp = self.tcp_queries as f64 >= bar.at(20.0)
            && scene.per_second(self.tcp_queries) >= bar.at(TCP_PER_SECOND)
            && share_low(self.tcp_queries, self.queries) >= bar.at(self.tcp_share_min)
            && share_low(self.tcp_queries, self.all_queries) >= bar.at(0.01);
        (is_truncated || is_tcp) && self.is_new(scene, bar)
    }

    /// Whether there are far more of them than in the last hour; without an hour to compare with, a
    /// tenth of all messages.
    fn is_new(&self, scene: &Scene<'_>, bar: Bar) -> bool {
        if bar == Bar::Keep {
            return true;
        }
        let storm = self.truncated + self.tcp_queries;
        match scene.compare(self.population, self.name, Level::Truncated, storm) {
            Comparison::Surge => true,
            Comparison::Usual => false,
            Comparison::Unknown => {
                let totals = scene.observation.totals;
                share_low(storm, totals.queries + totals.responses) >= 0.1
            }
        }
    }

    fn symptom(
        &self,
        scene: &Scene<'_>,
        subject_kind: SubjectClass,
        text: String,
        who: Vec<TopEntry>,
    ) -> Symptom {
        Symptom {
            patience: Patience::Usual,
            kind: KIND,
            severity: Severity::Warning,
            subject_kind,
            text,
            measures: vec![
                ("truncated_per_second", scene.per_second(self.truncated)),
                ("truncated_share", self.truncated_share()),
                ("tcp_queries_per_second", scene.per_second(self.tcp_queries)),
            ],
            who,
            subject: self.name.to_owned(),
        }
    }
}

fn zone_symptom(scene: &Scene<'_>, zone: &ZoneObservation) -> Option<Symptom> {
    let storm = Storm {
        population: Population::Zones,
        name: &zone.name,
        truncated: zone.truncated,
        responses: zone.responses,
        tcp_queries: zone.tcp_queries,
        queries: zone.queries,
        tcp_share_min: 0.4,
        all_queries: scene.observation.totals.queries,
    };
    storm.holds(scene).then(|| {
        let who = who(scene, &zone.heavy_clients, zone.queries);
        let text = format!(
            "{} of the answers for {} are truncated ({}), {} queries come over TCP{}",
            percent(storm.truncated_share()),
            zone.name,
            rate(scene.per_second(zone.truncated)),
            rate(scene.per_second(zone.tcp_queries)),
            by(&who, zone.distinct_clients)
        );
        storm.symptom(scene, SubjectClass::Zone, text, who)
    })
}

fn client_symptom(scene: &Scene<'_>, client: &ClientObservation) -> Option<Symptom> {
    let storm = Storm {
        population: Population::Clients,
        name: &client.name,
        truncated: client.truncated,
        responses: client.responses,
        tcp_queries: client.tcp_queries,
        queries: client.queries,
        tcp_share_min: 0.5,
        all_queries: scene.observation.totals.client_queries,
    };
    storm.holds(scene).then(|| {
        let text = format!(
            "{} of the answers to {} are truncated ({}), it sends {} queries over TCP",
            percent(storm.truncated_share()),
            client.name,
            rate(scene.per_second(client.truncated)),
            rate(scene.per_second(client.tcp_queries))
        );
        storm.symptom(scene, SubjectClass::Client, text, Vec::new())
    })
}
