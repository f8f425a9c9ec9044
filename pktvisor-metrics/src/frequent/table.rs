//! The hash table of [`Frequent`](super::Frequent): entries in order of arrival, their keys in one
//! arena, and an open-addressing index that holds each item's counts beside its hash. Counting a
//! listed item touches one cache line; the entry is read only when lists are made.
//!
//! Two keys whose hashes agree in 62 of 64 bits count as one key. The hash is keyed at random, so
//! nobody can construct such keys; by chance it happens once in some million runs of ten million
//! packets each. This saves a visit to the arena for every packet.

use pktvisor_memory::huge_pages;
use pktvisor_memory::prefetch::prefetch;

use super::{Key, Mark, Row};

/// The maximum number of entries of a table.
pub(super) const ENTRIES_MAX: usize = POSITION as usize - 1;

#[derive(Clone, Debug)]
pub(super) struct ItemTable<const W: usize> {
    /// The length is a power of two, or 0. At most half of the slots are used.
    slots: huge_pages::Array<CountSlot<W>>,
    entries: Vec<ItemEntry<W>>,
    keys: Vec<u8>,
}

/// The place of an entry in the index.
#[derive(Clone, Copy, Debug)]
struct CountSlot<const W: usize> {
    /// [`FINGERPRINT`] of the hash, [`MARKS`], and the entry's [`POSITION`] plus 1; 0 is empty.
    link: u64,
    counts: [u64; W],
}

const POSITION: u64 = 0xffff;
const MARKS: u64 = 0x3_0000;
const FINGERPRINT: u64 = !(MARKS | POSITION);

#[derive(Clone, Copy, Debug)]
struct ItemEntry<const W: usize> {
    /// Weights that may have been missed.
    errors: [u64; W],
    hash: u64,
    /// Its place in the index.
    slot: u32,
    key_offset: u32,
    key_len: u16,
    tag: u8,
}

const SMALLEST_INDEX: usize = 16;

fn clipped<'a>(key: Key<'a>) -> &'a [u8] {
    &key.bytes[..key.bytes.len().min(usize::from(u16::MAX))]
}

fn bit(mark: Mark) -> u64 {
    match mark {
        Mark::First => 0x1_0000,
        Mark::Second => 0x2_0000,
    }
}

impl<const W: usize> Default for ItemTable<W> {
    fn default() -> Self {
        Self { slots: huge_pages::Array::default(), entries: Vec::new(), keys: Vec::new() }
    }
}

impl<const W: usize> CountSlot<W> {
    const EMPTY: Self = Self { link: 0, counts: [0; W] };
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
    #[inline]
    pub(super) fn add(&mut self, hash: u64, weights: [u64; W], mark: Option<Mark>) -> Option<bool> {
        let place = self.find(hash)?;
        let slot = &mut self.slots[place];
        slot.counts = added(slot.counts, weights);
        let bit = mark.map_or(0, bit);
        let marked = slot.link & bit != 0;
        slot.link |= bit;
        Some(marked)
    }

    /// Adds a row to the entry with this hash, in place of the errors `already` added; false if
    /// there is no such entry.
    pub(super) fn merge_entry(&mut self, row: &Row<'_, W>, already: [u64; W]) -> bool {
        let Some(place) = self.find(row.key.hash) else { return false };
        let slot = &mut self.slots[place];
        slot.counts = added(slot.counts, row.counts);
        let entry = &mut self.entries[position(slot)];
        for (error, already) in entry.errors.iter_mut().zip(already) {
            *error = error.saturating_sub(already);
        }
        entry.errors = added(entry.errors, row.errors);
        true
    }

    pub(super) fn add_errors_to_all(&mut self, errors: [u64; W]) {
        for entry in &mut self.entries {
            entry.errors = added(entry.errors, errors);
        }
    }

