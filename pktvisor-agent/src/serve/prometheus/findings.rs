//! What is wrong: a series for each finding, while it lasts.
//!
//! An agent has at most eight findings of a kind, so the number of series is bounded.

use pktvisor_api::{FindingsDocument, Severity};

use super::writer::{Exposition, FamilyKind};

/// Writes the family. It is there without findings, too, so that an alert can rely on it.
pub(super) fn family(out: &mut Exposition, document: &FindingsDocument) {
    let help = "What is wrong, by kind and subject; always 1.";
    let mut family = out.family("pktvisor_finding", FamilyKind::Gauge, help);
    for finding in &document.findings {
        let severity = match finding.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        };
        let labels = [
            ("kind", finding.kind.as_str()),
            ("subject_kind", &finding.subject.kind),
            ("subject", &finding.subject.name),
            ("severity", severity),
        ];
        family.sample(&labels, 1);
    }
}
