//! The thread that writes what the agent has closed.
//!
//! It takes each closed period, encodes it, and puts it into the store. While the store is away, files
//! wait in memory and are tried again, later and later. The queue has a limit of files and bytes:
//! beyond it the oldest are given up and counted.

mod queue;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use pktvisor_api::SketchDocument;
use terminal_text::Escaped;
use tokio::runtime::Runtime;

use crate::location::ArchiveLocation;
use crate::name::{AgentName, FileKey, date_of};
use crate::row::ArchiveRow;
use crate::store::{ArchiveStore, StoreError};
use crate::write::encode_period;
use queue::{FileQueue, WaitingFile};

/// How often the thread asks for closed periods if nobody wakes it.
const POLL: Duration = Duration::from_millis(500);
/// The first pause after a failure; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_secs(60);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How often days that are too old are deleted.
const RETENTION_PERIOD: Duration = Duration::from_secs(3600);
const DAY_S: i64 = 86_400;

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
        let worker = ArchiveWorker {
            shared: Arc::clone(&shared),
            settings,
            store,
            runtime,
            source,
            queue: FileQueue::default(),
            retry: Retry::default(),
            last_success: Instant::now(),
            next_retention: Instant::now(),
        };
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

/// The state of the thread.
struct ArchiveWorker {
    shared: Arc<ArchiverShared>,
    settings: ArchiverSettings,
    store: ArchiveStore,
    runtime: Runtime,
    source: PeriodSource,
    queue: FileQueue,
    retry: Retry,
    last_success: Instant,
    next_retention: Instant,
}

/// When to try again.
#[derive(Debug, Default)]
struct Retry {
    at: Option<Instant>,
    pause: Duration,
}

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum NextFile {
    Work,
    Wait,
    End,
}

impl ArchiveWorker {
    fn run(mut self) {
        loop {
            // Before the last periods are taken, so that none is submitted in between.
            let stop_at = self.shared.state.lock().stop_at;
            self.take_periods();
            self.write_one();
            self.delete_old_days();
            match self.next(stop_at) {
                NextFile::Work => {}
                NextFile::End => return,
                NextFile::Wait => {
                    let mut state = self.shared.state.lock();
                    if !state.is_woken {
                        self.shared.wake.wait_for(&mut state, POLL);
                    }
                    state.is_woken = false;
                }
            }
        }
    }

    fn next(&mut self, stop_at: Option<Instant>) -> NextFile {
        let is_due = self.retry.at.is_none_or(|at| at <= Instant::now());
        match stop_at {
            Some(_) if self.queue.is_empty() => NextFile::End,
            Some(stop_at) if stop_at <= Instant::now() => {
                self.give_up_all();
                NextFile::End
            }
            _ if !self.queue.is_empty() && is_due => NextFile::Work,
            _ => NextFile::Wait,
        }
    }

    fn give_up_all(&mut self) {
        let mut given_up = self.queue.len() as u64;
        while (self.source)().is_some() {
            given_up += 1;
        }
        let mut state = self.shared.state.lock();
        state.status.given_up += given_up + state.submitted.len() as u64;
        (state.status.waiting, state.status.waiting_bytes) = (0, 0);
    }

    /// Takes what the agent has closed, as far as there is room.
    fn take_periods(&mut self) {
        loop {
            if self.queue.is_full() {
                match self.settings.overflow {
                    Overflow::Wait(patience) if self.last_success.elapsed() < patience => return,
                    _ => {}
                }
            }
            let period = (self.source)().or_else(|| {
                let submitted = &mut self.shared.state.lock().submitted;
                (!submitted.is_empty()).then(|| submitted.remove(0))
            });
            let Some(period) = period else { return };
            self.enqueue(&period);
        }
    }

