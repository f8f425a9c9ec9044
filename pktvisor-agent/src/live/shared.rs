//! What the threads of a live capture tell each other.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use pktvisor_common::sampling::SampleRate;

use crate::capture::hosts::HostSet;

/// Between the deep thread, the drain thread and whoever stops them.
#[derive(Debug, Default)]
pub(super) struct Shared {
    detaching: AtomicBool,
    stopping: AtomicBool,
    /// The emptiest that the fullest ring was since this was last asked for, in thousandths and one.
    fill_low: AtomicU32,
    new_rate: Mutex<Option<SampleRate>>,
    new_host: Mutex<Option<HostSet>>,
}

/// Nothing was noted.
const UNKNOWN: u32 = 0;

impl Shared {
    /// Tells whoever attaches to take all programs off and end.
    pub(super) fn detach(&self) {
        self.detaching.store(true, Ordering::Release);
    }

    pub(super) fn is_detaching(&self) -> bool {
        self.detaching.load(Ordering::Acquire)
    }

    /// Tells the deep thread to empty the rings and end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// How full the fullest ring is, from 0 to 1.
    pub(super) fn note_ring_fill(&self, fill: f64) {
        let noted = (fill.clamp(0.0, 1.0) * 1000.0) as u32 + 1;
        let low = self.fill_low.load(Ordering::Relaxed);
        if low == UNKNOWN || noted < low {
            self.fill_low.store(noted, Ordering::Relaxed);
        }
    }

    /// What the fullest ring was never below since the last call, from 0 to 1; `None` if the deep thread did not get
    /// round to looking.
    pub(super) fn take_ring_fill_low(&self) -> Option<f64> {
        match self.fill_low.swap(UNKNOWN, Ordering::Relaxed) {
            UNKNOWN => None,
            noted => Some(f64::from(noted - 1) / 1000.0),
        }
    }

    /// Tells the deep thread which share of TCP streams and fragmented datagrams to analyse.
    pub(super) fn set_rate(&self, rate: SampleRate) {
        *self.new_rate.lock() = Some(rate);
    }

    /// Tells the deep thread which networks are HOST.
    pub(super) fn set_host(&self, host: HostSet) {
        *self.new_host.lock() = Some(host);
    }

    pub(super) fn take_new_host(&self) -> Option<HostSet> {
        self.new_host.lock().take()
    }

    pub(super) fn take_new_rate(&self) -> Option<SampleRate> {
        self.new_rate.lock().take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_water_mark_is_of_the_time_since_it_was_asked_for() {
        let shared = Shared::default();
        assert_eq!(shared.take_ring_fill_low(), None);
        for fill in [0.9, 0.5, 0.7] {
            shared.note_ring_fill(fill);
        }
        assert_eq!(shared.take_ring_fill_low(), Some(0.5));
        shared.note_ring_fill(0.0);
        assert_eq!(shared.take_ring_fill_low(), Some(0.0));
        assert_eq!(shared.take_ring_fill_low(), None);
    }
}
