//! Takes snapshots and delivers them, in a thread of its own.
//!
//! The thread runs two tasks on a small runtime. One takes a snapshot every interval, even if
//! the collector does not answer; the other delivers the waiting snapshots, the oldest first. So neither the capture nor the web
//! server ever waits for the collector.

mod delivery;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use metric_families::FamilySnapshot;
use parking_lot::Mutex;
use prost::Message;
use tokio::sync::{Notify, oneshot};
use tokio::time::{self, Instant, MissedTickBehavior, timeout};

use crate::Temporality;
use crate::collector::OtlpCollector;
use crate::mapping::{self, ResourceAttributes};
use crate::queue::{SnapshotQueue, WaitingSnapshot};
use crate::statistics::PushStatistics;
use delivery::SnapshotDelivery;

/// How long the agent waits at its end for the collector.
const FINISH_MAX: Duration = Duration::from_secs(3);

/// What to push, and where.
#[derive(Clone, Debug)]
pub struct PushSettings {
    /// The collector.
    pub collector: OtlpCollector,
    /// Time between two snapshots.
    pub interval: Duration,
    /// What values refer to.
    pub temporality: Temporality,
    /// Who pushes.
    pub resource: ResourceAttributes,
    /// When the first snapshot is taken.
    pub first_push: FirstPush,
}

/// When the first snapshot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPush {
    /// At the start: all counters then begin at zero, and a mistake in the URL is reported at once.
    AtStart,
    /// An interval later.
    AfterInterval,
}

/// Snapshots that the collector had not taken when the agent ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the OpenTelemetry collector {endpoint} did not take the last metrics: it {reason}")]
pub struct Undelivered {
    endpoint: String,
    reason: String,
}

/// The thread that pushes.
#[derive(Debug)]
pub struct Pusher {
    finish: oneshot::Sender<()>,
    outcome: mpsc::Receiver<Result<(), Undelivered>>,
}

impl Pusher {
    /// Starts the thread. It calls `snapshot` for the values of a moment.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn start(
        settings: PushSettings,
        statistics: Arc<PushStatistics>,
        snapshot: impl Fn() -> FamilySnapshot + Send + 'static,
    ) -> io::Result<Self> {
        // Here, so that its error is the caller's.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (finish, finished) = oneshot::channel();
        let (report, outcome) = mpsc::channel();
        let work = Work { shared: Shared::new(statistics), settings, snapshot };
        thread::Builder::new().name("otlp".to_owned()).spawn(move || {
            let outcome = runtime.block_on(work.run(finished));
            // A lookup of the collector's name may hang for long.
            runtime.shutdown_background();
            // Nobody listens if the agent ended without a last push.
            let _ = report.send(outcome);
        })?;
        Ok(Self { finish, outcome })
    }

    /// Takes a last snapshot, and gives the collector some seconds to take what waits.
    ///
    /// # Errors
    ///
    /// What the collector did not take.
    pub fn finish(self) -> Result<(), Undelivered> {
        let _ = self.finish.send(());
        // The thread has its own time limit. If it panicked, there is nothing to add to its message.
        self.outcome.recv().unwrap_or(Ok(()))
    }
}

/// What the two tasks share.
struct Shared {
    queue: Mutex<SnapshotQueue>,
    pushed: Notify,
    /// Wakes the delivery from waiting after a failure.
    finishing: Notify,
    is_finishing: AtomicBool,
    statistics: Arc<PushStatistics>,
}

impl Shared {
    fn new(statistics: Arc<PushStatistics>) -> Self {
        Self {
            queue: Mutex::default(),
            pushed: Notify::new(),
            finishing: Notify::new(),
            is_finishing: AtomicBool::new(false),
            statistics,
        }
    }

    fn is_finishing(&self) -> bool {
        self.is_finishing.load(Relaxed)
    }

    fn set_finishing(&self) {
        self.is_finishing.store(true, Relaxed);
        self.finishing.notify_one();
    }

    fn push(&self, request: Bytes) {
        let mut queue = self.queue.lock();
        let given_up = queue.push(request);
        self.statistics.count_given_up(given_up);
        self.statistics.set_waiting(queue.len());
        drop(queue);
        self.pushed.notify_one();
    }

    fn oldest(&self) -> Option<WaitingSnapshot> {
        self.queue.lock().oldest()
    }

    fn remove(&self, number: u64) {
        let mut queue = self.queue.lock();
        queue.remove(number);
        self.statistics.set_waiting(queue.len());
    }
}

struct Work<F> {
    settings: PushSettings,
    shared: Shared,
    snapshot: F,
}

impl<F: Fn() -> FamilySnapshot> Work<F> {
    async fn run(&self, finished: oneshot::Receiver<()>) -> Result<(), Undelivered> {
        let mut delivery = SnapshotDelivery::new(&self.settings, &self.shared);
        // The same future until the end, so that a request on its way is not sent twice.
        let mut delivering = pin!(delivery.deliver());
        tokio::select! {
            () = self.take_snapshots() => {}
            _ = &mut delivering => {}
            _ = finished => {}
        }
        self.take_snapshot();
        self.shared.set_finishing();
        let late = || format!("does not answer within {} s", FINISH_MAX.as_secs());
        let outcome = timeout(FINISH_MAX, delivering).await.unwrap_or_else(|_| Err(late()));
        outcome.map_err(|reason| Undelivered {
            endpoint: self.settings.collector.endpoint().to_string(),
            reason,
        })
    }

    async fn take_snapshots(&self) {
        let interval = self.settings.interval;
        let first = match self.settings.first_push {
            FirstPush::AtStart => Instant::now(),
            FirstPush::AfterInterval => Instant::now() + interval,
        };
        let mut ticks = time::interval_at(first, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.take_snapshot();
        }
    }

    fn take_snapshot(&self) {
        let snapshot = (self.snapshot)();
        let request = mapping::request(&snapshot, &self.settings.resource);
        self.shared.push(request.encode_to_vec().into());
    }
}

#[cfg(test)]
mod tests;