    fn enqueue(&mut self, period: &SketchDocument) {
        let row = ArchiveRow::from_document(self.settings.agent.as_str(), period);
        if self.settings.empty_periods == EmptyPeriods::LeftOut && row.is_empty() {
            return;
        }
        let key = FileKey::of_period(&row).to_string();
        match encode_period(&row) {
            Ok(file) => self.queue.push(WaitingFile { key, file: Bytes::from(file) }),
            Err(error) => {
                tracing::warn!("archive: a period cannot be encoded and is given up: {error}");
                self.shared.state.lock().status.given_up += 1;
            }
        }
        let mut given_up = 0;
        while self.queue.is_over_full() {
            self.queue.pop();
            given_up += 1;
        }
        let mut state = self.shared.state.lock();
        if given_up > 0 && state.status.given_up == 0 {
            tracing::warn!(
                "archive: {} has been away for too long: the oldest periods are given up and counted",
                Escaped(&self.settings.location)
            );
        }
        state.status.given_up += given_up;
        (state.status.waiting, state.status.waiting_bytes) =
            (self.queue.len() as u64, self.queue.bytes() as u64);
    }

    /// Writes the oldest file, if it is time to try.
    fn write_one(&mut self) {
        let is_stopping = self.shared.state.lock().stop_at.is_some();
        if is_stopping {
            self.retry.hurry();
        }
        if self.retry.at.is_some_and(|at| at > Instant::now()) {
            return;
        }
        let Some(WaitingFile { key, file }) = self.queue.first() else { return };
        let attempt = self.store.put(key, file.clone());
        let put = async { tokio::time::timeout(ATTEMPT, attempt).await };
        let failure = match self.runtime.block_on(put) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer in {} s", ATTEMPT.as_secs())),
        };
        match failure {
            None => self.record_success(),
            Some(reason) => self.record_failure(reason),
        }
    }

    fn record_success(&mut self) {
        let Some(written) = self.queue.pop() else { return };
        self.retry = Retry::default();
        self.last_success = Instant::now();
        let mut state = self.shared.state.lock();
        let status = &mut state.status;
        status.written += 1;
        status.written_bytes += written.file.len() as u64;
        (status.waiting, status.waiting_bytes) = (self.queue.len() as u64, self.queue.bytes() as u64);
        if status.last_failure.take().is_some() {
            tracing::info!("archive: {} works again", Escaped(&self.settings.location));
        }
    }

    fn record_failure(&mut self, reason: String) {
        self.retry.postpone();
        let mut state = self.shared.state.lock();
        state.status.failures += 1;
        // Once, not with every attempt.
        if state.status.last_failure.is_none() {
            let location = Escaped(&self.settings.location);
            tracing::warn!("archive: cannot write to {location}, trying again: {}", Escaped(&reason));
        }
        state.status.last_failure = Some(reason);
    }

    fn delete_old_days(&mut self) {
        let (Some(days), ArchiveStore::Directory(directory)) = (self.settings.keep_days, &self.store) else {
            return;
        };
        if self.next_retention > Instant::now() {
            return;
        }
        self.next_retention = Instant::now() + RETENTION_PERIOD;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let first = date_of(now.as_secs().cast_signed() - i64::from(days) * DAY_S);
        if let Err(error) = directory.remove_days_before(self.settings.agent.as_str(), &first) {
            tracing::warn!("archive: old days stay: {}", Escaped(&error.to_string()));
        }
    }
}

impl Retry {
    /// Waits longer than before, and not as long as all other agents.
    fn postpone(&mut self) {
        self.pause = (self.pause * 2).clamp(RETRY_FIRST, RETRY_LAST);
        let fraction =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_micros();
        self.at = Some(Instant::now() + self.pause.mul_f64(0.5 + f64::from(fraction) / 2e6));
    }

    /// Tries at least once a second, because the process is about to end.
    fn hurry(&mut self) {
        let soon = Instant::now() + RETRY_FIRST;
        self.at = self.at.map(|at| at.min(soon));
        self.pause = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests;
