//! Matches responses with queries.
//!
//! An open query waits for the first response with the same addresses, ports, transport and id, and
//! the same question if both carry one. It is answered, or it times out. A query that timed out
//! waits for 60 s more, so that a late response is recognised. An answered query is remembered
//! until its time-out, so that further responses are recognised as duplicates.
//!
//! Time: durations are differences of the packets' own time stamps. Queries expire by the newest
//! time stamp seen, counted from the moment they were opened: a packet from the past neither sets
//! the clock back nor is old on arrival. A packet captured without a time stamp has that of the
//! packet before it. This is good enough for time-outs, but its transaction has no duration.
//!
//! Cost: a query probes the index once and writes one entry; a response probes it once and reads
//! one entry. Neither the number of open queries nor the traffic of an attacker changes that. If
//! servers answer, few queries wait, and their entries stay in the cache; answered queries move to
//! a ring that is only written. Memory has ceilings. If too many queries wait, the oldest one that
//! timed out is dropped, else the oldest open one, which is counted as shed. If too many answered
//! queries are remembered, the oldest one is dropped.

mod answered;
mod entries;
mod entry;
mod index;
mod message_time;
mod outcome;
mod removal;
mod waiting;

use answered::AnsweredQueries;
pub use entries::StoredName;
use entries::{Entries, List};
pub use entry::Exchange;
use entry::{Entry, EntryState};
use index::Index;
pub use message_time::MessageTime;
pub use outcome::{OpenQueries, QueryOutcome, QuestionKey, ResponseOutcome, TransactionCounts};
use waiting::WaitingQueries;

use pktvisor_common::address::AddressPair;
use pktvisor_common::packet::Stamp;

use crate::name::Name;

/// Time-out of a query without other configuration.
pub const TIMEOUT_NS_DEFAULT: u64 = 5_000_000_000;

/// The default maximum of waiting queries, and of remembered answered ones: 52 MB and 7 MB if all
/// are in use.
pub const ENTRIES_MAX_DEFAULT: usize = 262_144;

/// The absolute maximum of entries, because their numbers have 32 bits.
const ENTRIES_MAX: usize = 1 << 31;

/// Time after its time-out in which a query can be answered late.
pub const LATE_NS: u64 = 60_000_000_000;

/// The maximum number of queries with the same flow and id, among waiting and among answered ones.
const ALIKE_MAX: usize = 32;

/// A query that has timed out.
#[derive(Clone, Copy, Debug)]
pub struct ExpiredQuery<'a> {
    /// The client's address, and the server's.
    pub addresses: AddressPair,
    /// Its question name, if it has one and was [described](Transactions::describe).
    pub name: Option<&'a StoredName>,
}

/// The table of queries.
#[derive(Debug)]
pub struct Transactions {
    timeout_ns: u64,
    /// The newest time stamp seen.
    clock_ns: u64,
    /// The next time to look for expired queries. No query expires earlier.
    next_expiry_ns: u64,
    entries_max: usize,
    entries: Entries,
    index: Index,
    /// Open queries, in the order in which they were opened and time out.
    open: List,
    open_len: usize,
    waiting: WaitingQueries,
    /// Queries that timed out, in this order.
    timed_out: List,
    answered: AnsweredQueries,
    counts: TransactionCounts,
}

impl Default for Transactions {
    fn default() -> Self {
        Self::new(TIMEOUT_NS_DEFAULT, ENTRIES_MAX_DEFAULT)
    }
}

impl Transactions {
    /// A table with a time-out for at most `entries_max` (at least 1) waiting queries. It remembers
    /// the same number of answered ones, rounded up to a power of two. A waiting query takes 184
    /// bytes, and 16 to 32 bytes of the index; an answered one takes 28 bytes.
    pub fn new(timeout_ns: u64, entries_max: usize) -> Self {
        let entries_max = entries_max.clamp(1, ENTRIES_MAX);
        Self {
            timeout_ns,
            clock_ns: 0,
            next_expiry_ns: 0,
            entries_max,
            // Memory beyond the default is reserved when it is needed.
            entries: Entries::with_room(entries_max.min(ENTRIES_MAX_DEFAULT)),
            index: Index::default(),
            open: List::default(),
            open_len: 0,
            waiting: WaitingQueries::default(),
            timed_out: List::default(),
            answered: AnsweredQueries::new(entries_max),
            counts: TransactionCounts::default(),
        }
    }

