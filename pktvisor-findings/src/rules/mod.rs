//! The rules. Each looks at the scene of one second and adds the symptoms that it sees.

mod agent;
mod clients;
mod servers;
mod storms;
mod text;
mod zones;

use crate::symptom::{Scene, Symptom};

/// A rule.
pub(crate) type Rule = fn(&Scene<'_>, &mut Vec<Symptom>);

/// All rules. A rule may leave a subject to an earlier one that explains it better.
pub(crate) const RULES: &[Rule] = &[
    servers::unanswered,
    servers::slow,
    servers::servfail,
    zones::random_subdomains,
    zones::tunnel,
    zones::servfail,
    storms::truncation,
    clients::malformed,
    clients::amplification,
    clients::greedy,
    agent::interfaces,
    agent::losses,
    agent::sampling,
];

/// Whether an earlier rule of these kinds already names the subject.
fn is_named(symptoms: &[Symptom], kinds: &[&str], subject: &str) -> bool {
    symptoms.iter().any(|symptom| kinds.contains(&symptom.kind) && symptom.subject == subject)
}
