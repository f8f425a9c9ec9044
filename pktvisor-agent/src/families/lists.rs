//! The top lists of a period: a series for each entry, and the bounds of its count.
//!
//! A list has at most ten entries in a report, so the number of series is bounded. The names in it
//! change with the traffic: a store that keeps many months may drop these families when it scrapes.

use metric_families::{FamilyKind, MetricFamily};
use pktvisor_api::TopEntry;
use pktvisor_definitions::{self as definitions, Group, Kind};
use serde_json::Value;

use super::declared::{generated_name, values};

/// What an entry states of its count: the suffix of the family, the end of its help text, and the
/// number.
type Statement = (&'static str, &'static str, fn(&TopEntry) -> Option<u64>);

const STATEMENTS: [Statement; 3] = [
    ("", "Estimate of the period.", |entry| Some(entry.estimate)),
    ("_lower", "Lower bound of the count.", |entry| entry.lower),
    ("_upper", "Upper bound of the count.", |entry| entry.upper),
];

/// The lists that the groups declare, except those declared without a family.
pub(super) fn families(groups: &[Group], period: &Value) -> Vec<MetricFamily> {
    let lists = values(groups, period, Kind::List);
    let lists = lists.filter(|(_, metric, _)| metric.family != definitions::Family::Elsewhere);
    lists
        .flat_map(|(group, metric, list)| {
            let (name, entries) = (generated_name(group, metric), entries(list));
            STATEMENTS.map(|(suffix, statement, number)| {
                let help = format!("{} {statement}", metric.help.trim());
                let mut family = MetricFamily::new(format!("{name}{suffix}"), FamilyKind::Gauge, help);
                for entry in &entries {
                    if let Some(number) = number(entry) {
                        family.push([("name", entry.name.as_str())], number);
                    }
                }
                family
            })
        })
        .collect()
}

fn entries(list: &Value) -> Vec<TopEntry> {
    serde_json::from_value(list.clone()).unwrap_or_default()
}
