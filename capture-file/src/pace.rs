//! Pacing: makes packet time follow the wall clock, at some multiple of its speed.
//!
//! A [`Pacer`] pins one moment of packet time to one of the wall clock and computes every packet's
//! due time from there, so that later waits make up for a wait that took too long. It pins again
//! wherever packet time jumps.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

/// A longer gap in packet time is a jump of its clock, not silence, and causes no wait.
pub const LONGEST_GAP: Duration = Duration::from_secs(3600);

/// The longest wait for one packet, at any speed.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A step back of packet time by at most this is reordering. After a larger step, its clock was set
/// back.
pub const LONGEST_STEP_BACK: Duration = Duration::from_secs(1);

/// How often a sleeping pacer checks whether to stop.
const NAP: Duration = Duration::from_millis(50);

/// How fast packet time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as packets can be read.
    Max,
    /// As fast as when they were captured.
    RealTime,
    /// This many times as fast.
    Times(Speed),
}

/// A multiple of the wall clock's speed: finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Speed(f64);

impl Speed {
    /// `None` for zero, negative, infinite and undefined values.
    pub fn new(times: f64) -> Option<Self> {
        (times.is_finite() && times > 0.0).then_some(Self(times))
    }

    /// Packet seconds per second.
    pub fn times(self) -> f64 {
        self.0
    }
}

/// A pace that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("pace {0:?} is not understood: write max, realtime, or a multiple above zero like 10x or 0.5x")]
pub struct ParsePaceError(String);

impl FromStr for Pace {
    type Err = ParsePaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "max" => return Ok(Self::Max),
            "realtime" => return Ok(Self::RealTime),
            _ => {}
        }
        let times = text.strip_suffix(['x', 'X']).and_then(|number| number.parse().ok());
        times.and_then(Speed::new).map(Self::Times).ok_or_else(|| ParsePaceError(text.to_owned()))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::RealTime => f.write_str("realtime"),
            Self::Times(speed) => write!(f, "{}x", speed.0),
        }
    }
}

/// Computes, packet by packet, how long to wait.
///
/// The waiting is bounded: a gap over [`LONGEST_GAP`] in packet time is skipped, no packet is
/// waited for longer than [`LONGEST_WAIT`], and packets from the past are due at once. If the
/// consumer falls behind, packets are due at once until it has caught up.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    pin: Option<Pin>,
}

#[derive(Debug, Clone, Copy)]
struct Pin {
    wall: Instant,
    packet_ns: u64,
    /// The latest packet time seen.
    latest_ns: u64,
}

impl Pacer {
    /// A pacer whose first packet is due at once.
    pub fn new(pace: Pace) -> Self {
        Self { pace, pin: None }
    }

    /// How long after `now` the packet with this time stamp is due; zero if it is due or overdue.
    ///
    /// Call it once for each packet, in the order of the capture.
    #[inline]
    pub fn wait(&mut self, timestamp_ns: u64, now: Instant) -> Duration {
        let times = match self.pace {
            Pace::Max => return Duration::ZERO,
            Pace::RealTime => 1.0,
            Pace::Times(speed) => speed.0,
        };
        let Some(pin) = &mut self.pin else {
            return self.pin_at(timestamp_ns, now);
        };
        let gap = Duration::from_nanos(timestamp_ns.saturating_sub(pin.latest_ns));
        let step_back = Duration::from_nanos(pin.latest_ns.saturating_sub(timestamp_ns));
        if gap > LONGEST_GAP || step_back > LONGEST_STEP_BACK {
            return self.pin_at(timestamp_ns, now);
        }
        pin.latest_ns = pin.latest_ns.max(timestamp_ns);
        let since_pin_ns = pin.latest_ns - pin.packet_ns;
        // At a speed near zero the wait does not fit into a Duration; the bound then applies.
        let due_after =
            Duration::try_from_secs_f64(since_pin_ns as f64 / (times * 1e9)).unwrap_or(Duration::MAX);
        let wait = due_after.saturating_sub(now.saturating_duration_since(pin.wall));
        if wait > LONGEST_WAIT {
            self.pin_at(timestamp_ns, now + LONGEST_WAIT);
            return LONGEST_WAIT;
        }
        wait
    }

