//! What the threads of a live capture tell each other.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::sampling::SampleRate;
use pktvisor_common::sharding::Shards;

use super::epochs::Epochs;

/// Between the deep threads, the drain thread and whoever stops them.
#[derive(Debug)]
pub(super) struct Coordination {
    detaching: AtomicBool,
    stopping: AtomicBool,
    /// For each deep thread.
    workers: Box<[WorkerSlot]>,
    epochs: Epochs,
}

/// Between one deep thread and the others.
#[derive(Debug, Default)]
pub(super) struct WorkerSlot {
    /// The emptiest that the fullest ring was since this was last asked for, in thousandths and one.
    fill_low: AtomicU32,
    new_rate: Mutex<Option<SampleRate>>,
    new_host: Mutex<Option<HostSet>>,
}

/// Nothing was noted.
const UNKNOWN: u32 = 0;

impl Coordination {
    /// For so many deep threads.
    pub(super) fn new(shards: Shards) -> Self {
        Self {
            detaching: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            workers: (0..shards.count()).map(|_| WorkerSlot::default()).collect(),
            epochs: Epochs::new(shards),
        }
    }

    /// For each deep thread.
    pub(super) fn workers(&self) -> &[WorkerSlot] {
        &self.workers
    }

    /// How the drain thread and the deep threads end an epoch.
    pub(super) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Tells whoever attaches to take all programs off and end.
    pub(super) fn detach(&self) {
        self.detaching.store(true, Ordering::Release);
    }

    pub(super) fn is_detaching(&self) -> bool {
        self.detaching.load(Ordering::Acquire)
    }

    /// Tells the deep threads to empty the rings and end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What the fullest ring was never below since the last call, from 0 to 1; `None` if no deep thread got round to
    /// looking.
    pub(super) fn take_ring_fill_low(&self) -> Option<f64> {
        self.workers.iter().filter_map(WorkerSlot::take_ring_fill_low).max_by(f64::total_cmp)
    }

    /// Tells the deep threads which share of TCP streams and fragmented datagrams to analyse.
    pub(super) fn set_rate(&self, rate: SampleRate) {
        self.workers.iter().for_each(|worker| *worker.new_rate.lock() = Some(rate));
    }

    /// Tells the deep threads which networks are HOST.
    pub(super) fn set_host(&self, host: &HostSet) {
        self.workers.iter().for_each(|worker| *worker.new_host.lock() = Some(host.clone()));
    }
}

impl WorkerSlot {
    /// How full the thread's fullest ring is, from 0 to 1.
    pub(super) fn note_ring_fill(&self, fill: f64) {
        let noted = (fill.clamp(0.0, 1.0) * 1000.0) as u32 + 1;
        let low = self.fill_low.load(Ordering::Relaxed);
        if low == UNKNOWN || noted < low {
            self.fill_low.store(noted, Ordering::Relaxed);
        }
    }

    fn take_ring_fill_low(&self) -> Option<f64> {
        match self.fill_low.swap(UNKNOWN, Ordering::Relaxed) {
            UNKNOWN => None,
            noted => Some(f64::from(noted - 1) / 1000.0),
        }
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
        let coordination = Coordination::new(Shards::ONE);
        let worker = &coordination.workers()[0];
        assert_eq!(coordination.take_ring_fill_low(), None);
        for fill in [0.9, 0.5, 0.7] {
            worker.note_ring_fill(fill);
        }
        assert_eq!(coordination.take_ring_fill_low(), Some(0.5));
        worker.note_ring_fill(0.0);
        assert_eq!(coordination.take_ring_fill_low(), Some(0.0));
        assert_eq!(coordination.take_ring_fill_low(), None);
    }

    #[test]
    fn the_fullest_thread_counts_and_orders_reach_each() {
        let coordination = Coordination::new(Shards::new(3));
        for (worker, fill) in coordination.workers().iter().zip([0.2, 0.6]) {
            worker.note_ring_fill(fill);
        }
        assert_eq!(coordination.take_ring_fill_low(), Some(0.6));
        coordination.set_rate(SampleRate::percent(7));
        for worker in coordination.workers() {
            assert_eq!(worker.take_new_rate(), Some(SampleRate::percent(7)));
            assert_eq!(worker.take_new_rate(), None);
        }
    }
}
