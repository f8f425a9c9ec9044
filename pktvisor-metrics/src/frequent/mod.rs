//! Frequent items: who comes up most, in bounded memory, with a bound for every count.
//!
//! The counter-based summary of Misra and Gries (1982), kept the way Manku and Motwani's Lossy Counting keeps it
//! (VLDB 2002): an entry counts exactly from the moment it is taken in and remembers how much may have gone
//! uncounted before. When the table is full, every entry whose upper bound is at or below the median is dropped and
//! the median becomes the bound for whatever is not in the table.
//!
//! The guarantees are those of the frequent-items sketch of Apache DataSketches, which subtracts the median instead
//! of remembering it; what is remembered here makes the lower bounds tighter. An item that came early and stayed
//! counts exactly, however many rare items flood the table.
//!
//! Which entries are kept depends on the stream alone, never on hash values, so the hash may be seeded at random.

mod table;
#[cfg(test)]
mod tests;

use pktvisor_memory::keyed_hash;
use table::Table;

/// How much a [`FrequentItems`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Bytes of all keys together.
    pub key_bytes: usize,
}

impl Limits {
    /// A live period: an estimate is off by at most about a 16,384th of the stream.
    pub const LIVE: Self = Self { entries: 1 << 15, key_bytes: 1 << 20 };
    /// A closed period that may still be merged into a window.
    pub const CLOSED: Self = Self { entries: 1 << 13, key_bytes: 1 << 18 };
    /// A closed period that is kept for the record.
    pub const ARCHIVED: Self = Self { entries: 64, key_bytes: 1 << 14 };
}

/// What an item is counted under: bytes, and a tag that keeps apart items of the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Distinguishes kinds of items in one list.
    pub tag: u8,
    /// At most 65,535; what is longer counts by its beginning.
    pub bytes: &'a [u8],
    /// Under which it is found.
    hash: u64,
}

impl<'a> Key<'a> {
    /// The key of some bytes.
    #[inline]
    pub fn new(tag: u8, bytes: &'a [u8]) -> Self {
        Self { tag, bytes, hash: keyed_hash::of_bytes(bytes, tag) }
    }

    /// The key of bytes of which the hash is known already.
    #[inline]
    pub(crate) fn with_hash(tag: u8, bytes: &'a [u8], hash: u64) -> Self {
        debug_assert_eq!(hash, keyed_hash::of_bytes(bytes, tag));
        Self { tag, bytes, hash }
    }
}

/// A note on an item that is listed, of what its owner wants to do only once for each. It is lost when the item is
/// dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// One of two.
    First,
    /// The other.
    Second,
}

/// One item and the bounds of its true count: `lower <= true count <= upper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What is counted.
    pub key: Key<'a>,
    /// Counted since the item was last taken in; the estimate.
    pub lower: u64,
    /// What it can be at most.
    pub upper: u64,
}

/// A summary of the most frequent items of a stream of (key, weight).
#[derive(Clone, Debug)]
pub struct FrequentItems {
    table: Table,
    /// No item outside the table counts more than this.
    bound: u64,
    limits: Limits,
}

/// What becomes of entries whose upper bound is that of the largest one that has to go.
#[derive(Clone, Copy)]
enum Ties {
    /// All go: whoever makes room for a flood of rare items does not want to do so again soon.
    Drop,
    /// The earliest stay as far as there is room: a list of rare items is better than none.
    Fill,
}

impl FrequentItems {
    /// An empty summary. Allocates nothing before the first item.
    pub fn new(limits: Limits) -> Self {
        let limits = Limits { entries: limits.entries.min(table::ENTRIES_MAX), ..limits };
        Self { table: Table::default(), bound: 0, limits }
    }

    /// Counts `weight` more of `key`.
    #[inline]
    pub fn add(&mut self, key: Key<'_>, weight: u64) {
        self.count(key, weight, None);
    }

    /// Prefetches the memory where a key will be counted.
    #[inline]
    pub fn prefetch(&self, key: Key<'_>) {
        self.table.prefetch(key.hash);
    }

    /// Counts one more of `key`, and sets a mark on it; false if it had none.
    #[inline]
    pub fn add_and_mark(&mut self, key: Key<'_>, mark: Mark) -> bool {
        self.count(key, 1, Some(mark))
    }

    #[inline]
    fn count(&mut self, key: Key<'_>, weight: u64, mark: Option<Mark>) -> bool {
        self.table.add(key.hash, weight, mark).unwrap_or_else(|| {
            self.take_in(key, weight, self.bound, mark);
            false
        })
    }

