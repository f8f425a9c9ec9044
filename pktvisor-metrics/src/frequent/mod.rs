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
//! Several lists of the same items can share a table ([`Frequent`] with a width above 1): an item
//! has a count and a bound for each list, in one cache line. The first list decides what is dropped
//! and has the guarantee above. The bounds of the others hold as well: they are the largest upper
//! bounds that were dropped.
//!
//! Which entries are kept depends on the stream alone, never on hash values, so the hash may be
//! seeded at random.

mod index;
mod item;
mod largest;
mod rows;
mod since;
mod table;
#[cfg(test)]
mod tests;
mod tops;

use item::ItemRow;
pub use item::{Item, Key, ListLimits, Mark};
use rows::added;
pub(crate) use since::BASELINE_ENTRIES;
use table::ItemTable;

/// A summary of the most frequent items of a stream of (key, weight), or of `W` streams with the
/// same keys.
#[derive(Clone, Debug)]
pub struct Frequent<const W: usize> {
    table: ItemTable<W>,
    /// No item outside the table has more occurrences than this.
    bounds: [u64; W],
    limits: ListLimits,
}

/// A summary of one stream.
pub type FrequentItems = Frequent<1>;

/// A shared table keeps at least this many entries for each list: more than a report shows.
const EACH_MIN: usize = 12;

/// The treatment of entries that tie with the largest dropped entry.
#[derive(Clone, Copy)]
enum Ties {
    /// Drops all of them, so that a flood of rare items does not soon fill the table again.
    Drop,
    /// Keeps the earliest ones while there is room: a list of rare items is better than none.
    Fill,
}

impl<const W: usize> Frequent<W> {
    /// An empty summary. Allocates nothing before the first item.
    pub fn new(limits: ListLimits) -> Self {
        let limits = ListLimits { entries: limits.entries.min(table::ENTRIES_MAX), ..limits };
        Self { table: ItemTable::default(), bounds: [0; W], limits }
    }

    /// Counts more of `key` in each list.
    #[inline]
    pub fn add_weights(&mut self, key: Key<'_>, weights: [u64; W]) {
        self.count(key, weights, None);
    }

    /// Counts more of `key` in each list, and sets a mark on it; false if it had none.
    #[inline]
    pub fn add_weights_and_mark(&mut self, key: Key<'_>, weights: [u64; W], mark: Mark) -> bool {
        self.count(key, weights, Some(mark))
    }

    /// Prefetches the memory where a key will be counted.
    #[inline]
    pub fn prefetch(&self, key: Key<'_>) {
        self.table.prefetch(key.hash);
    }

    #[inline(always)]
    fn count(&mut self, key: Key<'_>, weights: [u64; W], mark: Option<Mark>) -> bool {
        self.table.add(key.hash, weights, mark).unwrap_or_else(|| {
            self.take_in(key, weights, None, mark);
            false
        })
    }

    /// The bound of a list for items outside the table.
    pub fn bound_of(&self, list: usize) -> u64 {
        self.bounds[list]
    }

