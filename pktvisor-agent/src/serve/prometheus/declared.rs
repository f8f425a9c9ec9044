//! The families that the declarations of the metrics ask for.

use pktvisor_definitions::{Exactness, Family, Group, Kind, Metric, family_help};
use serde_json::Value;

use super::writer::{Exposition, FamilyKind};

/// One family: its help text, and the metrics that are its samples with their labels.
struct Samples {
    name: String,
    help: String,
    /// Whether it counts, so that its sum since start has a meaning.
    grows: bool,
    samples: Vec<(Option<(&'static str, &'static str)>, u64)>,
}

/// Which numbers of a document to write, and under which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// All of them, in the families that are declared.
    Declared,
    /// Those that only grow, in families named `_total` without `period_`.
    SinceStart,
}

/// Writes a family for every number of the document that the groups declare, in the order of the
/// declarations.
pub(super) fn families(out: &mut Exposition, groups: &[Group], document: &Value, naming: Naming) {
    for family in collect(groups, document) {
        let Some(family) = named(family, naming) else { continue };
        let kind = if family.name.ends_with("_total") { FamilyKind::Counter } else { FamilyKind::Gauge };
        let mut written = out.family(&family.name, kind, &family.help);
        for (label, value) in family.samples {
            written.sample(label.as_slice(), value);
        }
    }
}

/// Samples of one family must stand together, wherever their declarations stand.
fn collect(groups: &[Group], document: &Value) -> Vec<Samples> {
    let mut families: Vec<Samples> = Vec::new();
    for (group, metric, value) in values(groups, document, Kind::Number) {
        let Some((name, label)) = family_of(group, metric) else { continue };
        let Some(value) = value.as_u64() else { continue };
        match families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.samples.push((label, value)),
            None => {
                let help = family_help(&name).unwrap_or(metric.help.trim()).to_owned();
                let grows = matches!(metric.class, Exactness::Exact | Exactness::Analysed);
                families.push(Samples { name, help, grows, samples: vec![(label, value)] });
            }
        }
    }
    families
}

/// The metrics of this kind that the groups declare, each with its value in the document.
pub(super) fn values<'a>(
    groups: &'a [Group],
    document: &'a Value,
    kind: Kind,
) -> impl Iterator<Item = (&'a Group, &'a Metric, &'a Value)> {
    groups.iter().flat_map(move |group| {
        let object = document.pointer(&format!("/{}", group.path.replace('.', "/")));
        let metrics = group.metrics.iter().filter(move |metric| metric.kind == kind);
        metrics.filter_map(move |metric| Some((group, metric, object?.get(metric.key)?)))
    })
}

/// The name of a family that is named by path and key.
pub(super) fn generated_name(group: &Group, metric: &Metric) -> String {
    format!("pktvisor_period_{}_{}", group.path.replace('.', "_"), metric.key).to_ascii_lowercase()
}

/// The family under the name that it has in this place; none if it is left out there.
fn named(family: Samples, naming: Naming) -> Option<Samples> {
    const PERIOD: &str = "pktvisor_period_";
    if naming == Naming::Declared {
        return Some(family);
    }
    let rest = family.name.strip_prefix(PERIOD).filter(|_| family.grows)?;
    let name = match rest {
        // The ledger has a family `pktvisor_dns_messages_total`, without labels.
        "dns_messages" => "pktvisor_dns_messages_by_kind_total".to_owned(),
        rest => format!("pktvisor_{rest}_total"),
    };
    Some(Samples { name, help: family.help.replace(" of the period", " since start"), ..family })
}

/// The family of a metric and its label there; `None` if the exposition computes the metric.
fn family_of(group: &Group, metric: &Metric) -> Option<(String, Option<(&'static str, &'static str)>)> {
    match metric.family {
        Family::Generated => Some((generated_name(group, metric), None)),
        Family::Named { name, label } => Some((name.to_owned(), label)),
        Family::Elsewhere => None,
    }
}
