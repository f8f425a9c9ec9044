//! Rules on zones: random subdomains, tunnels, failures.

use pktvisor_api::{Severity, TopEntry};

use super::is_named;
use super::text::{by, percent, rate, who};
use crate::baseline::{Comparison, Level, Population};
use crate::bounds::{share, share_low};
use crate::observation::ZoneObservation;
use crate::symptom::{Bar, Patience, Scene, SubjectClass, Symptom};

/// Standard errors of the estimates of distinct names.
const ERRORS: f64 = 2.0;

impl ZoneObservation {
    /// Queries without a good answer: refused by a code, or without a response so far.
    pub(crate) fn failed(&self) -> u64 {
        self.nxdomain + self.servfail + self.refused + self.queries.saturating_sub(self.responses)
    }

    /// The number of distinct names is at least this.
    fn distinct_low(&self) -> f64 {
        self.sure(self.distinct_names)
    }

    /// The lower bound of an estimate of names.
    fn sure(&self, estimate: f64) -> f64 {
        estimate / (1.0 + ERRORS * self.distinct_names_error)
    }

    /// Names below it are addresses, so they are many and often do not exist.
    fn is_reverse(&self) -> bool {
        self.name.ends_with(".arpa") || &*self.name == "arpa"
    }
}

/// A flood of names that do not exist, to wear out the servers of a zone (water torture).
pub(super) fn random_subdomains(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "random_subdomains";
    for zone in &scene.observation.zones {
        let bar = scene.bar(KIND, &zone.name);
        let failed = zone.failed().min(zone.queries);
        let is_random = zone.names_below as f64 >= 0.8 * zone.queries as f64
            // Lists of addresses (RFC 5782) have a number of up to three digits as first label.
            && zone.label_bytes >= 4.0
            && zone.label_entropy_bits >= 1.5
            && is_novel(zone, failed, bar)
            && share_low(failed, zone.queries) >= bar.at(0.4);
        let is_many = zone.queries as f64 >= bar.at(32.0)
            && share_low(zone.queries, scene.observation.totals.queries) >= bar.at(0.01);
        if zone.is_reverse() || !is_random || !is_many || !is_new(scene, zone, Level::Answers, failed, bar) {
            continue;
        }
        let who = who(scene, &zone.heavy_clients, zone.queries);
        let per_second = scene.per_second(zone.queries);
        let text = format!(
            "{} gets {} queries for random names, {} of them without an answer{}",
            zone.name,
            rate(per_second),
            percent(share(failed, zone.queries)),
            by(&who, zone.distinct_clients)
        );
        let measures = vec![
            ("queries_per_second", per_second),
            ("usual_unanswered_per_second", usual(scene, zone)),
            ("distinct_names_min", zone.distinct_low()),
            ("unanswered_share", share(failed, zone.queries)),
            ("label_bytes", zone.label_bytes),
            ("clients", zone.distinct_clients),
        ];
        symptoms.push(symptom(KIND, zone, text, measures, who));
    }
}

/// Queries a second without a good answer in the last hour.
fn usual(scene: &Scene<'_>, zone: &ZoneObservation) -> f64 {
    let known = scene.baselines.of(Population::Zones, &zone.name);
    known.and_then(|known| known.mean(Level::Answers)).unwrap_or(0.0)
}

/// Most of the names that fail were never asked for before; or, if that cannot be told, most of all
/// queries are for different names.
fn is_novel(zone: &ZoneObservation, failed: u64, bar: Bar) -> bool {
    match zone.new_names {
        _ if bar == Bar::Keep => zone.distinct_low() >= 0.25 * failed as f64,
        Some(new_names) => zone.sure(new_names) >= 0.4 * failed as f64,
        None => zone.distinct_low() >= 0.5 * zone.queries as f64,
    }
}