    /// Number of items in the table.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether the table has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items of one of the lists, in order of arrival. Those that other lists hold count 0.
    pub fn items_of(&self, list: usize) -> impl Iterator<Item = Item<'_>> {
        self.table.rows().map(move |row| row.item(list))
    }

    /// Adds the counts of `other`. Bounds add up.
    pub fn merge(&mut self, other: &Self) {
        self.merge_rows(other.bounds, other.table.rows());
    }

    fn merge_rows<'a>(&mut self, bounds: [u64; W], rows: impl Iterator<Item = ItemRow<'a, W>>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() && bounds == [0; W] {
            return;
        }
        let bounds_before = self.bounds;
        // An item that the other summary does not list may have up to its bound there ...
        self.table.add_errors_to_all(bounds);
        let merged_bounds = added(bounds_before, bounds);
        self.bounds = merged_bounds;
        for row in rows {
            // ... and for an item that it lists, its own error replaces the bound.
            if !self.table.merge_entry(&row, bounds) {
                // If the item was dropped just now to make room, it may have up to the current
                // bound here.
                let unlisted = if self.bounds == merged_bounds { bounds_before } else { self.bounds };
                self.take_in(row.key, row.counts, Some(added(unlisted, row.errors)), None);
            }
        }
    }

    /// Keeps only the most frequent items within `limits`, which hold from now on, and frees the
    /// memory of the others.
    pub fn shrink(&mut self, limits: ListLimits) {
        self.limits = limits;
        if W > 1 && self.table.len() > limits.entries {
            self.keep_largest_of_each(limits.entries);
        }
        let limits =
            ListLimits { entries: limits.entries.max(if W > 1 { W * EACH_MIN } else { 0 }), ..limits };
        while self.table.len() > limits.entries || self.table.key_bytes() > limits.key_bytes {
            let keep = if self.table.len() > limits.entries { limits.entries } else { self.table.len() / 2 };
            self.keep_largest(keep, Ties::Fill);
        }
        self.table.shrink_to_fit();
    }

    /// Keeps the largest entries of each list: in equal parts `keep` entries, or more if so few say
    /// nothing of a list. There is room for the largest of the first list where lists agree.
    fn keep_largest_of_each(&mut self, keep: usize) {
        let each = (keep / W).max(EACH_MIN);
        let rows: Vec<_> = self.table.rows().map(|row| (row.counts, added(row.counts, row.errors))).collect();
        let mut order: Vec<u32> = (0..rows.len() as u32).collect();
        let mut is_kept = vec![false; rows.len()];
        let mut kept = 0;
        // The first list comes last, because it takes all the room that the others leave.
        for list in (0..W).rev() {
            let room = if list == 0 { (each * W).max(keep).saturating_sub(kept) } else { each };
            order.sort_unstable_by_key(|row| (std::cmp::Reverse(rows[*row as usize].1[list]), *row));
            let listed = order.iter().map(|row| *row as usize).filter(|row| rows[*row].0[list] > 0);
            let mut taken = 0;
            for row in listed {
                let is_new = !std::mem::replace(&mut is_kept[row], true);
                kept += usize::from(is_new);
                taken += if list == 0 { usize::from(is_new) } else { 1 };
                if taken >= room {
                    break;
                }
            }
        }
        let mut is_kept = is_kept.into_iter();
        self.retain(|_| is_kept.next() == Some(true));
    }

    /// Keeps the entries whose upper bounds pass `keep`, in the order of arrival, and raises the
    /// bounds to those of the others.
    fn retain(&mut self, mut keep: impl FnMut([u64; W]) -> bool) {
        let bounds = &mut self.bounds;
        self.table.retain(|uppers| {
            let is_kept = keep(uppers);
            if !is_kept {
                for (bound, upper) in bounds.iter_mut().zip(uppers) {
                    *bound = upper.max(*bound);
                }
            }
            is_kept
        });
    }

    /// Inserts a key. Without `errors` it may have been missed up to the bounds at that time.
    #[cold]
    fn take_in(&mut self, key: Key<'_>, counts: [u64; W], errors: Option<[u64; W]>, mark: Option<Mark>) {
        let errors = errors.unwrap_or(self.bounds);
        if self.table.len() >= self.limits.entries
            || self.table.key_bytes() + key.bytes.len() > self.limits.key_bytes
        {
            self.keep_largest(self.table.len() / 2, Ties::Drop);
        }
        self.table.insert(ItemRow { key, counts, errors }, mark);
    }

    /// Drops the entries with the lowest upper bounds in the first list, so that at most `keep`
    /// stay; `ties` decides about those that tie with the largest dropped one. The upper bounds of
    /// the dropped entries then hold for all items outside the table.
    fn keep_largest(&mut self, keep: usize, ties: Ties) {
        let mut uppers: Vec<u64> = self.items_of(0).map(|item| item.upper).collect();
        if keep >= uppers.len() {
            return;
        }
        let (_, &mut threshold, _) = uppers.select_nth_unstable_by(keep, |a, b| b.cmp(a));
        let larger = uppers.iter().filter(|upper| **upper > threshold).count();
        let mut room = match ties {
            Ties::Drop => 0,
            Ties::Fill => keep - larger,
        };
        self.retain(|uppers| {
            let kept = uppers[0] > threshold || uppers[0] == threshold && room > 0;
            room -= usize::from(kept && uppers[0] == threshold);
            kept
        });
    }
}

/// One list.
impl FrequentItems {
    /// Counts `weight` more of `key`.
    ///
    /// The lists of rare outcomes come here from a dozen places. One copy of this code leaves more of
    /// the instruction cache to every message.
    #[inline(never)]
    pub fn add(&mut self, key: Key<'_>, weight: u64) {
        self.add_weights(key, [weight]);
    }

    /// Counts one more of `key`, and sets a mark on it; false if it had none.
    #[inline]
    pub fn add_and_mark(&mut self, key: Key<'_>, mark: Mark) -> bool {
        self.add_weights_and_mark(key, [1], mark)
    }

    /// The bound for items outside the table.
    pub fn bound(&self) -> u64 {
        self.bound_of(0)
    }

    /// All items of the table, in order of arrival.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.items_of(0)
    }

    /// The `count` most frequent items by estimate. Ties are in the order of the names that
    /// `present` returns.
    pub fn top(&self, count: usize, present: impl Fn(Key<'_>) -> String) -> Vec<(String, Item<'_>)> {
        self.top_of(0, count, present)
    }

    /// Adds the counts of another summary: its items, and the bound for all other items.
    pub fn merge_items<'a>(&mut self, bound: u64, items: impl Iterator<Item = Item<'a>>) {
        let row = |Item { key, lower, upper }| ItemRow { key, counts: [lower], errors: [upper - lower] };
        self.merge_rows([bound], items.map(row));
    }

    /// Adds `weight` occurrences of unknown items: a bound for each item.
    pub fn add_error(&mut self, weight: u64) {
        self.merge_items(weight, std::iter::empty());
    }
}
