//! The declarations as data, for documentation and for Prometheus.

/// How exact a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exactness {
    /// A plain counter, exact at any sampling rate.
    Exact,
    /// Exact, but only of what was sampled for deep analysis.
    Analysed,
    /// An estimate of a number of distinct items.
    Distinct,
    /// Frequent items, each with its bounds.
    List,
    /// From a histogram with bounded relative error.
    Quantile,
}

/// The JSON type of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One integer.
    Number,
    /// Integers by class.
    Numbers,
    /// p50, p90, p95, p99.
    Quantiles,
    /// Names with counts.
    List,
    /// An object of its own, with a group of its own.
    Group,
}

/// The place of a number in the Prometheus exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// In a family of its own, named by path and key.
    Generated,
    /// In this family, under this label if there is one.
    Named {
        /// The family.
        name: &'static str,
        /// Label and value.
        label: Option<(&'static str, &'static str)>,
    },
    /// In no family of its own: others add up to it, or the exposition computes it.
    Elsewhere,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its JSON key inside the group.
    pub key: &'static str,
    /// Its JSON type.
    pub kind: Kind,
    /// The unit, plural; empty for a group.
    pub unit: &'static str,
    /// Its exactness.
    pub class: Exactness,
    /// Its meaning, in one or two sentences.
    pub help: &'static str,
    /// Its Prometheus family.
    pub family: Family,
}

/// The metrics of one JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The path of the object in a period: "dns.edns".
    pub path: &'static str,
    /// Its rows, in the order of the JSON.
    pub metrics: &'static [Metric],
}

macro_rules! group {
    ($(#[$about:meta])* $path:literal: $report:ident / $record:ident $(, kernel $kernel:ident)? { $(
        $(#[doc = $help:literal])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*) $(=> $family:tt)?;
    )* }) => {
        Group { path: $path, metrics: &[$(Metric {
            key: key!($field $($json)?),
            kind: kind!($kind),
            unit: unit!($kind($($of)*)),
            class: class!($kind($($of)*)),
            help: concat!($($help),+),
            family: family!($($family)?),
        }),*] }
    };
}

macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $json:literal) => {
        $json
    };
}

macro_rules! kind {
    (Sizes) => {
        Kind::Numbers
    };
    (Quantiles) => {
        Kind::Quantiles
    };
    (Times) => {
        Kind::Quantiles
    };
    (List) => {
        Kind::List
    };
    (Group) => {
        Kind::Group
    };
    ($number:ident) => {
        Kind::Number
    };
}

macro_rules! unit {
    (Group($($of:tt)*)) => {
        ""
    };
    ($kind:ident($unit:ident $($more:tt)*)) => {
        stringify!($unit)
    };
    ($kind:ident($unit:literal $($more:tt)*)) => {
        $unit
    };
}

macro_rules! class {
    (Distinct($($of:tt)*)) => {
        Exactness::Distinct
    };
    (List($($of:tt)*)) => {
        Exactness::List
    };
    (Quantiles($($of:tt)*)) => {
        Exactness::Quantile
    };
    (Times($($of:tt)*)) => {
        Exactness::Quantile
    };
    ($kind:ident($unit:ident, analysed)) => {
        Exactness::Analysed
    };
    ($kind:ident($($of:tt)*)) => {
        Exactness::Exact
    };
}

macro_rules! family {
    () => {
        Family::Generated
    };
    (elsewhere) => {
        Family::Elsewhere
    };
    (($name:literal)) => {
        Family::Named { name: $name, label: None }
    };
    (($name:literal, $label:ident = $value:literal)) => {
        Family::Named { name: $name, label: Some((stringify!($label), $value)) }
    };
}

/// The ledger in the document of the agent.
pub static LEDGER: Group = crate::ledger!(group);

/// The numbers in the document of the rates.
pub static RATES: Group = crate::direction_rates!(group);

/// Every group of a period.
pub const GROUPS: &[Group] = &[
    crate::packets!(group),
    crate::ip_cardinality!(group),
    crate::packet_rates!(group),
    crate::dns!(group),
    crate::dns_messages!(group),
    crate::dns_cardinality!(group),
    crate::transactions!(group),
    crate::transaction_counts!(group),
    crate::transaction_direction!(group),
    Group { path: "dns.xact.out", ..crate::transaction_direction!(group) },
    crate::dns_in!(group),
    crate::dns_out!(group),
    crate::dns_flags!(group),
    crate::edns!(group),
    crate::reassembly!(group),
];

/// The help text of a family with labels, or of one that cannot use the meaning of its metric.
pub fn family_help(name: &str) -> Option<&'static str> {
    let help = match name {
        "pktvisor_period_direction_packets" => "Packets of the period by direction.",
        "pktvisor_period_network_packets" => "Packets of the period by outermost IP version.",
        "pktvisor_period_transport_packets" => "IP packets of the period by transport.",
        "pktvisor_period_addresses" => "Distinct addresses of the period, estimated.",
        "pktvisor_period_dns_messages" => "DNS messages of the period.",
        "pktvisor_period_dns_transport_messages" => "DNS messages of the period by transport.",
        "pktvisor_period_dns_replies" => "DNS replies of the period by response code.",
        "pktvisor_period_dns_flagged_replies" => "Analysed DNS replies of the period with a header flag set.",
        "pktvisor_period_dns_unmatched" => "Queries and responses of the period without a partner.",
        "pktvisor_dns_packets_total" => "Packets counted that may carry DNS.",
        "pktvisor_dns_packets_lost_total" => "DNS packets lost before deep analysis.",
        "pktvisor_dns_packets_analysed_total" => "Delivered packets that completed a message that parses.",
        "pktvisor_dns_messages_total" => "DNS messages counted.",
        "pktvisor_packets_per_second" => "Packets in the last full second.",
        "pktvisor_bytes_per_second" => "Wire bytes in the last full second.",
        "pktvisor_dns_messages_per_second" => "DNS messages in the last full second.",
        _ => return None,
    };
    Some(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_meaning_and_a_unit() {
        for group in GROUPS.iter().chain([&LEDGER, &RATES]) {
            for metric in group.metrics {
                assert!(
                    metric.help.trim().ends_with('.'),
                    "{}.{}: {:?}",
                    group.path,
                    metric.key,
                    metric.help
                );
                assert_eq!(
                    metric.unit.is_empty(),
                    metric.kind == Kind::Group,
                    "{}.{}",
                    group.path,
                    metric.key
                );
            }
        }
    }

    #[test]
    fn a_family_with_labels_has_a_meaning_of_its_own() {
        for metric in GROUPS.iter().chain([&LEDGER, &RATES]).flat_map(|group| group.metrics) {
            if let Family::Named { name, label: Some(_) } = metric.family {
                assert!(family_help(name).is_some(), "{name} has no help text");
            }
        }
    }

    #[test]
    fn every_group_but_the_outermost_has_a_row_in_another() {
        for group in GROUPS.iter().filter(|group| group.path.contains('.')) {
            let (outer, key) = group.path.rsplit_once('.').unwrap();
            let mut rows = GROUPS.iter().filter(|group| group.path == outer).flat_map(|group| group.metrics);
            assert!(rows.any(|row| row.key == key && row.kind == Kind::Group), "{}", group.path);
        }
    }
}
