//! The finding that no second was judged of late, which the judge of seconds cannot make.

use std::time::{Duration, SystemTime};

use pktvisor_api::{Finding, FindingsDocument, Measure, Severity, Subject};

/// The judged second is up to two seconds old if a worker thread needs its whole patience.
const AGE_MAX_S: i64 = 4;

/// Adds a finding if the last judged second is old.
pub(super) fn add(document: &mut FindingsDocument, now: SystemTime) {
    let now_s = now.duration_since(SystemTime::UNIX_EPOCH).as_ref().map_or(0, Duration::as_secs);
    let age_s = i64::try_from(now_s).unwrap_or(0) - document.at_ts;
    if document.at_ts == 0 || age_s <= AGE_MAX_S {
        return;
    }
    let finding = Finding {
        kind: "analysis_behind".to_owned(),
        severity: Severity::Warning,
        subject: Subject { kind: "agent".to_owned(), name: "analysis".to_owned() },
        since_ts: document.at_ts + 1,
        text: format!("the analysis of DNS is {age_s} seconds behind"),
        measures: vec![Measure { name: "behind_s".to_owned(), value: age_s as f64 }],
        who: Vec::new(),
    };
    document.findings.retain(|known| known.kind != finding.kind);
    let place = document.findings.partition_point(|known| known.severity <= finding.severity);
    document.findings.insert(place, finding);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_second_is_a_finding() {
        let at = |second: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        let mut document = FindingsDocument { at_ts: 1_000, ..FindingsDocument::default() };
        add(&mut document, at(1_003));
        assert!(document.findings.is_empty());
        add(&mut document, at(1_010));
        add(&mut document, at(1_011));
        assert_eq!(document.findings.len(), 1);
        assert_eq!(document.findings[0].text, "the analysis of DNS is 11 seconds behind");
        let mut starting = FindingsDocument::default();
        add(&mut starting, at(1_010));
        assert!(starting.findings.is_empty());
    }
}
