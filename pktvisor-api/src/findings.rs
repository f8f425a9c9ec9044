//! The answer of `/api/v1/findings`: what is wrong now, as a good operator would say it.

use serde::{Deserialize, Serialize};

use super::lists::TopEntry;

/// The answer of `/api/v1/findings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FindingsDocument {
    /// The second that was last judged, since 1970-01-01 UTC; 0 while there is none.
    pub at_ts: i64,
    /// What is wrong, the most severe first; of the same severity, the oldest first.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Finding {
    /// The rule that raised it: `server_unanswered`, `random_subdomains` and so on; docs/findings.md lists them.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// Since when, in seconds since 1970-01-01 UTC: the first second in which the rule held.
    pub since_ts: i64,
    /// One sentence for an operator, with the figures that matter most.
    pub text: String,
    /// The figures that it rests on.
    pub measures: Vec<Measure>,
    /// Who does it, heaviest first, at most ten; empty if they are too many to name.
    pub who: Vec<TopEntry>,
}

/// How bad a finding is. The worst sorts first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Clients get no answers.
    Critical,
    /// Clients notice it, or soon will.
    Warning,
    /// Worth a look. A program that does not know a severity reads it as this one.
    #[default]
    #[serde(other)]
    Notice,
}

/// What a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Subject {
    /// `server`, `client`, `zone`, `interface` or `agent`.
    pub kind: String,
    /// Its address or name; for an agent, the name of what it lost.
    pub name: String,
}

/// A figure of a finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Measure {
    /// What is measured, with its unit: `queries`, `p50_us`, `nxdomain_share`.
    pub name: String,
    /// Its value. A share is between 0 and 1.
    pub value: f64,
}
