//! Converts the monotonic time stamps of the kernel to wall-clock time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pktvisor_capture::kernel::monotonic_ns;

/// How far the wall clock is ahead of the monotonic clock. Read it again now and then, because the
/// wall clock may be set.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    ahead_ns: u64,
}

impl WallClock {
    /// Reads both clocks.
    pub(super) fn now() -> Self {
        Self { ahead_ns: wall_ns().saturating_sub(monotonic_ns()) }
    }

    /// Converts a monotonic time stamp to nanoseconds since 1970.
    #[inline]
    pub(super) fn wall_ns(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.saturating_add(self.ahead_ns)
    }
}

/// The time now, in nanoseconds since 1970.
pub(super) fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The time until the next whole second of the wall clock.
pub(super) fn until_next_second() -> Duration {
    Duration::from_nanos(NS_PER_SECOND - wall_ns() % NS_PER_SECOND)
}

const NS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stamp_of_now_is_now() {
        let before = wall_ns();
        let stamp = WallClock::now().wall_ns(monotonic_ns());
        // Another thread may have had the processor in between, but not for a minute.
        assert!(stamp.abs_diff(before) < 60 * NS_PER_SECOND);
    }
}
