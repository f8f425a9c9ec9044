//! The work of the thread: takes closed periods, writes their files, and deletes old days.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use pktvisor_api::SketchDocument;
use terminal_text::Escaped;
use tokio::runtime::Runtime;

use super::queue::{FileQueue, WaitingFile};
use super::retry::Retry;
use super::{ArchiverSettings, ArchiverShared, EmptyPeriods, Overflow, PeriodSource};
use crate::name::{FileKey, date_of};
use crate::row::ArchiveRow;
use crate::store::ArchiveStore;
use crate::write::encode_period;

/// How often the thread asks for closed periods if nobody wakes it.
const POLL: Duration = Duration::from_millis(500);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How often days that are too old are deleted.
const RETENTION_PERIOD: Duration = Duration::from_secs(3600);
const DAY_S: i64 = 86_400;

/// The state of the thread.
pub(super) struct ArchiveWorker {
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

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum NextFile {
    Work,
    Wait,
    End,
}

impl ArchiveWorker {
    pub(super) fn new(
        shared: Arc<ArchiverShared>,
        settings: ArchiverSettings,
        store: ArchiveStore,
        runtime: Runtime,
        source: PeriodSource,
    ) -> Self {
        Self {
            shared,
            settings,
            store,
            runtime,
            source,
            queue: FileQueue::default(),
            retry: Retry::default(),
            last_success: Instant::now(),
            next_retention: Instant::now(),
        }
    }

    /// Works until [`stop_at`](super::ArchiverState::stop_at) is set and nothing waits, or it has
    /// passed.
    pub(super) fn run(mut self) {
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
