//! Open queries that have waited for longer than a second, long before they time out.
//!
//! They are the old end of the list of open queries. A mark moves along the list with time, so each
//! query is visited at most once, and only if it waits that long. A response costs one comparison.

use super::entries::{Entries, List};

/// An open query waits from this age on.
const WAITING_NS: u64 = 1_000_000_000;

/// How many of the open queries wait.
#[derive(Debug, Default)]
pub(super) struct WaitingQueries {
    /// The newest of them.
    newest: Option<u32>,
    len: usize,
    /// They were opened before this time, and all other queries at or after it.
    before_ns: u64,
}

impl WaitingQueries {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds the queries that have become old enough by `clock_ns`, which never goes back, and
    /// reports each of them.
    pub(super) fn update(
        &mut self,
        open: &List,
        entries: &Entries,
        clock_ns: u64,
        mut report: impl FnMut(u32),
    ) {
        self.before_ns = clock_ns.saturating_sub(WAITING_NS);
        let after = |newest: Option<u32>| newest.map_or(open.head(), |newest| entries.next(newest));
        while let Some(slot) = after(self.newest)
            && entries.opened_ns(slot) < self.before_ns
        {
            self.newest = Some(slot);
            self.len += 1;
            report(slot);
        }
    }

    /// Takes out a query that is about to leave the list of open queries.
    #[inline]
    pub(super) fn remove(&mut self, entries: &Entries, slot: u32) {
        if entries.opened_ns(slot) >= self.before_ns {
            return;
        }
        self.len -= 1;
        if self.newest == Some(slot) {
            self.newest = entries.previous(slot);
        }
    }
}
