//! The families that the declarations of the metrics ask for.

use metric_families::{FamilyKind, MetricFamily};
use pktvisor_definitions::{
    self as definitions, Exactness, GROUPS, Group, Kind, LEDGER, Metric, RATES, family_help,
};
use serde_json::Value;

/// One family: its help text, and the metrics that are its samples with their labels.
struct Samples {
    name: String,
    help: String,
    /// Whether it counts, so that its sum since start has a meaning.
    grows: bool,
    samples: Vec<(Option<(&'static str, &'static str)>, u64)>,
}

/// Which numbers of a document have families, and under which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// All of them, in the families that are declared.
    Declared,
    /// Those that only grow, in families named `_total` without `period_`.
    SinceStart,
}

/// A family for every number of the document that the groups declare, in the order of the
/// declarations.
pub(super) fn families(groups: &[Group], document: &Value, naming: Naming) -> Vec<MetricFamily> {
    let named = collect(groups, document).into_iter().filter_map(|family| named(family, naming));
    named.map(family).collect()
}

fn family(samples: Samples) -> MetricFamily {
    let Samples { name, help, samples, .. } = samples;
    let mut family = match name.strip_suffix("_total") {
        Some(counter) => MetricFamily::new(counter.to_owned(), FamilyKind::Counter, help),
        None => MetricFamily::new(name, FamilyKind::Gauge, help),
    };
    for (label, value) in samples {
        match label {
            Some(label) => family.push([label], value),
            None => family.push([], value),
        }
    }
    family
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

/// Whether a declared family has points with this label.
pub(super) fn is_label(name: &str) -> bool {
    let metrics = GROUPS.iter().chain([&LEDGER, &RATES]).flat_map(|group| group.metrics);
    metrics
        .filter_map(|metric| match metric.family {
            definitions::Family::Named { label, .. } => label,
            definitions::Family::Generated | definitions::Family::Elsewhere => None,
        })
        .any(|(label, _)| label == name)
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

/// The family of a metric and its label there; `None` if the metric is computed elsewhere.
fn family_of(group: &Group, metric: &Metric) -> Option<(String, Option<(&'static str, &'static str)>)> {
    match metric.family {
        definitions::Family::Generated => Some((generated_name(group, metric), None)),
        definitions::Family::Named { name, label } => Some((name.to_owned(), label)),
        definitions::Family::Elsewhere => None,
    }
}
