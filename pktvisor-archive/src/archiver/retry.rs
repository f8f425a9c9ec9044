//! The pauses between attempts while the store is away: each one is longer, up to a minute.

use std::time::{Duration, Instant, SystemTime};

/// The first pause after a failure; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_secs(60);

/// When to try again.
#[derive(Debug, Default)]
pub(super) struct Retry {
    /// The time of the next attempt; `None`: at once.
    pub(super) at: Option<Instant>,
    /// The last pause.
    pause: Duration,
}

impl Retry {
    /// Waits longer than before, and by chance for another time than the other agents.
    pub(super) fn postpone(&mut self) {
        self.pause = (self.pause * 2).clamp(RETRY_FIRST, RETRY_LAST);
        let fraction =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_micros();
        self.at = Some(Instant::now() + self.pause.mul_f64(0.5 + f64::from(fraction) / 2e6));
    }

    /// Tries at least once a second, because the process is about to end.
    pub(super) fn hurry(&mut self) {
        let soon = Instant::now() + RETRY_FIRST;
        self.at = self.at.map(|at| at.min(soon));
        self.pause = Duration::ZERO;
    }
}
