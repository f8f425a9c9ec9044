//! The state that the threads of a capture by BPF programs share.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::sampling::SampleRate;
use pktvisor_common::sharding::Shards;

use super::epochs::Epochs;

/// Shared by the worker threads, the collector thread, the thread that follows the interfaces, and
/// the one that stops them.
///
/// The stop flags are atomics, not cancellation tokens: a worker thread reads one in each round,
/// and with `--busy-drain` it makes rounds without pauses, while each look at a token takes a lock.
#[derive(Debug)]
pub(super) struct Coordination {
    detaching: AtomicBool,
    stopping: AtomicBool,
    /// For each worker thread.
    workers: Box<[WorkerSlot]>,
    epochs: Epochs,
}

/// What one worker thread shares with the others.
#[derive(Debug, Default)]
pub(super) struct WorkerSlot {
    /// The minimum, since the last read, of the fill of the fullest ring: thousandths plus one, or
    /// [`UNKNOWN`].
    fill_low: AtomicU32,
    new_rate: Mutex<Option<SampleRate>>,
    new_host: Mutex<Option<HostSet>>,
}

/// The fill has not been recorded.
const UNKNOWN: u32 = 0;

impl Coordination {
    /// For so many worker threads.
    pub(super) fn new(shards: Shards) -> Self {
        Self {
            detaching: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            workers: (0..shards.count()).map(|_| WorkerSlot::default()).collect(),
            epochs: Epochs::new(shards),
        }
    }

    /// The slot of each worker thread.
    pub(super) fn workers(&self) -> &[WorkerSlot] {
        &self.workers
    }

    /// How the collector thread and the worker threads end an epoch.
    pub(super) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Asks the thread that follows the interfaces to detach all programs and end.
    pub(super) fn detach(&self) {
        self.detaching.store(true, Ordering::Release);
    }

    pub(super) fn is_detaching(&self) -> bool {
        self.detaching.load(Ordering::Acquire)
    }

    /// Asks the worker threads to empty the rings and end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The minimum fill of the fullest ring since the last call, from 0 to 1; `None` if no worker
    /// thread recorded it.
    pub(super) fn take_ring_fill_low(&self) -> Option<f64> {
        self.workers.iter().filter_map(WorkerSlot::take_ring_fill_low).max_by(f64::total_cmp)
    }

    /// Sets the share of TCP streams and fragmented datagrams that worker threads analyse.
    pub(super) fn set_rate(&self, rate: SampleRate) {
        self.workers.iter().for_each(|worker| *worker.new_rate.lock() = Some(rate));
    }

    /// Sets the networks that are HOST for the worker threads.
    pub(super) fn set_host(&self, host: &HostSet) {
        self.workers.iter().for_each(|worker| *worker.new_host.lock() = Some(host.clone()));
    }
}

impl WorkerSlot {
    /// Records how full the thread's fullest ring is, from 0 to 1.
    pub(super) fn record_ring_fill(&self, fill: f64) {
        let recorded = (fill.clamp(0.0, 1.0) * 1000.0) as u32 + 1;
        let low = self.fill_low.load(Ordering::Relaxed);
        if low == UNKNOWN || recorded < low {
            self.fill_low.store(recorded, Ordering::Relaxed);
        }
    }

    fn take_ring_fill_low(&self) -> Option<f64> {
        match self.fill_low.swap(UNKNOWN, Ordering::Relaxed) {
            UNKNOWN => None,
            recorded => Some(f64::from(recorded - 1) / 1000.0),
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
    fn the_low_water_mark_covers_the_time_since_the_last_read() {
        let coordination = Coordination::new(Shards::ONE);
        let worker = &coordination.workers()[0];
        assert_eq!(coordination.take_ring_fill_low(), None);
        for fill in [0.9, 0.5, 0.7] {
            worker.record_ring_fill(fill);
        }
        assert_eq!(coordination.take_ring_fill_low(), Some(0.5));
        worker.record_ring_fill(0.0);
        assert_eq!(coordination.take_ring_fill_low(), Some(0.0));
        assert_eq!(coordination.take_ring_fill_low(), None);
    }

    #[test]
    fn the_fullest_ring_counts_and_a_new_rate_reaches_each_worker() {
        let coordination = Coordination::new(Shards::new(3));
        for (worker, fill) in coordination.workers().iter().zip([0.2, 0.6]) {
            worker.record_ring_fill(fill);
        }
        assert_eq!(coordination.take_ring_fill_low(), Some(0.6));
        coordination.set_rate(SampleRate::percent(7));
        for worker in coordination.workers() {
            assert_eq!(worker.take_new_rate(), Some(SampleRate::percent(7)));
            assert_eq!(worker.take_new_rate(), None);
        }
    }
}