/// Data in names and answers: long, random, different labels, asked for by few clients.
pub(super) fn tunnel(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "tunnel";
    for zone in &scene.observation.zones {
        let bar = scene.bar(KIND, &zone.name);
        let data = share_low(zone.data_queries, zone.queries);
        let answer_bytes = share(zone.response_bytes, zone.responses);
        let is_coded = zone.names_below as f64 >= 0.8 * zone.queries as f64
            && zone.label_bytes >= 24.0
            && zone.label_entropy_bits >= 3.0
            && zone.distinct_low() >= bar.at(0.5) * zone.queries as f64;
        let is_two_way = zone.responses > 0
            && share(zone.nxdomain + zone.servfail + zone.refused, zone.responses) < 0.3
            && (data >= bar.at(0.4) || answer_bytes >= bar.at(300.0));
        // Above four, an estimate of a few clients is sure to be more than two.
        let is_private = zone.distinct_clients <= 4.0;
        let is_many = zone.queries as f64 >= bar.at(24.0);
        if zone.is_reverse() || !(is_coded && is_two_way && is_private && is_many) {
            continue;
        }
        if !is_new(scene, zone, Level::Queries, zone.queries, bar) {
            continue;
        }
        let who = who(scene, &zone.heavy_clients, zone.queries);
        let per_second = scene.per_second(zone.queries);
        let text = format!(
            "{} looks like a tunnel: {} queries with labels of {:.0} random bytes{}",
            zone.name,
            rate(per_second),
            zone.label_bytes,
            by(&who, zone.distinct_clients)
        );
        let measures = vec![
            ("queries_per_second", per_second),
            ("label_bytes", zone.label_bytes),
            ("label_entropy_bits", zone.label_entropy_bits),
            ("data_type_share", share(zone.data_queries, zone.queries)),
            ("response_bytes_mean", answer_bytes),
        ];
        symptoms.push(symptom(KIND, zone, text, measures, who));
    }
}

/// A zone that fails, while others do not.
pub(super) fn servfail(scene: &Scene<'_>, symptoms: &mut Vec<Symptom>) {
    const KIND: &str = "zone_srvfail";
    let totals = scene.observation.totals;
    for zone in &scene.observation.zones {
        let bar = scene.bar(KIND, &zone.name);
        let of_others = share(
            totals.servfail.saturating_sub(zone.servfail),
            totals.responses.saturating_sub(zone.responses),
        );
        let failing = share_low(zone.servfail, zone.responses);
        let is_failing = zone.servfail as f64 >= bar.at(16.0)
            && failing >= bar.at(0.5)
            && failing >= 2.0 * of_others
            && share_low(zone.responses, totals.responses) >= bar.at(0.005);
        if !is_failing || is_named(symptoms, &["random_subdomains"], &zone.name) {
            continue;
        }
        if !is_new(scene, zone, Level::Servfail, zone.servfail, bar) {
            continue;
        }
        let per_second = scene.per_second(zone.servfail);
        let text = format!(
            "{} of the answers for {} are SERVFAIL ({}), {} for other zones",
            percent(share(zone.servfail, zone.responses)),
            zone.name,
            rate(per_second),
            percent(of_others)
        );
        let measures = vec![
            ("srvfail_per_second", per_second),
            ("srvfail_share", share(zone.servfail, zone.responses)),
            ("srvfail_share_of_others", of_others),
        ];
        symptoms.push(symptom(KIND, zone, text, measures, Vec::new()));
    }
}

/// Whether a zone has far more of something than in the last hour. Without an hour to compare with,
/// only a zone with a quarter of all queries is suspicious.
fn is_new(scene: &Scene<'_>, zone: &ZoneObservation, level: Level, inspected: u64, bar: Bar) -> bool {
    if bar == Bar::Keep {
        return true;
    }
    match scene.compare(Population::Zones, &zone.name, level, inspected) {
        Comparison::Surge => true,
        Comparison::Usual => false,
        Comparison::Unknown => share_low(zone.queries, scene.observation.totals.queries) >= 0.25,
    }
}

fn symptom(
    kind: &'static str,
    zone: &ZoneObservation,
    text: String,
    measures: Vec<(&'static str, f64)>,
    who: Vec<TopEntry>,
) -> Symptom {
    Symptom {
        patience: Patience::Usual,
        kind,
        severity: Severity::Warning,
        subject_kind: SubjectClass::Zone,
        text,
        measures,
        who,
        subject: zone.name.to_string(),
    }
}
