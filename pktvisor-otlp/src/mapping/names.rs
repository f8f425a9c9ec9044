//! Names and units of metrics.
//!
//! A metric has the name of its family with dots for underscores and without `_seconds` and `_ratio`,
//! which OTLP states apart (UCUM): `pktvisor_period_length_seconds` becomes `pktvisor.period.length` in
//! `s`. Bytes stay in the name, because they are what is counted, as packets are. A store that
//! translates names for Prometheus appends the unit unless the name has it, so that the same queries
//! work on scraped and on pushed metrics. Where the semantic conventions of OpenTelemetry name a metric,
//! it has that name.

use metric_families::{BaseUnit, MetricFamily};

/// Name and unit of a metric.
pub(super) struct MetricNaming {
    pub(super) name: String,
    /// A UCUM code; empty for counts.
    pub(super) unit: String,
}

/// The families whose metric has a name in the semantic conventions.
const CONVENTIONS: [(&str, &str); 5] = [
    // https://opentelemetry.io/docs/specs/semconv/dns/dns-metrics/
    ("pktvisor_dns_transaction_duration_seconds", "dns.lookup.duration"),
    // https://opentelemetry.io/docs/specs/semconv/system/process-metrics/
    ("process_cpu_seconds", "process.cpu.time"),
    // As the one before, by role.
    ("pktvisor_cpu_seconds", "pktvisor.cpu.time"),
    ("process_resident_memory_bytes", "process.memory.usage"),
    ("pktvisor_uptime_seconds", "process.uptime"),
];

pub(super) fn of(family: &MetricFamily) -> MetricNaming {
    let convention = CONVENTIONS.iter().find(|(name, _)| *name == family.name);
    let name = match convention {
        Some((_, name)) => (*name).to_owned(),
        None if family.unit == Some(BaseUnit::Bytes) => family.name.replace('_', "."),
        None => family.name_without_unit().replace('_', "."),
    };
    let unit = match family.unit {
        Some(BaseUnit::Seconds) => "s",
        Some(BaseUnit::Bytes) => "By",
        Some(BaseUnit::Ratio) => "1",
        None => "",
    };
    MetricNaming { name, unit: unit.to_owned() }
}
