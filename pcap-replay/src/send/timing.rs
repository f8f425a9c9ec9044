//! When each packet is due: as in the capture, or at a fixed rate.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use capture_file::{Pace, Pacer};

/// How often a sleep checks whether to stop.
const NAP: Duration = Duration::from_millis(50);

/// The rule for the times of packets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tempo {
    /// The time stamps of the capture. Each round begins right behind the one before.
    Capture(Pace),
    /// The clock alone.
    Rate(PacketRate),
}

/// Packets per second: finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct PacketRate(f64);

/// Text that is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate: write packets per second above zero, like 500, 2.5k or 1M")]
pub struct ParsePacketRateError(String);

impl PacketRate {
    /// `None` for zero, negative, infinite and undefined values.
    pub fn new(packets_per_second: f64) -> Option<Self> {
        (packets_per_second.is_finite() && packets_per_second > 0.0).then_some(Self(packets_per_second))
    }
}

impl FromStr for PacketRate {
    type Err = ParsePacketRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, times) = match text.strip_suffix(['k', 'K']) {
            Some(number) => (number, 1e3),
            None => text.strip_suffix('M').map_or((text, 1.0), |number| (number, 1e6)),
        };
        let rate = number.parse::<f64>().ok().and_then(|number| Self::new(number * times));
        rate.ok_or_else(|| ParsePacketRateError(text.to_owned()))
    }
}

impl fmt::Display for PacketRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Computes, packet by packet, how long to wait.
pub(super) enum Timing {
    Free,
    Capture { pace: Pace, pacer: Pacer },
    Rate(Schedule),
}

/// Packet n is due n intervals after the first. Later packets make up for a wait that took
/// too long, so the rate is exact over any longer time.
pub(super) struct Schedule {
    interval_ns: f64,
    start: Instant,
    /// Packets so far.
    count: u64,
    /// The last reading of the clock, in nanoseconds since the start. The clock is read only when a
    /// packet is not yet due.
    now_ns: u64,
}

impl Timing {
    pub(super) fn new(tempo: Tempo) -> Self {
        match tempo {
            Tempo::Capture(Pace::Max) => Self::Free,
            Tempo::Capture(pace) => Self::Capture { pace, pacer: Pacer::new(pace) },
            Tempo::Rate(rate) => Self::Rate(Schedule::new(rate, Instant::now())),
        }
    }

    /// Begins a round: the time stamps of the capture start again.
    pub(super) fn begin_round(&mut self) {
        if let Self::Capture { pace, pacer } = self {
            *pacer = Pacer::new(*pace);
        }
    }

    /// How long the next packet, captured at this time, has to wait.
    #[inline]
    pub(super) fn wait(&mut self, timestamp_ns: u64) -> Duration {
        match self {
            Self::Free => Duration::ZERO,
            Self::Capture { pacer, .. } => pacer.wait(timestamp_ns, Instant::now()),
            Self::Rate(schedule) => schedule.wait(|start| start.elapsed()),
        }
    }
}

impl Schedule {
    fn new(rate: PacketRate, start: Instant) -> Self {
        Self { interval_ns: 1e9 / rate.0, start, count: 0, now_ns: 0 }
    }

    #[inline]
    fn wait(&mut self, elapsed: impl FnOnce(Instant) -> Duration) -> Duration {
        let due_ns = (self.count as f64 * self.interval_ns) as u64;
        self.count += 1;
        if due_ns > self.now_ns {
            self.now_ns = u64::try_from(elapsed(self.start).as_nanos()).unwrap_or(u64::MAX);
        }
        Duration::from_nanos(due_ns.saturating_sub(self.now_ns))
    }
}

/// Whether one of the two is set.
#[inline]
pub(super) fn is_set(stops: [&AtomicBool; 2]) -> bool {
    stops.iter().any(|stop| stop.load(Ordering::Relaxed))
}

/// Sleeps; [`ControlFlow::Break`] if it must stop before the end.
pub(super) fn sleep(wait: Duration, stops: [&AtomicBool; 2]) -> ControlFlow<()> {
    let due = Instant::now() + wait;
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return ControlFlow::Continue(());
        }
        if is_set(stops) {
            return ControlFlow::Break(());
        }
        thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_in_packets_thousands_or_millions() {
        for (text, packets) in [("500", 500.0), ("2.5k", 2500.0), ("100K", 1e5), ("1M", 1e6), ("0.5", 0.5)] {
            assert_eq!(text.parse(), Ok(PacketRate(packets)));
        }
        for text in ["", "0", "-1", "fast", "k", "inf", "nan", "1e999", "1G", "1 k"] {
            assert!(text.parse::<PacketRate>().unwrap_err().to_string().contains("2.5k"), "{text:?}");
        }
    }

    #[test]
    fn a_packet_is_due_n_intervals_after_the_first() {
        let mut schedule = Schedule::new(PacketRate(1000.0), Instant::now());
        let waits: Vec<u128> =
            (0..4).map(|_| schedule.wait(|_| Duration::from_micros(1500)).as_micros()).collect();
        assert_eq!(waits, [0, 0, 500, 1500]);
    }

    #[test]
    fn after_a_wait_that_took_too_long_packets_are_due_at_once_until_the_rate_is_kept() {
        let mut schedule = Schedule::new(PacketRate(1000.0), Instant::now());
        schedule.wait(|_| Duration::ZERO);
        let mut looks = 0;
        let waits: Vec<u128> = (0..10)
            .map(|_| {
                let look = |_| {
                    looks += 1;
                    Duration::from_millis(10)
                };
                schedule.wait(look).as_micros()
            })
            .collect();
        assert_eq!(waits, [0; 10]);
        assert_eq!(looks, 1, "the clock is not read for a packet that is overdue");
        assert_eq!(schedule.wait(|_| Duration::from_millis(10)), Duration::from_millis(1));
    }

    #[test]
    fn a_round_begins_right_behind_the_one_before() {
        let mut timing = Timing::new(Tempo::Capture(Pace::RealTime));
        let second = 1_000_000_000;
        assert!(timing.wait(second).is_zero());
        assert!(timing.wait(second + 500_000_000) > Duration::from_millis(400));
        timing.begin_round();
        assert!(timing.wait(second).is_zero());
        assert!(timing.wait(second + 500_000_000) > Duration::from_millis(400));
    }
}