    /// No item that is not listed counts more than this.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Number of items held.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing was counted, or nothing kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All items held, in the order in which they came.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.table.items()
    }

    /// The `count` most frequent items by estimate, ties in the order of their names as `present` spells them.
    pub fn top(&self, count: usize, present: impl Fn(Key<'_>) -> String) -> Vec<(String, Item<'_>)> {
        let mut estimates: Vec<u64> = self.items().map(|item| item.lower).collect();
        if count == 0 || estimates.is_empty() {
            return Vec::new();
        }
        let last = count.min(estimates.len()) - 1;
        let (_, &mut least, _) = estimates.select_nth_unstable_by(last, |a, b| b.cmp(a));
        // Thousands may tie for the last places: only those whose names come first are kept.
        let order = |a: &(String, Item<'_>), b: &(String, Item<'_>)| {
            b.1.lower.cmp(&a.1.lower).then_with(|| a.0.cmp(&b.0))
        };
        let mut top: Vec<(String, Item<'_>)> = Vec::with_capacity(count + 1);
        for item in self.items().filter(|item| item.lower >= least) {
            let named = (present(item.key), item);
            let place = top.partition_point(|listed| order(listed, &named).is_lt());
            if place < count {
                top.insert(place, named);
                top.truncate(count);
            }
        }
        top
    }

    /// Adds what `other` counted. Bounds add up.
    pub fn merge(&mut self, other: &Self) {
        self.merge_items(other.bound, other.items());
    }

    /// Adds what another summary counted: its items, and the bound for all that is not among them.
    pub fn merge_items<'a>(&mut self, bound: u64, items: impl Iterator<Item = Item<'a>>) {
        let mut items = items.peekable();
        if items.peek().is_none() && bound == 0 {
            return;
        }
        let bound_before = self.bound;
        // Whoever the other does not list may still have had up to its bound there ...
        self.table.add_error_to_all(bound);
        let merged_bound = bound_before.saturating_add(bound);
        self.bound = merged_bound;
        for item in items {
            let error = item.upper - item.lower;
            // ... and for whoever it lists, that is replaced by what it knows.
            if !self.table.merge_entry(item.key.hash, item.lower, error, bound) {
                // Had it been dropped just now to make room, it would have counted up to today's bound.
                let unlisted = if self.bound == merged_bound { bound_before } else { self.bound };
                self.take_in(item.key, item.lower, unlisted.saturating_add(error), None);
            }
        }
    }

    /// So much was not counted, of whatever items.
    pub fn add_error(&mut self, weight: u64) {
        self.merge_items(weight, std::iter::empty());
    }

    /// Keeps the most frequent items only, within `limits` from now on, and gives back the memory.
    pub fn shrink(&mut self, limits: Limits) {
        self.limits = limits;
        while self.table.len() > limits.entries || self.table.key_bytes() > limits.key_bytes {
            let keep = if self.table.len() > limits.entries { limits.entries } else { self.table.len() / 2 };
            self.keep_largest(keep, Ties::Fill);
        }
        self.table.shrink_to_fit();
    }

    #[cold]
    fn take_in(&mut self, key: Key<'_>, weight: u64, error: u64, mark: Option<Mark>) {
        if self.table.len() >= self.limits.entries
            || self.table.key_bytes() + key.bytes.len() > self.limits.key_bytes
        {
            self.keep_largest(self.table.len() / 2, Ties::Drop);
        }
        self.table.insert(key, weight, error, mark);
    }

    /// Drops every entry whose upper bound is below that of the largest one that has to go, and of those that have the
    /// same what `ties` says, so that at most `keep` stay; that upper bound then holds for all that is not in the table.
    fn keep_largest(&mut self, keep: usize, ties: Ties) {
        let mut uppers: Vec<u64> = self.items().map(|item| item.upper).collect();
        if keep >= uppers.len() {
            return;
        }
        let (_, &mut threshold, _) = uppers.select_nth_unstable_by(keep, |a, b| b.cmp(a));
        let larger = uppers.iter().filter(|upper| **upper > threshold).count();
        let mut room = match ties {
            Ties::Drop => 0,
            Ties::Fill => keep - larger,
        };
        self.table.retain(|upper| {
            let kept = upper > threshold || upper == threshold && room > 0;
            room -= usize::from(kept && upper == threshold);
            kept
        });
        self.bound = self.bound.max(threshold);
    }
}
