//! How long packets are let come before somebody looks after them again.

use std::ops::Range;
use std::time::Duration;

/// A visit should find about so many packets. For a few, waking up and filling the caches anew costs more than analysing
/// them; and what was written a moment ago is still in the cache of another processor, where it is dear to get.
const VISIT_PACKETS: Range<usize> = 1024..4096;
const SHORTEST: Duration = Duration::from_millis(1);

/// The pause between two visits, which follows what they find.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    current: Duration,
    longest: Duration,
}

impl Pause {
    /// Short at first, and never longer than this: whatever holds the packets must have room for those of a burst.
    pub fn up_to(longest: Duration) -> Self {
        Self { current: SHORTEST.min(longest), longest }
    }

    /// How long to pause after a visit that found so many packets.
    pub fn after(&mut self, packets: usize) -> Duration {
        if packets < VISIT_PACKETS.start {
            self.current = (self.current * 2).min(self.longest);
        } else if packets >= VISIT_PACKETS.end {
            self.current = (self.current / 2).max(SHORTEST.min(self.longest));
        }
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause in milliseconds once it has followed a steady rate of packets a millisecond.
    fn settled(pause: &mut Pause, rate: usize) -> u128 {
        let mut found = 0;
        for _ in 0..20 {
            found = pause.after(found).as_millis() as usize * rate;
        }
        pause.after(found).as_millis()
    }

    #[test]
    fn visits_find_about_a_thousand_packets_at_any_rate() {
        let mut pause = Pause::up_to(Duration::from_millis(20));
        for (rate, pause_ms) in [(1000, 2), (500, 4), (100, 16), (1, 20), (5000, 1), (300, 4)] {
            assert_eq!(settled(&mut pause, rate), pause_ms, "{rate} a millisecond");
        }
    }

    #[test]
    fn a_pause_is_never_longer_than_there_is_room_for() {
        let mut pause = Pause::up_to(Duration::from_micros(160));
        assert_eq!(pause.after(1 << 20), Duration::from_micros(160));
        assert_eq!(pause.after(0), Duration::from_micros(160));
    }
}
