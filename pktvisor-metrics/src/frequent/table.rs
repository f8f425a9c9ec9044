//! The hash table of [`Frequent`](super::Frequent): entries in order of arrival, their keys in one
//! arena, and an open-addressing index that holds each item's counts beside its hash. Counting a
//! listed item touches one cache line; the entry is read only when lists are made.
//!
//! The counts in the index have 16 bits. When one would overflow, the counts of its item are added
//! to a row of wide counts. Errors are rows too, because all items that enter the table between two
//! clearings share theirs.
//!
//! Two keys whose hashes agree in 61 of 64 bits count as one key. The hash is keyed at random, so
//! nobody can construct such keys; by chance it happens once in some million runs of ten million
//! packets each. This saves a visit to the arena for every packet.

use pktvisor_memory::huge_pages;
use pktvisor_memory::prefetch::prefetch;

use super::index::{CountSlot, IS_WIDE, MARKS, POSITION, bit, find, place, position};
use super::item::{ItemRow, Key, Mark};
use super::rows::{RowNumber, Rows, added};

/// The maximum number of entries of a table.
pub(super) const ENTRIES_MAX: usize = POSITION as usize - 1;

#[derive(Clone, Debug)]
pub(super) struct ItemTable<const W: usize> {
    /// The length is a power of two, or 0. At most half of the slots are used.
    slots: huge_pages::Array<CountSlot<W>>,
    entries: Vec<ItemEntry>,
    keys: Vec<u8>,
    /// What has been moved out of the slots.
    wide: Rows<W>,
    /// Weights that may have been missed.
    errors: Rows<W>,
}

#[derive(Clone, Copy, Debug)]
struct ItemEntry {
    hash: u64,
    /// Its place in the index.
    slot: u32,
    wide: RowNumber,
    errors: RowNumber,
    key_offset: u32,
    key_len: u16,
    tag: u8,
}

const SMALLEST_INDEX: usize = 16;

fn clipped<'a>(key: Key<'a>) -> &'a [u8] {
    &key.bytes[..key.bytes.len().min(usize::from(u16::MAX))]
}

impl<const W: usize> Default for ItemTable<W> {
    fn default() -> Self {
        Self {
            slots: huge_pages::Array::default(),
            entries: Vec::new(),
            keys: Vec::new(),
            wide: Rows::default(),
            errors: Rows::default(),
        }
    }
}

