//! The top lists of a period: a series for each entry, and the bounds of its count.
//!
//! A list has at most ten entries in a report, so the number of series is bounded. The names in it
//! change with the traffic: a store that keeps many months may drop these families when it scrapes.

use pktvisor_api::TopEntry;
use pktvisor_definitions::{Family, Group, Kind};
use serde_json::Value;

use super::declared::{generated_name, values};
use super::writer::{Exposition, FamilyKind};

/// What an entry states of its count: the suffix of the family, the end of its help text, and the
/// number.
type Statement = (&'static str, &'static str, fn(&TopEntry) -> Option<u64>);

const STATEMENTS: [Statement; 3] = [
    ("", "Estimate of the period.", |entry| Some(entry.estimate)),
    ("_lower", "Lower bound of the count.", |entry| entry.lower),
    ("_upper", "Upper bound of the count.", |entry| entry.upper),
];

/// Writes the lists that the groups declare, except those declared without a family.
pub(super) fn families(out: &mut Exposition, groups: &[Group], period: &Value) {
    let lists = values(groups, period, Kind::List);
    for (group, metric, list) in lists.filter(|(_, metric, _)| metric.family != Family::Elsewhere) {
        let entries = entries(list);
        let name = generated_name(group, metric);
        for (suffix, statement, number) in STATEMENTS {
            let help = format!("{} {statement}", metric.help.trim());
            let name = format!("{name}{suffix}");
            let mut family = out.family(&name, FamilyKind::Gauge, &help);
            for entry in &entries {
                if let Some(number) = number(entry) {
                    family.sample(&[("name", &entry.name)], number);
                }
            }
        }
    }
}

fn entries(list: &Value) -> Vec<TopEntry> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}
