//! A thread that merges the windows of the agents, so that the screen never waits for it.

use std::{
    io,
    sync::mpsc::{self, SyncSender},
    thread,
    time::Duration,
};

use crate::model::{Union, UnionPart};

/// The least time from one union to the next: a hundred agents take a second to merge.
const EVERY: Duration = Duration::from_secs(2);

/// The handle of the thread. Dropped, the thread ends.
pub(crate) struct Merger {
    jobs: SyncSender<Vec<UnionPart>>,
    /// When the current or last union began.
    begun: Option<Duration>,
    is_merging: bool,
}

impl Merger {
    /// Starts the thread, which calls `report` with every union. `report` returns whether a receiver
    /// still exists.
    pub(crate) fn start(report: impl Fn(Union) -> bool + Send + 'static) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::sync_channel::<Vec<UnionPart>>(1);
        thread::Builder::new().name("merger".to_owned()).spawn(move || {
            for parts in inbox {
                if !report(Union::of(&parts)) {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, begun: None, is_merging: false })
    }

    /// Merges the parts if the last union is done and old enough.
    pub(crate) fn merge(&mut self, parts: impl FnOnce() -> Vec<UnionPart>, now: Duration) {
        let is_due = self.begun.is_none_or(|begun| now.saturating_sub(begun) >= EVERY);
        if is_due && !self.is_merging {
            self.begun = Some(now);
            self.is_merging = self.jobs.try_send(parts()).is_ok();
        }
    }

    /// Notes that the last union has arrived.
    pub(crate) fn arrived(&mut self) {
        self.is_merging = false;
    }
}
