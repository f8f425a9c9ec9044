//! Waits for findings and for their end. A failure shows all findings and the last seconds.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pktvisor_api::{Finding, FindingsDocument};

use crate::agent::Agent;

/// A finding must be raised so soon after the fault began.
const RAISED_WITHIN: Duration = Duration::from_secs(10);
/// A finding must be gone so soon after the fault ended.
const CLEARED_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);
/// Seconds of the series that a failure shows.
const SHOWN_SECONDS: usize = 30;

/// A finding that a scenario is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// Its rule.
    pub(crate) kind: &'a str,
    /// Kind and name of what it is about.
    pub(crate) subject: (&'a str, &'a str),
    /// Rules that may find something, too, because the fault has several effects.
    pub(crate) companions: &'a [&'a str],
}

impl Expected<'_> {
    fn find<'a>(&self, document: &'a FindingsDocument) -> Option<&'a Finding> {
        document.findings.iter().find(|finding| {
            let subject = &finding.subject;
            finding.kind == self.kind && (&*subject.kind, &*subject.name) == self.subject
        })
    }
}

/// The moment when something goes wrong.
pub(crate) struct Fault {
    start: Instant,
    /// Since 1970-01-01 UTC, as in findings.
    start_s: i64,
}

impl Fault {
    /// It happens now.
    pub(crate) fn begins() -> Self {
        Self { start: Instant::now(), start_s: now_s() }
    }
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

impl Agent {
    pub(crate) fn findings(&self) -> FindingsDocument {
        serde_json::from_value(self.json("/api/v1/findings")).unwrap()
    }

    /// Waits so long, during which nothing may be found.
    pub(crate) fn assert_finds_nothing_for(&self, duration: Duration) {
        let start = Instant::now();
        while start.elapsed() < duration {
            let document = self.findings();
            assert!(
                document.findings.is_empty(),
                "found something in ordinary traffic after {:?}:\n{}",
                start.elapsed(),
                self.situation()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Waits until this is found. No other rule than that and its companions may find anything.
    pub(crate) fn wait_until_found(&self, expected: &Expected<'_>, fault: &Fault) -> Finding {
        loop {
            let document = self.findings();
            let strange = document.findings.iter().find(|finding| {
                finding.kind != expected.kind && !expected.companions.contains(&&*finding.kind)
            });
            assert!(strange.is_none(), "waiting for {expected:?}, found {strange:?}\n{}", self.situation());
            if let Some(finding) = expected.find(&document) {
                println!("{} found after {:.1} s", expected.kind, fault.start.elapsed().as_secs_f64());
                assert!(
                    (fault.start_s..=now_s()).contains(&finding.since_ts),
                    "{}: {finding:?}",
                    fault.start_s
                );
                return finding.clone();
            }
            assert!(
                fault.start.elapsed() < RAISED_WITHIN,
                "{expected:?} is not found after {RAISED_WITHIN:?}:\n{}",
                self.situation()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Waits so long, during which this may not be cleared.
    pub(crate) fn assert_still_found_for(&self, expected: &Expected<'_>, duration: Duration) {
        let start = Instant::now();
        while start.elapsed() < duration {
            let is_found = expected.find(&self.findings()).is_some();
            assert!(is_found, "{expected:?} is cleared after {:?}:\n{}", start.elapsed(), self.situation());
            thread::sleep(PAUSE);
        }
    }

    /// Waits until nothing is found any more.
    pub(crate) fn wait_until_cleared(&self) {
        let start = Instant::now();
        loop {
            let document = self.findings();
            if document.findings.is_empty() {
                println!("cleared after {:.1} s", start.elapsed().as_secs_f64());
                return;
            }
            assert!(
                start.elapsed() < CLEARED_WITHIN,
                "not cleared after {CLEARED_WITHIN:?}:\n{}",
                self.situation()
            );
            thread::sleep(PAUSE);
        }
    }

    /// All findings, and what was counted in the last seconds.
    pub(crate) fn situation(&self) -> String {
        let findings = serde_json::to_string_pretty(&self.findings()).unwrap();
        let dns = &self.period().dns;
        format!(
            "{findings}\n{}\ndns: {}\n{}",
            self.last_seconds(),
            serde_json::to_string(dns).unwrap(),
            self.stderr()
        )
    }

    fn last_seconds(&self) -> String {
        let series = self.series();
        let (dns, xact) = (&series.dns, &series.xact);
        let mut text =
            "second      queries replies  noerr nxdom srvfl   tc   t/o    in p50_us   out p50_us\n"
                .to_owned();
        let first = dns.queries.len().saturating_sub(SHOWN_SECONDS);
        for n in first..dns.queries.len() {
            let median = |column: &[Option<u64>]| column[n].map_or("-".to_owned(), |time| time.to_string());
            writeln!(
                text,
                "{} {:>7} {:>7} {:>6} {:>5} {:>5} {:>4} {:>5} {:>5} {:>6} {:>5} {:>6}",
                series.start_ts + n as i64,
                dns.queries[n],
                dns.replies[n],
                dns.noerror[n],
                dns.nxdomain[n],
                dns.srvfail[n],
                dns.tc[n],
                xact.timed_out[n],
                xact.inbound.total[n],
                median(&xact.inbound.p50_us),
                xact.outbound.total[n],
                median(&xact.outbound.p50_us),
            )
            .unwrap();
        }
        text
    }
}