impl<const W: usize> ItemTable<W> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    /// Adds to the entry with this hash, sets the mark, and returns whether it was set before;
    /// `None` if there is no such entry.
    ///
    /// Several lists of one message count here; without being told, the compiler calls it.
    #[inline(always)]
    pub(super) fn add(&mut self, hash: u64, weights: [u64; W], mark: Option<Mark>) -> Option<bool> {
        let place = find(&self.slots, hash)?;
        let slot = &mut self.slots[place];
        let bit = mark.map_or(0, bit);
        let marked = slot.link & bit != 0;
        slot.link |= bit;
        if !slot.add(weights) {
            self.widen(place, weights);
        }
        Some(marked)
    }

    /// Moves the counts of a slot, and more, to the wide row of its entry.
    #[cold]
    fn widen(&mut self, place: usize, weights: [u64; W]) {
        let slot = &mut self.slots[place];
        let counts = added(slot.counts.map(u64::from), weights);
        slot.counts = [0; W];
        slot.link |= IS_WIDE;
        let entry = &mut self.entries[position(slot)];
        match self.wide.get_mut(entry.wide) {
            Some(row) => *row = added(*row, counts),
            None => entry.wide = self.wide.push(counts),
        }
    }

    /// Adds a row to the entry with this hash, in place of the errors `already` added; false if
    /// there is no such entry.
    pub(super) fn merge_entry(&mut self, row: &ItemRow<'_, W>, already: [u64; W]) -> bool {
        let Some(place) = find(&self.slots, row.key.hash) else { return false };
        if !self.slots[place].add(row.counts) {
            self.widen(place, row.counts);
        }
        let position = position(&self.slots[place]);
        let mut errors = self.errors.get(self.entries[position].errors);
        for (error, already) in errors.iter_mut().zip(already) {
            *error = error.saturating_sub(already);
        }
        self.entries[position].errors = self.errors.shared(added(errors, row.errors));
        // Rows that no entry has any more.
        if self.errors.len() > 2 * self.entries.len() {
            self.compact_rows();
        }
        true
    }

    pub(super) fn add_errors_to_all(&mut self, errors: [u64; W]) {
        if errors == [0; W] {
            return;
        }
        for row in self.errors.iter_mut() {
            *row = added(*row, errors);
        }
        let first = self.errors.shared(errors);
        for entry in self.entries.iter_mut().filter(|entry| entry.errors == RowNumber::NONE) {
            entry.errors = first;
        }
    }

    /// Drops the rows that no entry has.
    fn compact_rows(&mut self) {
        let (wide, errors) = (std::mem::take(&mut self.wide), std::mem::take(&mut self.errors));
        for entry in &mut self.entries {
            if entry.wide != RowNumber::NONE {
                entry.wide = self.wide.push(wide.get(entry.wide));
            }
            entry.errors = self.errors.shared(errors.get(entry.errors));
        }
    }

    /// All counts of an entry.
    fn counts(&self, slot: &CountSlot<W>, entry: &ItemEntry) -> [u64; W] {
        let counts = slot.counts.map(u64::from);
        if slot.link & IS_WIDE == 0 { counts } else { added(self.wide.get(entry.wide), counts) }
    }

    /// The counts and errors of an entry.
    fn row(&self, slot: &CountSlot<W>, entry: &ItemEntry) -> ItemRow<'_, W> {
        let start = entry.key_offset as usize;
        let bytes = &self.keys[start..start + usize::from(entry.key_len)];
        ItemRow {
            key: Key { tag: entry.tag, bytes, hash: entry.hash },
            counts: self.counts(slot, entry),
            errors: self.errors.get(entry.errors),
        }
    }

    /// Counts and errors of the entry with this hash; `None` if there is no such entry.
    pub(super) fn get(&self, hash: u64) -> Option<([u64; W], [u64; W])> {
        let slot = &self.slots[find(&self.slots, hash)?];
        let entry = &self.entries[position(slot)];
        Some((self.counts(slot, entry), self.errors.get(entry.errors)))
    }

    /// Inserts a key that is not in the table. The table must have fewer than [`ENTRIES_MAX`]
    /// entries.
    pub(super) fn insert(&mut self, row: ItemRow<'_, W>, mark: Option<Mark>) {
        let ItemRow { key, counts, errors } = row;
        debug_assert!(self.entries.len() < ENTRIES_MAX, "positions do not fit");
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.rebuild((self.slots.len() * 2).max(SMALLEST_INDEX));
        }
        let bytes = clipped(key);
        let mut slot =
            CountSlot { link: (self.entries.len() as u64 + 1) | mark.map_or(0, bit), counts: [0; W] };
        let mut wide = RowNumber::NONE;
        if !slot.add(counts) {
            slot.link |= IS_WIDE;
            wide = self.wide.push(counts);
        }
        let slot = place(&mut self.slots, key.hash, slot);
        self.entries.push(ItemEntry {
            hash: key.hash,
            slot,
            wide,
            errors: self.errors.shared(errors),
            key_offset: self.keys.len() as u32,
            key_len: bytes.len() as u16,
            tag: key.tag,
        });
        self.keys.extend_from_slice(bytes);
    }

    /// Keeps the entries whose upper bounds pass `keep`, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut([u64; W]) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        let mut end = 0;
        entries.retain_mut(|entry| {
            let counts = self.counts(&self.slots[entry.slot as usize], entry);
            if !keep(added(counts, self.errors.get(entry.errors))) {
                return false;
            }
            // Keys lie in the order of their entries, so they can only move towards the front.
            let start = entry.key_offset as usize;
            self.keys.copy_within(start..start + usize::from(entry.key_len), end);
            entry.key_offset = end as u32;
            end += usize::from(entry.key_len);
            true
        });
        self.entries = entries;
        self.keys.truncate(end);
        self.compact_rows();
        self.rebuild(self.slots.len());
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
        self.keys.shrink_to_fit();
        self.compact_rows();
        self.wide.shrink_to_fit();
        self.errors.shrink_to_fit();
        self.rebuild(match self.entries.len() {
            0 => 0,
            entries => (entries * 2).next_power_of_two().max(SMALLEST_INDEX),
        });
    }

    /// All entries, in order of arrival.
    pub(super) fn rows(&self) -> impl Iterator<Item = ItemRow<'_, W>> {
        self.entries.iter().map(|entry| self.row(&self.slots[entry.slot as usize], entry))
    }

    /// Calls `each` with the counts of every entry, in no order.
    pub(super) fn for_each_counts(&self, mut each: impl FnMut([u64; W])) {
        for slot in self.slots.iter().filter(|slot| slot.link != 0) {
            each(self.counts_of(slot));
        }
    }

    /// The entries whose counts pass, in no order.
    pub(super) fn rows_that(
        &self,
        passes: impl Fn([u64; W]) -> bool,
    ) -> impl Iterator<Item = ItemRow<'_, W>> {
        let slots = self.slots.iter().filter(move |slot| slot.link != 0 && passes(self.counts_of(slot)));
        slots.map(|slot| self.row(slot, &self.entries[position(slot)]))
    }

    /// The counts of a slot that is not empty. Reads the entry only if it has a wide row.
    #[inline(always)]
    fn counts_of(&self, slot: &CountSlot<W>) -> [u64; W] {
        let counts = slot.counts.map(u64::from);
        if slot.link & IS_WIDE == 0 {
            return counts;
        }
        added(self.wide.get(self.entries[position(slot)].wide), counts)
    }

    /// Prefetches the memory where the search for `hash` begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(&self.slots, hash as usize & self.slots.len().wrapping_sub(1));
    }

    /// Moves all entries to an index of `len` slots, in the same memory if it has so many.
    #[cold]
    fn rebuild(&mut self, len: usize) {
        let old: Vec<CountSlot<W>> =
            self.entries.iter().map(|entry| self.slots[entry.slot as usize]).collect();
        if self.slots.len() == len {
            self.slots.fill(CountSlot::EMPTY);
        } else {
            self.slots = huge_pages::Array::default();
            self.slots = huge_pages::Array::new(CountSlot::EMPTY, len);
        }
        for (position, (entry, CountSlot { link, counts })) in self.entries.iter_mut().zip(old).enumerate() {
            let link = link & (IS_WIDE | MARKS) | (position as u64 + 1);
            entry.slot = place(&mut self.slots, entry.hash, CountSlot { link, counts });
        }
    }
}
