//! What is wrong, as the agent says it, safe to show.

use std::time::Duration;

use pktvisor_api::{Finding, FindingsDocument, Severity};

use super::{
    list_table::ListKind,
    lists::{Row, rows},
    printable::Printable,
};

/// Findings kept of an agent.
const FINDINGS_MAX: usize = 100;
/// Figures kept of a finding.
const MEASURES_MAX: usize = 12;
/// Names kept of those who cause a finding. Agents send at most as many.
const WHO_MAX: usize = 10;

/// What a finding is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectKind {
    /// A server that HOST asks.
    Server,
    /// A client of HOST.
    Client,
    /// A zone.
    Zone,
    /// A watched interface.
    Interface,
    /// The agent itself, or something that this program does not know.
    #[default]
    Agent,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingRow {
    /// The rule that raised it.
    pub kind: Printable,
    /// How bad it is.
    pub severity: Severity,
    /// The sort of its subject.
    pub subject_kind: SubjectKind,
    /// Its subject.
    pub subject: Printable,
    /// The first second in which the rule held, since 1970-01-01 UTC.
    pub since_ts: i64,
    /// How long the rule has held.
    pub lasts: Duration,
    /// The sentence.
    pub text: Printable,
    /// The figures that it rests on.
    pub measures: Vec<(Printable, f64)>,
    /// Who does it, heaviest first.
    pub who: Vec<Row>,
}

/// The findings of an agent, the most severe first.
pub(super) fn findings(document: &FindingsDocument) -> Vec<FindingRow> {
    let mut findings: Vec<FindingRow> = document
        .findings
        .iter()
        .take(FINDINGS_MAX)
        .map(|finding| FindingRow::new(finding, document.at_ts))
        .collect();
    findings.sort_by_key(|finding| (finding.severity, finding.since_ts));
    findings
}

impl FindingRow {
    fn new(finding: &Finding, at_ts: i64) -> Self {
        let lasts = at_ts.saturating_sub(finding.since_ts).try_into().unwrap_or(0);
        let measures = finding.measures.iter().take(MEASURES_MAX);
        Self {
            kind: Printable::new(&finding.kind),
            severity: finding.severity,
            subject_kind: SubjectKind::of(&finding.subject.kind),
            subject: Printable::new(&finding.subject.name),
            since_ts: finding.since_ts,
            lasts: Duration::from_secs(lasts),
            text: Printable::new(&finding.text),
            measures: measures.map(|measure| (Printable::new(&measure.name), measure.value)).collect(),
            who: rows(finding.who.iter().take(WHO_MAX).cloned().collect()),
        }
    }

    /// The lists that say more about it, the best first.
    pub fn lists(&self) -> &'static [ListKind] {
        match (self.kind.as_str(), self.subject_kind) {
            ("server_slow", _) => &[ListKind::ServersSlow, ListKind::SlowOut],
            ("server_srvfail", _) => &[ListKind::ServersServfail, ListKind::ZonesServfail],
            (_, SubjectKind::Server) => &[ListKind::ServersTimedOut, ListKind::ZonesTimedOut],
            ("random_subdomains", _) => &[ListKind::ZonesNxdomain, ListKind::ClientsNxdomain],
            ("zone_srvfail", _) => &[ListKind::ZonesServfail, ListKind::ServersServfail],
            ("tunnel", _) => &[ListKind::NamesByBytes, ListKind::ClientsBytes],
            (_, SubjectKind::Zone) => &[ListKind::Qname2, ListKind::Qname3],
            ("amplification", _) => &[ListKind::ClientsAmplified, ListKind::NamesByBytes],
            ("truncation_storm", _) => &[ListKind::ClientsTruncated, ListKind::ClientsTcp],
            ("malformed_client", _) => &[ListKind::ClientsMalformed, ListKind::Clients],
            (_, SubjectKind::Client) => &[ListKind::Clients, ListKind::ClientsBytes],
            (_, SubjectKind::Interface | SubjectKind::Agent) => &[],
        }
    }
}

impl SubjectKind {
    fn of(name: &str) -> Self {
        match name {
            "server" => Self::Server,
            "client" => Self::Client,
            "zone" => Self::Zone,
            "interface" => Self::Interface,
            _ => Self::Agent,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Zone => "zone",
            Self::Interface => "interface",
            Self::Agent => "agent",
        }
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_api::{Measure, Subject, TopEntry};

    use super::*;

    fn finding(severity: Severity, since_ts: i64) -> Finding {
        Finding { severity, since_ts, ..Finding::default() }
    }

    #[test]
    fn the_most_severe_finding_comes_first_also_from_an_agent_that_does_not_sort() {
        let document = FindingsDocument {
            at_ts: 100,
            findings: vec![
                finding(Severity::Notice, 1),
                finding(Severity::Critical, 50),
                finding(Severity::Critical, 40),
            ],
        };
        let since: Vec<i64> = findings(&document).iter().map(|finding| finding.since_ts).collect();
        assert_eq!(since, [40, 50, 1]);
        assert_eq!(findings(&document)[0].lasts, Duration::from_secs(60));
    }

    #[test]
    fn a_hostile_agent_neither_fills_the_memory_nor_controls_the_terminal() {
        let hostile = Finding {
            kind: "\u{1b}[2J".to_owned(),
            subject: Subject { kind: "x".repeat(9999), name: "\u{7}".to_owned() },
            since_ts: i64::MIN,
            text: "\u{202e}".repeat(9999),
            measures: vec![Measure { name: "\n".to_owned(), value: f64::NAN }; 1000],
            who: vec![TopEntry { name: "\r".to_owned(), ..TopEntry::default() }; 1000],
            severity: Severity::Critical,
        };
        let document = FindingsDocument { at_ts: i64::MAX, findings: vec![hostile; 1000] };
        let findings = findings(&document);
        assert_eq!(findings.len(), FINDINGS_MAX);
        let first = &findings[0];
        assert_eq!((first.measures.len(), first.who.len()), (MEASURES_MAX, WHO_MAX));
        assert_eq!((first.kind.as_str(), first.subject.as_str()), ("\\u{1b}[2J", "\\u{7}"));
        assert!(first.text.as_str().starts_with("\\u{202e}") && first.text.width() <= 8 * 1024 + 1);
        assert_eq!(first.subject_kind, SubjectKind::Agent);
    }
}
