//! Frequent items in bounded memory, with a bound for every count.
//!
//! This is the counter-based summary of Misra and Gries (1982) in the form of Manku and Motwani's
//! Lossy Counting (VLDB 2002). An entry counts exactly from the moment it enters the table, and
//! remembers how many occurrences may have been missed before. If the table is full, all entries
//! with an upper bound at or below the median are dropped, and the median becomes the bound for all
//! items outside the table.
//!
//! The guarantees are those of the frequent-items sketch of Apache DataSketches, which subtracts
//! the median instead of remembering it. Remembering it makes the lower bounds tighter. An item
//! that came early and stayed counts exactly, however many rare items flood the table.
//!
//! Which entries are kept depends on the stream alone, never on hash values, so the hash may be
//! seeded at random.

mod table;
#[cfg(test)]
mod tests;

use pktvisor_memory::keyed_hash;
use table::ItemTable;

/// The maximum size of a [`FrequentItems`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Number of entries.
    pub entries: usize,
    /// Bytes of all keys together.
    pub key_bytes: usize,
}

impl ListLimits {
    /// A live period: an estimate is off by at most about a 16,384th of the stream.
    pub const LIVE: Self = Self { entries: 1 << 15, key_bytes: 1 << 20 };
    /// A closed period that may still be merged into a window.
    pub const CLOSED: Self = Self { entries: 1 << 13, key_bytes: 1 << 18 };
    /// A closed period that is kept for the record.
    pub const ARCHIVED: Self = Self { entries: 64, key_bytes: 1 << 14 };
}

/// The key of an item: bytes, and a tag that separates items with the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Distinguishes kinds of items in one list.
    pub tag: u8,
    /// At most 65,535 bytes count; the rest of longer keys is ignored.
    pub bytes: &'a [u8],
    /// The hash of tag and bytes.
    hash: u64,
}

impl<'a> Key<'a> {
    /// The key of some bytes.
    #[inline]
    pub fn new(tag: u8, bytes: &'a [u8]) -> Self {
        Self { tag, bytes, hash: keyed_hash::of_bytes(bytes, tag) }
    }

    /// The hash of tag and bytes.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// The key of bytes with a known hash.
    #[inline]
    pub(crate) fn with_hash(tag: u8, bytes: &'a [u8], hash: u64) -> Self {
        debug_assert_eq!(hash, keyed_hash::of_bytes(bytes, tag));
        Self { tag, bytes, hash }
    }
}

/// A flag on a listed item, for work that its owner does once per item. It is lost when the item is
/// dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The first flag.
    First,
    /// The second flag.
    Second,
}

/// One item and the bounds of its true count: `lower <= true count <= upper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// The key.
    pub key: Key<'a>,
    /// Occurrences since the item last entered the table; the estimate.
    pub lower: u64,
    /// The upper bound.
    pub upper: u64,
}

/// A summary of the most frequent items of a stream of (key, weight).
#[derive(Clone, Debug)]
pub struct FrequentItems {
    table: ItemTable,
    /// No item outside the table has more occurrences than this.
    bound: u64,
    limits: ListLimits,
}

/// The treatment of entries that tie with the largest dropped entry.
#[derive(Clone, Copy)]
enum Ties {
    /// Drops all of them, so that a flood of rare items does not soon fill the table again.
    Drop,
    /// Keeps the earliest ones while there is room: a list of rare items is better than none.
    Fill,
}

impl FrequentItems {
    /// An empty summary. Allocates nothing before the first item.
    pub fn new(limits: ListLimits) -> Self {
        let limits = ListLimits { entries: limits.entries.min(table::ENTRIES_MAX), ..limits };
        Self { table: ItemTable::default(), bound: 0, limits }
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

    /// The bound for items outside the table.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Number of items in the table.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the table has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All items of the table, in order of arrival.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.table.items()
    }

    /// The `count` most frequent items by estimate. Ties are in the order of the names that
    /// `present` returns.
    pub fn top(&self, count: usize, present: impl Fn(Key<'_>) -> String) -> Vec<(String, Item<'_>)> {
        let mut estimates: Vec<u64> = self.items().map(|item| item.lower).collect();
        if count == 0 || estimates.is_empty() {
            return Vec::new();
        }
        let last = count.min(estimates.len()) - 1;
        let (_, &mut least, _) = estimates.select_nth_unstable_by(last, |a, b| b.cmp(a));
        // Thousands may tie for the last places; only the first names are kept.
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

    /// Adds the counts of `other`. Bounds add up.
    pub fn merge(&mut self, other: &Self) {
        self.merge_items(other.bound, other.items());
    }

    /// Adds the counts of another summary: its items, and the bound for all other items.
    pub fn merge_items<'a>(&mut self, bound: u64, items: impl Iterator<Item = Item<'a>>) {
        let mut items = items.peekable();
        if items.peek().is_none() && bound == 0 {
            return;
        }
        let bound_before = self.bound;
        // An item that the other summary does not list may have up to its bound there ...
        self.table.add_error_to_all(bound);
        let merged_bound = bound_before.saturating_add(bound);
        self.bound = merged_bound;
        for item in items {
            let error = item.upper - item.lower;
            // ... and for an item that it lists, its own error replaces the bound.
            if !self.table.merge_entry(item.key.hash, item.lower, error, bound) {
                // If the item was dropped just now to make room, it may have up to the current
                // bound here.
                let unlisted = if self.bound == merged_bound { bound_before } else { self.bound };
                self.take_in(item.key, item.lower, unlisted.saturating_add(error), None);
            }
        }
    }

    /// Adds `weight` occurrences of unknown items: a bound for each item.
    pub fn add_error(&mut self, weight: u64) {
        self.merge_items(weight, std::iter::empty());
    }

    /// Keeps only the most frequent items within `limits`, which hold from now on, and frees the
    /// memory of the others.
    pub fn shrink(&mut self, limits: ListLimits) {
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

    /// Drops the entries with the lowest upper bounds, so that at most `keep` stay; `ties` decides
    /// about those that tie with the largest dropped one. Its upper bound then holds for all items
    /// outside the table.
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