    /// Number of queries that wait for their response.
    #[inline]
    pub fn open(&self) -> usize {
        self.open_len
    }

    /// The open queries, and those that waited at the last [update](Self::update_waiting) and are
    /// still open.
    pub fn open_queries(&self) -> OpenQueries {
        OpenQueries { open: self.open_len as u64, waiting: self.waiting.len() as u64 }
    }

    /// Looks for open queries that have waited for longer than a second. Call it regularly, not for
    /// each message. Reports each of them once, with the hash of its exchange, and client and
    /// server.
    pub fn update_waiting(&mut self, mut report: impl FnMut(u32, AddressPair)) {
        let entries = &self.entries;
        self.waiting.update(&self.open, entries, self.clock_ns, |slot| {
            report(entries.hash(slot), entries.get(slot).key.addresses());
        });
    }

    /// Returns and resets the numbers since the last call. A query times out when
    /// [`advance`](Self::advance) reaches its time-out.
    pub fn take_counts(&mut self) -> TransactionCounts {
        std::mem::take(&mut self.counts)
    }

    /// Prefetches the memory where the search for an exchange begins.
    #[inline]
    pub fn prefetch_index(&self, exchange: &Exchange) {
        self.index.prefetch(exchange.index_hash());
    }

    /// Prefetches the entry of an exchange, once the memory where its search begins has
    /// [arrived](Self::prefetch_index).
    #[inline]
    pub fn prefetch_entry(&self, exchange: &Exchange) {
        if let Some(slot) = self.index.find(exchange.index_hash()).next() {
            self.entries.prefetch(slot);
        }
    }

    /// Records a query.
    ///
    /// Analysis has two observers; without being told, the compiler calls this instead of inlining it.
    #[inline(always)]
    pub fn query(
        &mut self,
        exchange: &Exchange,
        question: Option<QuestionKey>,
        at: impl Into<MessageTime>,
    ) -> QueryOutcome {
        let at = at.into();
        let timestamp_ns = at.ns;
        self.advance(timestamp_ns);
        let (key, hash) = (exchange.key, exchange.index_hash());
        let (mut is_repeated, mut alike) = (false, 0);
        for slot in self.index.find(hash) {
            alike += 1;
            let entry = self.entries.get(slot);
            if entry.key != key || !entry.agrees(question) {
                continue;
            }
            if entry.state == EntryState::Open && self.in_time(entry, timestamp_ns) {
                self.counts.retransmitted += 1;
                return QueryOutcome::Retransmitted;
            }
            is_repeated = true;
        }
        if is_repeated {
            self.replace(&key, hash, question);
        } else if alike >= ALIKE_MAX {
            self.crowd_out(hash);
        }
        self.insert(hash, Entry::new(key, question, at));
        QueryOutcome::Opened
    }

