//! Removal of entries: by time, by a repeated query, or to make room.

use super::entry::{Entry, EntryState, ExchangeKey};
use super::{ExpiredQuery, LATE_NS, QuestionKey, Transactions};

impl Transactions {
    /// Moves open entries that timed out to their list, and forgets those that are too late.
    #[cold]
    pub(super) fn expire(&mut self, mut timed_out: impl FnMut(&ExpiredQuery<'_>)) {
        let late_ns = self.timeout_ns.saturating_add(LATE_NS);
        while let Some(slot) = self.open.head()
            && self.is_past(slot, self.timeout_ns)
        {
            self.waiting.remove(&self.entries, slot);
            self.entries.unlink(&mut self.open, slot);
            self.entries.link(&mut self.timed_out, slot);
            self.entries.get_mut(slot).state = EntryState::TimedOut;
            self.open_len -= 1;
            self.counts.timed_out += 1;
            let addresses = self.entries.get(slot).key.addresses();
            timed_out(&ExpiredQuery { addresses, name: self.entries.name(slot) });
        }
        while let Some(slot) = self.timed_out.head()
            && self.is_past(slot, late_ns)
        {
            self.forget(slot, EntryState::TimedOut);
        }
        // A query opened from now on cannot expire before the next look.
        let due_ns = |head: Option<u32>, limit_ns: u64| {
            head.map_or(u64::MAX, |slot| self.entries.opened_ns(slot).saturating_add(limit_ns))
        };
        self.next_expiry_ns = (self.clock_ns.saturating_add(self.timeout_ns))
            .min(due_ns(self.open.head(), self.timeout_ns))
            .min(due_ns(self.timed_out.head(), late_ns))
            .saturating_add(1);
    }

    /// Removes entries that timed out and match a repeated query.
    #[cold]
    pub(super) fn replace(&mut self, key: &ExchangeKey, hash: u32, question: Option<QuestionKey>) {
        let agrees = |entry: &Entry| entry.key == *key && entry.agrees(question);
        loop {
            let found = self.index.find(hash).find(|&slot| agrees(self.entries.get(slot)));
            let Some(slot) = found else { return };
            let state = self.entries.get(slot).state;
            self.counts.timed_out += u64::from(state == EntryState::Open);
            self.forget(slot, state);
        }
    }

    /// Opens an entry. At the ceiling it replaces the oldest one that timed out, else the oldest
    /// open one. Inlined as [`query`](Self::query) is.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u32, entry: Entry) {
        if self.entries.len() >= self.entries_max {
            if let Some(slot) = self.timed_out.head() {
                self.forget(slot, EntryState::TimedOut);
            } else if let Some(slot) = self.open.head() {
                self.counts.shed += 1;
                self.forget(slot, EntryState::Open);
            }
        }
        let slot = self.entries.insert(entry, hash, self.clock_ns);
        self.entries.link(&mut self.open, slot);
        self.open_len += 1;
        self.index.insert(hash, slot);
    }

    /// Makes room if a client repeats one flow and id with different questions.
    #[cold]
    pub(super) fn crowd_out(&mut self, hash: u32) {
        let Some(oldest) = self.index.find(hash).min_by_key(|&slot| (self.entries.opened_ns(slot), slot))
        else {
            return;
        };
        let state = self.entries.get(oldest).state;
        self.counts.shed += u64::from(state == EntryState::Open);
        self.forget(oldest, state);
    }

    /// Removes an entry in this state.
    #[inline]
    pub(super) fn forget(&mut self, slot: u32, state: EntryState) {
        let list = match state {
            EntryState::Open => {
                self.open_len -= 1;
                self.waiting.remove(&self.entries, slot);
                &mut self.open
            }
            EntryState::TimedOut => &mut self.timed_out,
        };
        // The next entry of the list is likely to be the next one to be removed.
        if let Some(next) = self.entries.unlink(list, slot) {
            self.index.prefetch(self.entries.hash(next));
        }
        self.index.remove(self.entries.hash(slot), slot);
        self.entries.free(slot);
    }

    /// Whether more than `limit_ns` have passed since an entry was opened.
    #[inline]
    fn is_past(&self, slot: u32, limit_ns: u64) -> bool {
        self.clock_ns - self.entries.opened_ns(slot) > limit_ns
    }
}
