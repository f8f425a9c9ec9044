//! A rule that holds in this second, and what rules look at.

use pktvisor_api::{Severity, TopEntry};

use crate::baseline::{Baselines, Comparison, Level, Population};
use crate::observation::Observation;

/// The kind of a subject, as in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    Server,
    Client,
    Zone,
    Interface,
    Agent,
}

impl SubjectKind {
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
    pub(crate) subject_kind: SubjectKind,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) measures: Vec<(&'static str, f64)>,
    pub(crate) who: Vec<TopEntry>,
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

/// What a rule looks at.
pub(crate) struct Scene<'a> {
    pub(crate) observation: &'a Observation,
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

    /// Messages a second that a number of watched ones of the window stands for.
    pub(crate) fn per_second(&self, watched: u64) -> f64 {
        watched as f64 * self.observation.scale / self.observation.window_s.max(1) as f64
    }

    /// Compares a rate with the last hour. What is less than `floor` watched messages in a window
    /// is as usual as nothing.
    pub(crate) fn compare(
        &self,
        population: Population,
        name: &str,
        level: Level,
        value: f64,
        floor: u64,
    ) -> Comparison {
        self.baselines.compare(population, name, level, value, self.per_second(floor))
    }
}
