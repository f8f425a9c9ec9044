//! New sources for running worker threads: the sockets of an interface that came back.

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_common::sharding::Shards;

use pktvisor_capture::kernel::Deep;

/// New sources for each worker thread, to use after its old ones have ended. Clones share them.
pub(super) struct Successors<S>(Arc<[Mutex<Option<Deep<S>>>]>);

impl<S> Successors<S> {
    /// None yet, for so many threads.
    pub(super) fn new(shards: Shards) -> Self {
        Self((0..shards.count()).map(|_| Mutex::default()).collect())
    }

    /// Puts new sources for each thread.
    pub(super) fn put(&self, sources: Vec<Deep<S>>) {
        for (place, sources) in self.0.iter().zip(sources) {
            *place.lock() = Some(sources);
        }
    }

    /// Whether the threads have taken all sources that were [put](Self::put).
    pub(super) fn are_taken(&self) -> bool {
        self.0.iter().all(|place| place.lock().is_none())
    }

    /// Takes the new sources of this thread.
    pub(super) fn take(&self, shard: u32) -> Option<Deep<S>> {
        self.0.get(shard as usize)?.lock().take()
    }
}

impl<S> Default for Successors<S> {
    /// For threads whose sources never end.
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<S> Clone for Successors<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
