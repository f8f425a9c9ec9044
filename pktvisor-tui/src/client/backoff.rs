//! How long to wait after a failure: longer each time, within reason.

use std::time::Duration;

/// Doubling waits from one second to ten: an agent that restarts is seen at once, one that is gone costs nothing.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(10);

    /// It works again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed once more: wait this long.
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