    /// Records a response. Inlined as [`query`](Self::query) is.
    #[inline(always)]
    pub fn response(
        &mut self,
        exchange: &Exchange,
        question: Option<QuestionKey>,
        at: impl Into<MessageTime>,
    ) -> ResponseOutcome {
        let MessageTime { ns: timestamp_ns, stamp } = at.into();
        self.advance(timestamp_ns);
        let Some(slot) = self.find(exchange, question) else {
            return self.orphan(exchange, question);
        };
        let entry = self.entries.get(slot);
        let (state, query_timestamp_ns) = (entry.state, entry.query_timestamp_ns);
        match state {
            EntryState::Open if self.in_time(entry, timestamp_ns) => {
                let is_timed = stamp == Stamp::Own && entry.stamp == Stamp::Own;
                let (question, opened_ns) = (entry.question(), self.entries.opened_ns(slot));
                let query_bytes = self.entries.query_bytes(slot);
                self.answered.insert(exchange.hash, question, opened_ns, self.remembered_since_ns());
                self.forget(slot, state);
                let duration_ns = timestamp_ns.checked_sub(query_timestamp_ns);
                self.counts.answered += 1;
                if !is_timed {
                    return ResponseOutcome::AnsweredUntimed;
                }
                self.counts.negative_times += u64::from(duration_ns.is_none());
                ResponseOutcome::Answered { duration_ns, query_timestamp_ns, query_bytes }
            }
            EntryState::Open | EntryState::TimedOut => {
                // The query is open, but too old by its own time stamp: the clock stood still while
                // packets came from the past.
                self.counts.timed_out += u64::from(state == EntryState::Open);
                self.counts.late += 1;
                self.forget(slot, state);
                ResponseOutcome::Late
            }
        }
    }

    /// Classifies a response without a waiting query.
    #[cold]
    fn orphan(&mut self, exchange: &Exchange, question: Option<QuestionKey>) -> ResponseOutcome {
        if self.answered.contains(exchange.hash, question, self.remembered_since_ns()) {
            self.counts.duplicates += 1;
            ResponseOutcome::Duplicate
        } else {
            self.counts.orphans += 1;
            ResponseOutcome::Orphan
        }
    }

    /// Moves the time to `now_ns` and counts the queries that have timed out. A time before the
    /// newest one changes nothing.
    #[inline]
    pub fn advance(&mut self, now_ns: u64) {
        self.advance_reporting(now_ns, |_| {});
    }

    /// As [`advance`](Self::advance), and reports each query that has timed out.
    #[inline]
    pub fn advance_reporting(&mut self, now_ns: u64, timed_out: impl FnMut(&ExpiredQuery<'_>)) {
        self.clock_ns = self.clock_ns.max(now_ns);
        if self.clock_ns >= self.next_expiry_ns {
            self.expire(timed_out);
        }
    }

    /// Whether queries may time out by this time.
    #[inline]
    pub fn is_due(&self, now_ns: u64) -> bool {
        now_ns >= self.next_expiry_ns
    }

    /// Keeps the name and the size of the query that was [opened](QueryOutcome::Opened) just now.
    #[inline]
    pub fn describe(&mut self, name: Option<&Name>, query_bytes: usize) {
        if let Some(slot) = self.open.tail() {
            self.entries.describe(slot, name, query_bytes);
        }
    }

    /// The entry that matches a response with this key and question: an open one if there is one,
    /// else the oldest.
    #[inline(always)]
    fn find(&self, exchange: &Exchange, question: Option<QuestionKey>) -> Option<u32> {
        let mut best = None;
        for slot in self.index.find(exchange.index_hash()) {
            let entry = self.entries.get(slot);
            if entry.key != exchange.key || !entry.agrees(question) {
                continue;
            }
            if best.is_none_or(|other| self.rank(slot) < self.rank(other)) {
                best = Some(slot);
            }
        }
        best
    }

    /// The smallest of several matching entries is preferred. If times are equal, the question
    /// decides.
    #[inline]
    fn rank(&self, slot: u32) -> (EntryState, u64, u64, u16, u16) {
        let entry = self.entries.get(slot);
        (entry.state, self.entries.opened_ns(slot), entry.name_hash, entry.qtype, entry.qclass)
    }

    /// Queries that were opened before this time have expired.
    #[inline]
    fn remembered_since_ns(&self) -> u64 {
        self.clock_ns.saturating_sub(self.timeout_ns)
    }

    /// Whether a packet comes within the time-out of an open query, by their own time stamps.
    #[inline]
    fn in_time(&self, entry: &Entry, timestamp_ns: u64) -> bool {
        timestamp_ns.saturating_sub(entry.query_timestamp_ns) <= self.timeout_ns
    }
}

#[cfg(test)]
mod tests;