    /// Sleeps until the packet with this time stamp is due, calling `stop` at least every 50 ms.
    ///
    /// [`ControlFlow::Break`] means that `stop` returned true.
    pub fn sleep(&mut self, timestamp_ns: u64, mut stop: impl FnMut() -> bool) -> ControlFlow<()> {
        if self.pace == Pace::Max {
            return ControlFlow::Continue(());
        }
        let now = Instant::now();
        let due = now + self.wait(timestamp_ns, now);
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return ControlFlow::Continue(());
            }
            if stop() {
                return ControlFlow::Break(());
            }
            thread::sleep(left.min(NAP));
        }
    }

    fn pin_at(&mut self, packet_ns: u64, wall: Instant) -> Duration {
        self.pin = Some(Pin { wall, packet_ns, latest_ns: packet_ns });
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const START: u64 = 1_700_000_000 * S;

    fn speed(times: f64) -> Pace {
        Pace::Times(Speed::new(times).unwrap())
    }

    /// Waits for packets at these seconds after the first one, on a wall clock that stands still.
    fn waits(pace: Pace, offsets_s: &[i64]) -> Vec<f64> {
        let now = Instant::now();
        let mut pacer = Pacer::new(pace);
        let at = |offset: &i64| START.saturating_add_signed(offset * S as i64);
        offsets_s.iter().map(|offset| pacer.wait(at(offset), now).as_secs_f64()).collect()
    }

    #[test]
    fn paces_are_written_as_they_are_read() {
        for text in ["max", "realtime", "10x", "0.5x", "1x"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        assert_eq!("2X".parse(), Ok(speed(2.0)));
    }

    #[test]
    fn a_pace_without_a_speed_is_refused() {
        for text in ["", "x", "10", "0x", "-1x", "nanx", "infx", "1e999x", "fast", "10xx", " 1x"] {
            let error = text.parse::<Pace>().unwrap_err().to_string();
            assert!(error.contains("realtime"), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_first_packet_is_due_at_once() {
        assert_eq!(waits(Pace::RealTime, &[0]), [0.0]);
    }

    #[test]
    fn packets_are_due_in_proportion_to_their_time() {
        assert_eq!(waits(Pace::RealTime, &[0, 1, 5]), [0.0, 1.0, 5.0]);
        assert_eq!(waits(speed(10.0), &[0, 1, 5]), [0.0, 0.1, 0.5]);
        assert_eq!(waits(speed(0.5), &[0, 1, 5]), [0.0, 2.0, 10.0]);
        assert_eq!(waits(Pace::Max, &[0, 1, 5]), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_has_passed_on_the_wall_clock_is_not_waited_again() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace::RealTime);
        pacer.wait(START, start);
        assert_eq!(pacer.wait(START + 3 * S, start + Duration::from_secs(1)), Duration::from_secs(2));
        assert_eq!(pacer.wait(START + 4 * S, start + Duration::from_secs(9)), Duration::ZERO);
    }

    #[test]
    fn a_reordered_packet_goes_with_its_neighbour() {
        assert_eq!(waits(Pace::RealTime, &[0, 5, 4, 6]), [0.0, 5.0, 5.0, 6.0]);
    }

    #[test]
    fn after_a_step_back_time_goes_on_from_there() {
        assert_eq!(waits(Pace::RealTime, &[100, 90, 91, 92]), [0.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_gap_of_over_an_hour_is_not_waited_out() {
        assert_eq!(waits(Pace::RealTime, &[0, 3600, 7201, 7202]), [0.0, 3600.0, 0.0, 1.0]);
        assert_eq!(waits(Pace::RealTime, &[0, 500_000_000, 500_000_001]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn no_packet_is_waited_for_longer_than_an_hour() {
        assert_eq!(waits(speed(0.001), &[0, 60]), [0.0, 3600.0]);
        assert_eq!(waits(speed(f64::MIN_POSITIVE), &[0, 1]), [0.0, 3600.0]);
    }

    #[test]
    fn extreme_timestamps_do_not_overflow() {
        let now = Instant::now();
        let mut pacer = Pacer::new(Pace::RealTime);
        for timestamp_ns in [0, u64::MAX, 0, u64::MAX - 1, u64::MAX] {
            assert_eq!(pacer.wait(timestamp_ns, now).as_secs(), 0);
        }
    }

    #[test]
    fn a_sleeping_pacer_can_be_stopped() {
        let mut pacer = Pacer::new(Pace::RealTime);
        assert!(pacer.sleep(START, || true).is_continue(), "due at once: nothing to stop");
        assert!(pacer.sleep(START + 3000 * S, || true).is_break());
        assert!(Pacer::new(Pace::Max).sleep(START, || true).is_continue());
    }
}
