//! Merges periods once a second, however many clients ask.
//!
//! Each answer has a slot. A request that finds it stale makes the answer again, on a thread that
//! may block, and holds the slot's lock. Other requests wait for the lock and take that answer. A
//! client that disconnects does not undo the work.
//!
//! Merging a window of many periods takes much longer than any other answer. So windows are merged
//! one at a time, and no other answer waits for them. A bounded number of clients waits for one, so that
//! they never take all connections. Scrapes wait for no other answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pktvisor_metrics::{ListLength, RollingSpan};
use tokio::sync::{MutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::answer::{Document, Failure};
use super::prometheus::MetricsFormat;
use super::source::Moment;
use super::statistics::Statistics;

/// Answers made at the same time, except windows: clients never cost more than this many processors
/// and the one that merges a window.
const MAKING_MAX: usize = 2;

/// Windows and last seconds merged at the same time. Each needs the memory of a period.
const MERGING_MAX: usize = 1;

/// Requests that wait for such a merge at the same time, a quarter of all connections.
const WAITING_MAX: usize = 64;

/// Answers kept, unless more are in use.
const SLOTS_MAX: usize = 64;

/// Of these, answers with longer lists than usual.
const LONG_SLOTS_MAX: usize = 4;

/// Answers with longer lists than usual that are made or sent at the same time.
const LONG_MAX: usize = 16;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CacheKey {
    Bucket(usize, ListLength),
    Window(usize, ListLength),
    Rolling(RollingSpan, ListLength),
    Sketches(usize, ListLength),
    Series,
    Prometheus(MetricsFormat),
}

impl CacheKey {
    /// Whether the answer has longer lists than usual, so that it may take megabytes.
    fn is_long(self) -> bool {
        match self {
            Self::Bucket(_, lists)
            | Self::Window(_, lists)
            | Self::Rolling(_, lists)
            | Self::Sketches(_, lists) => lists > ListLength::DEFAULT,
            Self::Series | Self::Prometheus(_) => false,
        }
    }

    /// Whether periods are merged for the answer.
    fn is_merged(self) -> bool {
        matches!(self, Self::Window(..) | Self::Rolling(..) | Self::Sketches(..))
    }
}

/// An answer, and the moment that it describes.
struct Made {
    document: Arc<Document>,
    at: Instant,
    moment: Moment,
}

type Slot = Arc<tokio::sync::Mutex<Option<Made>>>;

/// The last answers.
pub(super) struct Cache {
    lifetime: Duration,
    slots: Mutex<HashMap<CacheKey, Slot>>,
    making: Arc<Semaphore>,
    merging: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    scraping: Arc<Semaphore>,
    long: Arc<Semaphore>,
    statistics: Arc<Statistics>,
}

impl Cache {
    /// Keeps answers for `lifetime` where moments are not published.
    pub(super) fn new(lifetime: Duration, statistics: Arc<Statistics>) -> Self {
        Self {
            lifetime,
            slots: Mutex::default(),
            making: Arc::new(Semaphore::new(MAKING_MAX)),
            merging: Arc::new(Semaphore::new(MERGING_MAX)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            scraping: Arc::new(Semaphore::new(1)),
            long: Arc::new(Semaphore::new(LONG_MAX)),
            statistics,
        }
    }

    /// A place for an answer with lists of this length, which the answer keeps until it is sent;
    /// `None` if the lists are as long as usual.
    ///
    /// # Errors
    ///
    /// Too many clients are being sent such answers.
    pub(super) fn place(&self, lists: ListLength) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        if lists <= ListLength::DEFAULT {
            return Ok(None);
        }
        self.permit(&self.long).map(Some)
    }

    /// One of the `permits`, without waiting for it.
    fn permit(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Failure> {
        permits.clone().try_acquire_owned().map_err(|_| {
            self.statistics.busy.record();
            Failure::Busy
        })
    }

    /// The answer for `key` if it was made in this moment and, where moments are not published, is
    /// fresh; else the answer of `make`.
    pub(super) async fn get<F>(
        &self,
        key: CacheKey,
        moment: Moment,
        make: F,
    ) -> Result<Arc<Document>, Failure>
    where
        F: FnOnce() -> Result<Document, Failure> + Send + 'static,
    {
        let slot = self.slot(key);
        if let Ok(made) = slot.try_lock()
            && let Some(made) = made.as_ref().filter(|made| self.is_of(made, moment))
        {
            return Ok(made.document.clone());
        }
        let _waiting = if key.is_merged() { Some(self.permit(&self.waiting)?) } else { None };
        let mut made: OwnedMutexGuard<_> = slot.lock_owned().await;
        if let Some(made) = made.as_ref().filter(|made| self.is_of(made, moment)) {
            return Ok(made.document.clone());
        }
        let make = move || {
            let document = Arc::new(make()?);
            *made = Some(Made { document: document.clone(), at: Instant::now(), moment });
            Ok(document)
        };
        match key {
            CacheKey::Window(..) | CacheKey::Rolling(..) | CacheKey::Sketches(..) => {
                make_within(&self.merging, make).await
            }
            CacheKey::Prometheus(_) => make_within(&self.scraping, make).await,
            CacheKey::Bucket(..) | CacheKey::Series => self.make(make).await,
        }
    }

    /// Runs `make`, which merges no window, on a thread that may block.
    pub(super) async fn make<T, F>(&self, make: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        make_within(&self.making, make).await
    }

    fn is_of(&self, made: &Made, moment: Moment) -> bool {
        made.moment == moment && (moment.published.is_some() || self.is_fresh(made))
    }

    fn is_fresh(&self, made: &Made) -> bool {
        made.at.elapsed() < self.lifetime
    }

    /// The slot of `key`. A new slot removes those that are stale and not in use, and the oldest if
    /// there are too many, so that a client that asks for every number does not fill the memory.
    fn slot(&self, key: CacheKey) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return slot.clone();
        }
        slots.retain(|_, slot| match idle(slot) {
            Some(made) => made.as_ref().is_some_and(|made| self.is_fresh(made)),
            None => true,
        });
        let count_long = |slots: &HashMap<CacheKey, _>| slots.keys().filter(|key| key.is_long()).count();
        while key.is_long()
            && count_long(&slots) >= LONG_SLOTS_MAX
            && let Some(oldest) = oldest(&slots, CacheKey::is_long)
        {
            slots.remove(&oldest);
        }
        while slots.len() >= SLOTS_MAX
            && let Some(oldest) = oldest(&slots, |_| true)
        {
            slots.remove(&oldest);
        }
        slots.entry(key).or_default().clone()
    }
}

