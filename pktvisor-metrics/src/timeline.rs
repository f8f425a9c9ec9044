//! The capture's clock. Its time never goes back.
//!
//! Periods of a capture begin at the whole second of its first packet and last 60 s each. A second
//! counts in the rates when it is over. The clock does not know the counters: [`Timeline::advance`]
//! returns how time moved, and its owner closes seconds and periods.

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Length of a period in seconds.
pub(super) const PERIOD_SECONDS: u64 = 60;

/// A step forward by more than this is a jump of the clock, not a quiet hour.
const JUMP_SECONDS: u64 = 3600;

/// The current time of the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// The newest time seen, in nanoseconds since 1970.
    newest_ns: u64,
    /// The end of its second, in nanoseconds since 1970; 0 before the first packet.
    second_end_ns: u64,
}

/// What the time of a packet means for the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The same second as before.
    Same,
    /// A time in the past. The packet belongs to the live period.
    Back,
    /// The time of the first packet, in this second since 1970.
    First(u64),
    /// A later second began. `from` and `to` are seconds since 1970.
    Forward {
        /// The second that is over.
        from: u64,
        /// The second that began.
        to: u64,
        /// The clock jumped: the seconds between say nothing about traffic.
        jump: bool,
    },
}

impl Timeline {
    /// Takes the time of the next packet.
    #[inline]
    pub(crate) fn advance(&mut self, timestamp_ns: u64) -> Step {
        if timestamp_ns < self.newest_ns {
            return Step::Back;
        }
        self.newest_ns = timestamp_ns;
        if timestamp_ns < self.second_end_ns {
            return Step::Same;
        }
        self.next_second()
    }

    /// Whether [`advance`](Self::advance) to this time would begin a second.
    #[inline]
    pub(crate) fn begins_second(&self, timestamp_ns: u64) -> bool {
        timestamp_ns >= self.second_end_ns && timestamp_ns >= self.newest_ns
    }

    fn next_second(&mut self) -> Step {
        let to = self.newest_ns / NS_PER_SECOND;
        let before = self.second_end_ns;
        self.second_end_ns = (to + 1).saturating_mul(NS_PER_SECOND);
        if before == 0 {
            return Step::First(to);
        }
        let from = before / NS_PER_SECOND - 1;
        Step::Forward { from, to, jump: to - from > JUMP_SECONDS }
    }

    /// The newest time seen, in nanoseconds since 1970; 0 before the first packet.
    pub(crate) fn newest_ns(&self) -> u64 {
        self.newest_ns
    }

    /// The second of the newest time, or `None` before the first packet.
    pub(crate) fn newest_second(&self) -> Option<u64> {
        (self.second_end_ns != 0).then_some(self.newest_ns / NS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = NS_PER_SECOND;

    #[test]
    fn seconds_follow_the_newest_packet() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.newest_second(), None);
        assert_eq!(timeline.advance(10 * S + 5), Step::First(10));
        assert_eq!(timeline.advance(10 * S + 5), Step::Same);
        assert_eq!(timeline.advance(11 * S - 1), Step::Same);
        assert_eq!(timeline.advance(11 * S), Step::Forward { from: 10, to: 11, jump: false });
        assert_eq!(timeline.newest_second(), Some(11));
    }

    #[test]
    fn time_never_goes_back() {
        let mut timeline = Timeline::default();
        timeline.advance(10 * S + 5);
        assert_eq!(timeline.advance(3 * S), Step::Back);
        assert_eq!(timeline.newest_ns(), 10 * S + 5);
    }

    #[test]
    fn more_than_an_hour_is_a_jump() {
        let mut timeline = Timeline::default();
        timeline.advance(0);
        assert_eq!(timeline.advance(3600 * S), Step::Forward { from: 0, to: 3600, jump: false });
        assert_eq!(timeline.advance(7201 * S), Step::Forward { from: 3600, to: 7201, jump: true });
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        let mut timeline = Timeline::default();
        timeline.advance(1);
        assert!(matches!(timeline.advance(u64::MAX), Step::Forward { jump: true, .. }));
        assert!(matches!(timeline.advance(u64::MAX), Step::Same | Step::Forward { .. }));
    }
}
