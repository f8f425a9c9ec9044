//! Merges periods once a second, however many clients ask.
//!
//! Each answer has a slot. A request that finds it stale makes the answer again, on a thread that
//! may block, and holds the slot's lock. Other requests wait for the lock and take that answer. A
//! client that disconnects does not undo the work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio::task::spawn_blocking;

use super::answer::{Document, Failure};
use super::source::Moment;

/// Answers made at the same time, so that clients never cost more than this many processors.
const MAKING_MAX: usize = 2;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CacheKey {
    Bucket(usize),
    Window(usize),
    Series,
    Prometheus,
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
}

impl Cache {
    /// Keeps answers for `lifetime` where moments are not published.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { lifetime, slots: Mutex::default(), making: Arc::new(Semaphore::new(MAKING_MAX)) }
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
        let mut made: OwnedMutexGuard<_> = slot.lock_owned().await;
        if let Some(made) = made.as_ref().filter(|made| self.is_of(made, moment)) {
            return Ok(made.document.clone());
        }
        self.make(move || {
            let document = Arc::new(make()?);
            *made = Some(Made { document: document.clone(), at: Instant::now(), moment });
            Ok(document)
        })
        .await
    }

    /// Runs `make` on a thread that may block.
    pub(super) async fn make<T, F>(&self, make: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let permit = self.making.clone().acquire_owned().await;
        let task = spawn_blocking(move || {
            let _permit = permit;
            make()
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!("an HTTP answer could not be made: {error}");
            Err(Failure::Broken)
        })
    }

    fn is_of(&self, made: &Made, moment: Moment) -> bool {
        made.moment == moment && (moment.published.is_some() || self.is_fresh(made))
    }

    fn is_fresh(&self, made: &Made) -> bool {
        made.at.elapsed() < self.lifetime
    }

    /// The slot of `key`. A new slot removes those that are stale and not in use, so that a client
    /// that asks for every number does not fill the memory.
    fn slot(&self, key: CacheKey) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return slot.clone();
        }
        slots.retain(|_, slot| match slot.try_lock() {
            Ok(made) => made.as_ref().is_some_and(|made| self.is_fresh(made)),
            Err(_in_use) => true,
        });
        slots.entry(key).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::new("text/plain", text.to_owned())
    }

    fn rotated(rotations: u64) -> Moment {
        Moment { rotations, published: None }
    }

    #[tokio::test]
    async fn an_answer_lives_as_long_as_its_moment_where_moments_are_published() {
        let cache = Cache::new(Duration::ZERO);
        let moment = |published| Moment { rotations: 0, published: Some(published) };
        let first = cache.get(CacheKey::Window(2), moment(1), || Ok(document("a"))).await.unwrap();
        let again = cache.get(CacheKey::Window(2), moment(1), || Ok(document("b"))).await.unwrap();
        let later = cache.get(CacheKey::Window(2), moment(2), || Ok(document("c"))).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(later.plain(), b"c".as_slice());
    }

    #[tokio::test]
    async fn a_fresh_answer_is_given_again_until_a_period_rotates() {
        let cache = Cache::new(Duration::from_secs(3600));
        let first = cache.get(CacheKey::Bucket(0), rotated(7), || Ok(document("a"))).await.unwrap();
        let again = cache.get(CacheKey::Bucket(0), rotated(7), || Ok(document("b"))).await.unwrap();
        let rotated = cache.get(CacheKey::Bucket(0), rotated(8), || Ok(document("c"))).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(rotated.plain(), b"c".as_slice());
    }

    #[tokio::test]
    async fn failures_are_not_remembered() {
        let cache = Cache::new(Duration::from_secs(3600));
        assert!(cache.get(CacheKey::Window(2), rotated(0), || Err(Failure::Broken)).await.is_err());
        assert!(cache.get(CacheKey::Window(2), rotated(0), || Ok(document("a"))).await.is_ok());
    }

    #[tokio::test]
    async fn asking_for_many_numbers_keeps_no_slots() {
        let cache = Cache::new(Duration::ZERO);
        for n in 0..1000 {
            let _ = cache.get(CacheKey::Bucket(n), rotated(0), || Ok(document("a"))).await;
        }
        assert!(cache.slots.lock().unwrap().len() <= 2);
    }
}
