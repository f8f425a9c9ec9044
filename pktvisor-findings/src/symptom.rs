//! A rule that holds in this second, and what rules look at.

use pktvisor_api::{Severity, TopEntry};

use crate::baseline::{Baselines, Comparison, Level, Population};
use crate::bounds::count_low;
use crate::observation::TrafficObservation;

/// The kind of a subject, as in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectClass {
    Server,
    Client,
    Zone,
    Interface,
    Agent,
}

impl SubjectClass {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Zone => "zone",
            Self::Interface => "interface",
            Self::Agent => "agent",
        }
    }
}

/// A rule that holds.
#[derive(Clone, Debug)]
pub(crate) struct Symptom {
    pub(crate) kind: &'static str,
    pub(crate) severity: Severity,
    pub(crate) subject_kind: SubjectClass,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) measures: Vec<(&'static str, f64)>,
    pub(crate) who: Vec<TopEntry>,
    pub(crate) patience: Patience,
}

/// How long a finding stays after its rule held for the last time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Some seconds.
    Usual,
    /// Minutes, because a silence proves nothing; some seconds from when this holds for the
    /// subject.
    UntilOver(fn(&TrafficObservation, &str) -> bool),
}

/// How strict a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// To raise a finding.
    Raise,
    /// To keep one that is raised.
    Keep,
}

impl Bar {
    /// The threshold to raise, or half of it to keep.
    pub(crate) fn at(self, raise: f64) -> f64 {
        match self {
            Self::Raise => raise,
            Self::Keep => raise / 2.0,
        }
    }
}

/// Inspected messages of a window that are as usual as none: a subject with so few has no baseline.
const UNSEEN: u64 = 5;

/// What a rule looks at.
pub(crate) struct Scene<'a> {
    pub(crate) observation: &'a TrafficObservation,
    pub(crate) baselines: &'a Baselines,
    /// Whether there is a finding of this kind on this subject.
    pub(crate) is_raised: &'a dyn Fn(&str, &str) -> bool,
    pub(crate) recent: RecentAgent,
}

/// What happened to the agent in the last ten seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecentAgent {
    pub(crate) packets: u64,
    pub(crate) lost: u64,
    pub(crate) driver_drops: u64,
}

impl Scene<'_> {
    /// How strict the rule `kind` is for this subject.
    pub(crate) fn bar(&self, kind: &str, subject: &str) -> Bar {
        if (self.is_raised)(kind, subject) { Bar::Keep } else { Bar::Raise }
    }

    /// Messages a second that a number of inspected ones of the window stands for.
    pub(crate) fn per_second(&self, inspected: u64) -> f64 {
        inspected as f64 * self.observation.scale / self.observation.window_s.max(1) as f64
    }

    /// Compares a number of inspected messages with the last hour, by its lower bound.
    pub(crate) fn compare(
        &self,
        population: Population,
        name: &str,
        level: Level,
        inspected: u64,
    ) -> Comparison {
        let low = self.per_second(inspected) * count_low(inspected) / inspected.max(1) as f64;
        self.baselines.compare(population, name, level, low, self.per_second(UNSEEN))
    }

    /// The same for octets, of which each message has many.
    pub(crate) fn compare_bytes(
        &self,
        population: Population,
        name: &str,
        bytes: u64,
        inspected: u64,
    ) -> Comparison {
        let low = self.per_second(bytes) * count_low(inspected) / inspected.max(1) as f64;
        self.baselines.compare(population, name, Level::Bytes, low, self.per_second(UNSEEN * 100))
    }
}
