//! What is wrong: a series for each finding, while it lasts.
//!
//! An agent has at most eight findings of a kind, so the number of series is bounded.

use metric_families::{FamilyKind, MetricFamily};
use pktvisor_api::{FindingsDocument, Severity};

/// The family. It is there without findings, too, so that an alert can rely on it.
pub(super) fn family(document: &FindingsDocument) -> MetricFamily {
    let help = "What is wrong, by kind and subject; always 1.";
    let mut family = MetricFamily::new("pktvisor_finding", FamilyKind::Gauge, help);
    for finding in &document.findings {
        let severity = match finding.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        };
        let labels = [
            ("kind", finding.kind.as_str()),
            ("subject_kind", finding.subject.kind.as_str()),
            ("subject", finding.subject.name.as_str()),
            ("severity", severity),
        ];
        family.push(labels, 1);
    }
    family
}
