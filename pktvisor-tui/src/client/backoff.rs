//! The waiting time after a failure: longer each time, up to a limit.

use std::time::Duration;

/// Doubling waits from one second to ten: a restarted agent is found soon, and a missing one costs
/// little.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(10);

    /// Resets the waiting time after a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The waiting time after another failure.
    pub(super) fn next(&mut self) -> Duration {
        let wait = Self::FIRST.saturating_mul(1 << self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        wait.min(Self::LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_seconds_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        let seconds: Vec<u64> = (0..6).map(|_| backoff.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 10, 10]);
        backoff.reset();
        assert_eq!(backoff.next(), Duration::from_secs(1));
    }
}
