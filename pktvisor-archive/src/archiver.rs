//! The thread that archives the periods that the agent has closed: its settings, start, status
//! and end.
//!
//! It takes each closed period, encodes it, and puts it into the store. While the store is away,
//! files wait in memory and are tried again, after longer and longer pauses. The queue has a limit
//! of files and bytes: beyond it the oldest are given up and counted.

mod queue;
mod retry;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use pktvisor_api::SketchDocument;

use crate::location::ArchiveLocation;
use crate::name::AgentName;
use crate::store::{ArchiveStore, StoreError};
use worker::ArchiveWorker;

/// Returns the oldest closed period that has not been archived, if there is one.
pub type PeriodSource = Box<dyn FnMut() -> Option<SketchDocument> + Send>;

/// What happens to periods for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest are given up: time does not wait.
    GiveUpOldest,
    /// They stay at their source, for this long after the last success. A capture file can wait.
    Wait(Duration),
}

/// What happens to periods in which nothing was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyPeriods {
    /// They are archived: the agent watched, and there was nothing.
    Kept,
    /// They are left out: the capture has nothing of that time.
    LeftOut,
}

/// The settings of an [`Archiver`].
#[derive(Clone, Debug)]
pub struct ArchiverSettings {
    /// Where the archive is.
    pub location: ArchiveLocation,
    /// The name under which the agent archives.
    pub agent: AgentName,
    /// After how many days files are deleted; `None`: never. Only in directories.
    pub keep_days: Option<u32>,
    /// What happens while the store is away.
    pub overflow: Overflow,
    /// What happens to periods in which nothing was counted.
    pub empty_periods: EmptyPeriods,
}

/// Why an archiver does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("cannot use the archive {location}")]
    Store {
        /// The archive.
        location: String,
        /// The reason.
        source: StoreError,
    },
    /// The thread.
    #[error("cannot start the thread of the archive: {0}")]
    Thread(#[from] std::io::Error),
}

/// What has become of the periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// Files written.
    pub written: u64,
    /// Bytes in them.
    pub written_bytes: u64,
    /// Files that wait to be written.
    pub waiting: u64,
    /// Bytes in them.
    pub waiting_bytes: u64,
    /// Periods given up, because the store was away for too long.
    pub given_up: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Why the last attempt failed; `None` if it did not.
    pub last_failure: Option<String>,
}

/// The thread, and what it shares with the agent.
#[derive(Debug)]
pub struct Archiver {
    shared: Arc<ArchiverShared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct ArchiverShared {
    state: Mutex<ArchiverState>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct ArchiverState {
    status: ArchiveStatus,
    /// Periods that the source does not have: the live one, at the end.
    submitted: Vec<SketchDocument>,
    /// When the thread gives up what is left and ends.
    stop_at: Option<Instant>,
    is_woken: bool,
}

impl Archiver {
    /// Opens the store and starts the thread.
    ///
    /// # Errors
    ///
    /// The directory cannot be created, or the settings of the object store are incomplete.
    pub fn start(settings: ArchiverSettings, source: PeriodSource) -> Result<Self, StartError> {
        let of_store = |source| StartError::Store { location: settings.location.to_string(), source };
        let store = ArchiveStore::open(&settings.location).map_err(of_store)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::<ArchiverShared>::default();
        let worker = ArchiveWorker::new(Arc::clone(&shared), settings, store, runtime, source);
        let thread = thread::Builder::new().name("archive".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Asks for closed periods at once.
    pub fn wake(&self) {
        self.shared.state.lock().is_woken = true;
        self.shared.wake.notify_one();
    }

    /// Archives a period after all those that the source has.
    pub fn submit(&self, period: SketchDocument) {
        self.shared.state.lock().submitted.push(period);
        self.wake();
    }

    /// What has become of the periods so far.
    pub fn status(&self) -> ArchiveStatus {
        self.shared.state.lock().status.clone()
    }

    /// Writes what is left, for at most this long, and ends the thread.
    pub fn finish(&self, patience: Duration) -> ArchiveStatus {
        self.shared.state.lock().stop_at.get_or_insert_with(|| Instant::now() + patience);
        self.wake();
        if let Some(thread) = self.thread.lock().take() {
            // A panic there has been reported.
            let _ = thread.join();
        }
        self.status()
    }
}

#[cfg(test)]
mod tests;
