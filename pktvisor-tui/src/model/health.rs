//! The thresholds for numbers that are good, worth a look, or bad.

use pktvisor_api::Severity;

/// The state of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthLevel {
    /// There is nothing to judge.
    #[default]
    Unknown,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Broken, or losing data.
    Bad,
}

impl HealthLevel {
    /// Below `warn` good, below `bad` worth a look; shares from 0 to 1.
    fn by_share(share: Option<f64>, warn: f64, bad: f64) -> Self {
        match share {
            None => Self::Unknown,
            Some(share) if share >= bad => Self::Bad,
            Some(share) if share >= warn => Self::Warn,
            Some(_) => Self::Good,
        }
    }

    /// Of the share of replies that are neither NOERROR nor NXDOMAIN, and of SERVFAIL or REFUSED
    /// alone.
    pub fn of_errors(share: Option<f64>) -> Self {
        Self::by_share(share, 0.02, 0.10)
    }

    /// Of the share of NXDOMAIN: ordinary on a resolver, a flood of random names when it is most of
    /// the replies.
    pub fn of_nxdomain(share: Option<f64>) -> Self {
        Self::by_share(share, 0.30, 0.60)
    }

    /// Of the share of queries that were not answered in time.
    pub fn of_timeouts(share: Option<f64>) -> Self {
        Self::by_share(share, 0.01, 0.05)
    }

    /// Of the worst finding.
    pub fn of_finding(worst: Option<Severity>) -> Self {
        match worst {
            Some(Severity::Critical) => Self::Bad,
            Some(Severity::Warning) => Self::Warn,
            Some(Severity::Notice) | None => Self::Unknown,
        }
    }

    /// Of packets lost between the wire and the analysis, as a share of those meant for it.
    pub fn of_loss(share: Option<f64>) -> Self {
        match share {
            Some(share) if share > 0.0 => Self::by_share(Some(share), 0.0, 0.01),
            other => Self::by_share(other, 1.0, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_loss_is_worth_a_look_and_one_per_cent_is_bad() {
        assert_eq!(HealthLevel::of_loss(None), HealthLevel::Unknown);
        assert_eq!(HealthLevel::of_loss(Some(0.0)), HealthLevel::Good);
        assert_eq!(HealthLevel::of_loss(Some(1e-9)), HealthLevel::Warn);
        assert_eq!(HealthLevel::of_loss(Some(0.01)), HealthLevel::Bad);
    }

    #[test]
    fn nothing_to_judge_is_not_good() {
        assert_eq!(HealthLevel::of_errors(None), HealthLevel::Unknown);
        assert_eq!(HealthLevel::of_errors(Some(0.0)), HealthLevel::Good);
        assert_eq!(HealthLevel::of_errors(Some(0.05)), HealthLevel::Warn);
        assert_eq!(HealthLevel::of_errors(Some(1.0)), HealthLevel::Bad);
    }
}
