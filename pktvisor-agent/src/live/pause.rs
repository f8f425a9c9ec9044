//! The pause of a worker thread between two polls.

use std::ops::Range;
use std::time::Duration;

use super::config::Polling;

/// A poll should find at most so many packets, and at least a quarter of that. For a few packets,
/// waking up and filling the caches again costs more than the analysis, and a packet that was
/// written just now is still in the cache of another processor, where reading it is expensive.
const POLL_PACKETS_MAX: usize = 16_384;
/// The buffer has room for four polls, because the worker may be scheduled late.
const POLLS_OF_ROOM: usize = 4;
const SHORTEST: Duration = Duration::from_millis(1);
/// Analysis appears in answers later by up to this time.
const LONGEST: Duration = Duration::from_millis(50);
/// A pause is no longer than 0.8 million packets a second take to fill the buffer, because a flood
/// may begin during it.
const FLOOD_PACKET: Duration = Duration::from_nanos(1200);

/// The pause between two polls. It adapts to the number of packets that they find.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    current: Duration,
    longest: Duration,
    /// How many packets a poll should find.
    poll: Range<usize>,
}

impl Pause {
    /// The pause of a thread that polls in this way a buffer with room for so many packets.
    pub(super) fn new(polling: Polling, room_packets: u32) -> Self {
        match polling {
            Polling::WithPauses => Self::with_room(room_packets),
            Polling::Busy => Self::none(),
        }
    }

    /// Short at first.
    fn with_room(packets: u32) -> Self {
        let longest = FLOOD_PACKET.saturating_mul(packets).min(LONGEST);
        let most = (packets as usize / POLLS_OF_ROOM).min(POLL_PACKETS_MAX);
        Self { current: SHORTEST.min(longest), longest, poll: most / 4..most }
    }

    fn none() -> Self {
        Self::with_room(0)
    }

    /// How long to pause after a poll that found so many packets.
    pub(super) fn after(&mut self, packets: usize) -> Duration {
        if packets < self.poll.start {
            self.current = (self.current * 2).min(self.longest);
        } else if packets >= self.poll.end {
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
    fn polls_find_up_to_a_quarter_of_the_room_at_any_rate() {
        let mut pause = Pause::with_room(16_384);
        for (rate, pause_ms) in [(1000, 2), (500, 4), (100, 16), (1, 19), (5000, 1), (300, 4)] {
            assert_eq!(settled(&mut pause, rate), pause_ms, "{rate} a millisecond");
        }
    }

    #[test]
    fn with_more_room_pauses_are_longer_up_to_a_point() {
        for room in [65_536, 1 << 20] {
            let mut pause = Pause::with_room(room);
            for (rate, pause_ms) in [(2000, 4), (500, 16), (100, 50), (1, 50)] {
                assert_eq!(settled(&mut pause, rate), pause_ms, "{rate} a millisecond, room for {room}");
            }
        }
    }

    #[test]
    fn busy_polling_never_pauses() {
        let mut pause = Pause::none();
        for packets in [0, 0, 1, 1 << 20, 0] {
            assert_eq!(pause.after(packets), Duration::ZERO);
        }
    }

    #[test]
    fn a_pause_is_never_longer_than_a_flood_needs_to_fill_the_room() {
        let mut pause = Pause::with_room(512);
        assert_eq!(pause.after(1 << 20), Duration::from_nanos(614_400));
        assert_eq!(pause.after(0), Duration::from_nanos(614_400));
    }
}