    /// Inserts a key that is not in the table. The table must have fewer than [`ENTRIES_MAX`]
    /// entries.
    pub(super) fn insert(&mut self, row: Row<'_, W>, mark: Option<Mark>) {
        let Row { key, counts, errors } = row;
        debug_assert!(self.entries.len() < ENTRIES_MAX, "positions do not fit");
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.rebuild((self.slots.len() * 2).max(SMALLEST_INDEX));
        }
        let bytes = clipped(key);
        let link = (self.entries.len() as u64 + 1) | mark.map_or(0, bit);
        let slot = place(&mut self.slots, key.hash, CountSlot { link, counts });
        self.entries.push(ItemEntry {
            errors,
            hash: key.hash,
            slot,
            key_offset: self.keys.len() as u32,
            key_len: bytes.len() as u16,
            tag: key.tag,
        });
        self.keys.extend_from_slice(bytes);
    }

    /// Keeps the entries whose upper bounds pass `keep`, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut([u64; W]) -> bool) {
        let (keys, slots) = (&mut self.keys, &self.slots);
        let mut end = 0;
        self.entries.retain_mut(|entry| {
            if !keep(added(slots[entry.slot as usize].counts, entry.errors)) {
                return false;
            }
            // Keys lie in the order of their entries, so they can only move towards the front.
            let start = entry.key_offset as usize;
            keys.copy_within(start..start + usize::from(entry.key_len), end);
            entry.key_offset = end as u32;
            end += usize::from(entry.key_len);
            true
        });
        self.keys.truncate(end);
        self.rebuild(self.slots.len());
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
        self.keys.shrink_to_fit();
        self.rebuild(match self.entries.len() {
            0 => 0,
            entries => (entries * 2).next_power_of_two().max(SMALLEST_INDEX),
        });
    }

    /// All entries, in order of arrival.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_, W>> {
        self.entries.iter().map(|entry| Row {
            key: Key { tag: entry.tag, bytes: self.key_of(entry), hash: entry.hash },
            counts: self.slots[entry.slot as usize].counts,
            errors: entry.errors,
        })
    }

    fn key_of(&self, entry: &ItemEntry<W>) -> &[u8] {
        let start = entry.key_offset as usize;
        &self.keys[start..start + usize::from(entry.key_len)]
    }

    /// Prefetches the memory where the search for `hash` begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: u64) {
        prefetch(&self.slots, hash as usize & self.slots.len().wrapping_sub(1));
    }

    #[inline]
    fn find(&self, hash: u64) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        // There is always an empty slot, unless the index has no slots.
        while let Some(CountSlot { link, .. }) = self.slots.get(place) {
            if *link == 0 {
                return None;
            }
            if (link ^ hash) & FINGERPRINT == 0 {
                return Some(place);
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// Moves all entries to an index of `len` slots.
    #[cold]
    fn rebuild(&mut self, len: usize) {
        let old = std::mem::replace(&mut self.slots, huge_pages::Array::new(CountSlot::EMPTY, len));
        for (position, entry) in self.entries.iter_mut().enumerate() {
            let CountSlot { link, counts } = old[entry.slot as usize];
            let link = link & MARKS | (position as u64 + 1);
            entry.slot = place(&mut self.slots, entry.hash, CountSlot { link, counts });
        }
    }
}

/// The position of the entry in a slot that is not empty.
fn position<const W: usize>(slot: &CountSlot<W>) -> usize {
    (slot.link & POSITION) as usize - 1
}

/// Sums that stay at the largest number.
#[inline]
pub(super) fn added<const W: usize>(mut sums: [u64; W], weights: [u64; W]) -> [u64; W] {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum = sum.saturating_add(weight);
    }
    sums
}

/// Fills the first empty slot for `hash` and returns its place.
fn place<const W: usize>(slots: &mut [CountSlot<W>], hash: u64, slot: CountSlot<W>) -> u32 {
    let mask = slots.len() - 1;
    let mut place = hash as usize & mask;
    while slots[place].link != 0 {
        place = (place + 1) & mask;
    }
    slots[place] = CountSlot { link: hash & FINGERPRINT | slot.link, ..slot };
    place as u32
}
