//! How long to wait after failures.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest wait that a collector may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Doubles the wait with each failure, up to a minute. Each wait is shortened at random by up to half of
/// it, so that agents that lost the same collector do not return to it at the same moment.
#[derive(Debug, Default)]
pub(crate) struct PushBackoff {
    failures: u32,
}

impl PushBackoff {
    /// The wait before the next attempt; the collector may have asked for a longer one.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures.min(30)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let longest = doubled.min(LONGEST);
        let jittered = longest.mul_f64(1.0 - random() / 2.0);
        jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// Begins again, after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// From 0 to below 1. The standard library seeds each hasher at random.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    let share = bits as f64 / (1_u64 << 53) as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_are_shortened_by_at_most_half() {
        let mut backoff = PushBackoff::default();
        for longest_s in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait_s = backoff.next(None).as_secs_f64();
            assert!(wait_s > longest_s / 2.0 - 1e-6 && wait_s <= longest_s, "{wait_s} of {longest_s}");
        }
        for _ in 0..100 {
            backoff.next(None);
        }
        assert!(backoff.next(None) <= LONGEST);
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }

    #[test]
    fn waits_differ_between_agents() {
        let wait = || PushBackoff::default().next(None);
        let first = wait();
        assert!((0..100).any(|_| wait() != first));
    }

    #[test]
    fn a_collector_may_ask_for_a_longer_wait_within_limits() {
        let mut backoff = PushBackoff::default();
        assert_eq!(backoff.next(Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(backoff.next(Some(Duration::from_secs(86_400))), LONGEST_ASKED);
    }
}
