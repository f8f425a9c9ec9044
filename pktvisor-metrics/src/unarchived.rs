//! Closed periods that wait to be archived.
//!
//! The ring of closed periods forgets the oldest; an archive must have each of them. A live capture
//! closes one a minute, so that few wait here. A capture file closes as many as it can be read, so its
//! replay pauses when [`is_due`](Unarchived::is_due) says so.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::period::PeriodRecord;

/// Periods after which a replay waits for the archive.
const DUE: usize = 4;
/// Periods that wait at most. A packet closes no more than those of an hour before it.
const MAX: usize = DUE + 64;

/// Oldest first.
#[derive(Debug, Default)]
pub(super) struct Unarchived {
    periods: VecDeque<Arc<PeriodRecord>>,
    given_up: u64,
}

impl Unarchived {
    pub(super) fn push(&mut self, period: Arc<PeriodRecord>) {
        self.periods.push_back(period);
        if self.periods.len() > MAX {
            self.periods.pop_front();
            self.given_up += 1;
        }
    }

    pub(super) fn take(&mut self) -> Option<Arc<PeriodRecord>> {
        self.periods.pop_front()
    }

    /// Whether so many wait that a capture that can wait should.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.periods.len() >= DUE
    }

    /// Periods that were given up because nobody took them.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }
}
