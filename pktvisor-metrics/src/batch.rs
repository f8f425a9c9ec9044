//! The live period in the hands of a capture thread.

use parking_lot::MutexGuard;
use pktvisor_common::classify::Class;
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;

use super::Recorder;
use super::live::Live;
use super::settings::Clock;

/// The live period, held for a batch of packets.
#[derive(Debug)]
pub struct Batch<'a> {
    live: MutexGuard<'a, Live>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(live: MutexGuard<'a, Live>) -> Self {
        Self { live }
    }

    /// Moves the clock to the time of the next packet and turns what has to turn; does nothing where packets are not
    /// the clock. Before a period turns, `before_turn` is told when it ends (nanoseconds since 1970) and may still
    /// report to its recorder.
    #[inline]
    pub fn advance(&mut self, timestamp_ns: u64, before_turn: impl FnMut(u64, &mut Recorder)) {
        if self.live.clock() == Clock::Packets {
            self.live.advance(timestamp_ns, before_turn);
        }
    }

    /// Moves the wall clock, at every whole second, and turns what has to turn.
    pub fn tick(&mut self, now_ns: u64) {
        if self.live.clock() == Clock::Wall && now_ns >= self.live.now_ns() {
            self.live.advance(now_ns, |_, _| {});
        }
    }

    /// Whether a [tick](Self::tick) at this time turns the period.
    pub fn turns_at(&self, now_ns: u64) -> bool {
        self.live.turns_at(now_ns)
    }

    /// Adds what was counted elsewhere, in the kernel.
    pub fn counted(&mut self, counters: &Counters, lost: u64) {
        self.live.recorder.counted(counters, lost);
    }

    /// Makes what was [counted](Self::counted) and what the threads [cut](super::Store::cut) one moment, which readers see
    /// from now on. What was counted and has not become anything is on its way to analysis.
    pub fn publish(&mut self) {
        self.live.publish();
    }

    /// The newest time seen, in nanoseconds since 1970.
    pub fn now_ns(&self) -> u64 {
        self.live.now_ns()
    }

    /// Prefetches the memory where a packet will be counted.
    #[inline]
    pub fn prefetch_packet(&self, class: &Class, direction: Direction) {
        self.live.recorder.prefetch_packet(class, direction);
    }

    /// Counts one packet.
    #[inline]
    pub fn packet(&mut self, class: &Class, direction: Direction, wire_len: u32) {
        self.live.recorder.packet(class, direction, wire_len);
    }

    /// Where analysis reports to.
    #[inline]
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.live.recorder
    }
}
