//! New sources for the deep threads, while these run: the sockets of an interface that has come back.

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_common::sharding::Shards;

use pktvisor_capture::kernel::Deep;

/// Where the deep threads find new sources when the old ones have ended: a place for each. Clones are the same ones.
pub(super) struct Successors<S>(Arc<[Mutex<Option<Deep<S>>>]>);

impl<S> Successors<S> {
    /// Places for so many threads.
    pub(super) fn new(shards: Shards) -> Self {
        Self((0..shards.count()).map(|_| Mutex::default()).collect())
    }

    /// Leaves new sources, one for each thread.
    pub(super) fn put(&self, sources: Vec<Deep<S>>) {
        for (place, sources) in self.0.iter().zip(sources) {
            *place.lock() = Some(sources);
        }
    }

    /// Whether the threads have taken over all that was [put](Self::put).
    pub(super) fn are_taken(&self) -> bool {
        self.0.iter().all(|place| place.lock().is_none())
    }

    /// What was left for this thread.
    pub(super) fn take(&self, shard: u32) -> Option<Deep<S>> {
        self.0.get(shard as usize)?.lock().take()
    }
}

impl<S> Default for Successors<S> {
    /// For sources that never end.
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<S> Clone for Successors<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
