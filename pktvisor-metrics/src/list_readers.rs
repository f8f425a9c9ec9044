//! Whether anybody reads the lists of the live period, if worker threads have them.
//!
//! A copy of the lists of a busy second takes milliseconds, and most agents are scraped for numbers
//! only. So worker threads copy their lists only while somebody reads them. The first reader in a
//! while requests a moment of its own and waits some ten milliseconds for it; the lists are then
//! copied every second until nobody has read them for [`READ_WITHIN`].

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::live_period::LivePeriod;

/// A program that reads the lists every second or two is served from the copies of each second.
const READ_WITHIN: Duration = Duration::from_millis(2_500);

/// How long a reader waits for worker threads that are behind.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// Requests a moment.
type MomentCallback = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct ListReaders {
    read_at: Mutex<Option<Instant>>,
    request: OnceLock<MomentCallback>,
    published: Condvar,
}

impl std::fmt::Debug for ListReaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListReaders").field("read_at", &self.read_at).finish_non_exhaustive()
    }
}

impl ListReaders {
    /// Sets how a moment is requested, once.
    pub(super) fn request_by(&self, request: MomentCallback) {
        // Only one thread collects the counters of a store.
        let _ = self.request.set(request);
    }

    /// Whether somebody has read the lists a moment ago.
    pub(super) fn are_reading(&self) -> bool {
        self.read_at.lock().is_some_and(|at| at.elapsed() < READ_WITHIN)
    }

    /// Waits until the lists of the live period are published. Returns without them if that takes
    /// too long.
    pub(super) fn wait(&self, live: &mut MutexGuard<'_, LivePeriod>) {
        *self.read_at.lock() = Some(Instant::now());
        let Some(request) = self.request.get().filter(|_| !live.has_lists()) else { return };
        request();
        self.published.wait_while_for(live, |live| !live.has_lists(), READER_PATIENCE);
    }

    /// Wakes the readers that wait.
    pub(super) fn wake(&self) {
        self.published.notify_all();
    }
}