/// The answer in a slot that no request uses.
fn idle(slot: &Slot) -> Option<MutexGuard<'_, Option<Made>>> {
    // A request holds a reference before it holds the lock.
    if Arc::strong_count(slot) == 1 { slot.try_lock().ok() } else { None }
}

/// The answer that was made first, of those of this kind that no request uses.
fn oldest(slots: &HashMap<CacheKey, Slot>, is_of_kind: impl Fn(CacheKey) -> bool) -> Option<CacheKey> {
    let made_at = |slot: &Slot| idle(slot)?.as_ref().map(|made| made.at);
    let of_kind = slots.iter().filter(|(key, _)| is_of_kind(**key));
    let idle = of_kind.filter_map(|(key, slot)| Some((made_at(slot)?, *key)));
    idle.min_by_key(|(at, _)| *at).map(|(_, key)| key)
}

/// Runs `make` on a thread that may block, as soon as one of the `permits` is free.
async fn make_within<T, F>(permits: &Arc<Semaphore>, make: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    let permit = permits.clone().acquire_owned().await;
    let task = spawn_blocking(move || {
        let _permit = permit;
        make()
    });
    task.await.unwrap_or_else(|error| {
        tracing::error!("an HTTP answer could not be made: {error}");
        Err(Failure::Broken)
    })
}

#[cfg(test)]
mod tests;
