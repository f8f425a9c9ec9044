//! The handle for other threads: it requests that the databases be opened again, and reports
//! unreadable records.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// Shared by the thread that looks up addresses and the other threads.
#[derive(Debug, Default)]
pub struct GeoHandle {
    is_reopen_asked: AtomicBool,
    faults: Mutex<Vec<Faults>>,
}

/// The unreadable records of one database.
#[derive(Debug)]
struct Faults {
    path: PathBuf,
    records: u64,
    first: String,
}

impl GeoHandle {
    /// Requests that the databases be opened again, changed or not.
    pub fn ask_to_reopen(&self) {
        self.is_reopen_asked.store(true, Ordering::Relaxed);
    }

    /// Whether this was requested since the last call.
    pub(super) fn take_reopen(&self) -> bool {
        self.is_reopen_asked.load(Ordering::Relaxed) && self.is_reopen_asked.swap(false, Ordering::Relaxed)
    }

    /// Counts a record that cannot be decoded. The first one of a database is logged.
    pub(super) fn record_fault(&self, path: &Path, reason: String) {
        let mut faults = self.faults.lock();
        if let Some(known) = faults.iter_mut().find(|known| known.path == path) {
            known.records += 1;
            return;
        }
        let first = Faults { path: path.to_owned(), records: 1, first: reason };
        tracing::warn!("{}", first.sentence());
        faults.push(first);
    }

    /// Forgets the unreadable records of a database that was opened again.
    pub(super) fn clear_faults(&self, path: &Path) {
        self.faults.lock().retain(|known| known.path != path);
    }

    /// A sentence for each database with records that cannot be decoded.
    pub fn notes(&self) -> Vec<String> {
        self.faults.lock().iter().map(Faults::sentence).collect()
    }
}

impl Faults {
    fn sentence(&self) -> String {
        let Self { path, records, first } = self;
        let path = path.display();
        let what = if *records == 1 { "record" } else { "records" };
        format!("{records} {what} of the geo database {path} cannot be decoded (the first: {first})")
    }
}
