//! One moment for counters and analysis: how the collector thread and the worker threads end an
//! epoch together.
//!
//! The collector thread begins the next epoch in the kernel, waits until no program counts in the
//! old one, collects its counters and [orders](Epochs::order) a cut. Each worker thread holds back
//! the records of the next epoch until it has analysed all of the old one. Then it cuts its
//! recorder and [reports that](Epochs::reach). When all workers have, counters and analysis cover
//! the same packets. A worker looks for an order once in a batch, so it costs nothing for each
//! packet.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};
use pktvisor_common::kernel::control::EPOCHS;
use pktvisor_common::sharding::Shards;

use pktvisor_metrics::Cut;

/// An epoch that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOrder {
    /// All of its records were in the rings at this time (monotonic clock).
    pub(super) sealed_ns: u64,
    /// What ends with the epoch.
    pub(super) cut: Cut,
}

/// The epochs of a capture, counted from 0.
#[derive(Debug)]
pub(super) struct Epochs {
    /// The number of epochs that are over.
    over: AtomicU64,
    order: Mutex<CutOrder>,
    /// Notified, with the order locked, when a thread has cut.
    cut: Condvar,
    /// The number of epochs that each worker thread has cut.
    reached: Box<[AtomicU64]>,
}

impl Epochs {
    /// The first epoch, for so many worker threads.
    pub(super) fn new(shards: Shards) -> Self {
        Self {
            over: AtomicU64::new(0),
            order: Mutex::new(CutOrder { sealed_ns: 0, cut: Cut::Whole }),
            cut: Condvar::new(),
            reached: (0..shards.count()).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Orders the worker threads to end the epoch. Only when all have [done so](Self::are_reached),
    /// the next may end.
    pub(super) fn order(&self, order: CutOrder) {
        *self.order.lock() = order;
        self.over.fetch_add(1, Ordering::Release);
    }

    /// The order to end the epoch after so many; `None` if it is not over.
    pub(super) fn order_after(&self, epochs: u64) -> Option<CutOrder> {
        (self.over.load(Ordering::Acquire) > epochs).then(|| *self.order.lock())
    }

    /// Records that a worker thread has cut so many epochs.
    pub(super) fn reach(&self, thread: u32, epochs: u64) {
        if let Some(reached) = self.reached.get(thread as usize) {
            reached.store(epochs, Ordering::Release);
            let _order = self.order.lock();
            self.cut.notify_all();
        }
    }

    /// Records that a worker thread has ended, after it cut everything.
    pub(super) fn leave(&self, thread: u32) {
        self.reach(thread, u64::MAX);
    }

    /// Waits until all worker threads have cut every epoch that is over, at most until the deadline.
    pub(super) fn wait_until(&self, deadline: Instant) {
        let mut order = self.order.lock();
        while !self.are_reached() && !self.cut.wait_until(&mut order, deadline).timed_out() {}
    }

    /// Whether all worker threads have cut every epoch that is over.
    pub(super) fn are_reached(&self) -> bool {
        let over = self.over.load(Ordering::Relaxed);
        self.reached.iter().all(|reached| reached.load(Ordering::Acquire) >= over)
    }
}

/// The epoch whose records wait while a thread analyses the epoch after so many: the next one.
pub(super) fn held_back(epochs: u64) -> u32 {
    ((epochs + 1) % u64::from(EPOCHS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_over_once_all_threads_have_cut_it() {
        let epochs = Epochs::new(Shards::new(2));
        let order = CutOrder { sealed_ns: 7, cut: Cut::Period };
        assert_eq!(epochs.order_after(0), None);
        epochs.order(order);
        assert_eq!(epochs.order_after(0), Some(order));
        epochs.reach(0, 1);
        assert!(!epochs.are_reached());
        assert_eq!((epochs.order_after(1), held_back(1)), (None, 2));
        epochs.reach(1, 1);
        assert!(epochs.are_reached());
        epochs.order(order);
        epochs.leave(0);
        assert!(!epochs.are_reached());
        epochs.leave(1);
        assert!(epochs.are_reached());
    }
}
