//! The hash table of [`FrequentItems`](super::FrequentItems): entries in order of arrival, their
//! keys in one arena, and an open-addressing index that holds each count beside its hash. Counting
//! a listed item touches one cache line; the entry is read only when lists are made.
//!
//! Two keys whose hashes agree in 62 of 64 bits count as one key. The hash is keyed at random, so
//! nobody can construct such keys; by chance it happens once in some million runs of ten million
//! packets each. This saves a visit to the arena for every packet.

use pktvisor_memory::huge_pages;
use pktvisor_memory::prefetch::prefetch;

use super::{Item, Key, Mark};

/// The maximum number of entries of a table.
pub(super) const ENTRIES_MAX: usize = POSITION as usize - 1;

#[derive(Clone, Debug, Default)]
pub(super) struct ItemTable {
    /// The length is a power of two, or 0. At most half of the slots are used.
    slots: huge_pages::Array<CountSlot>,
    entries: Vec<ItemEntry>,
    keys: Vec<u8>,
}

/// The place of an entry in the index.
#[derive(Clone, Copy, Debug, Default)]
struct CountSlot {
    /// [`FINGERPRINT`] of the hash, [`MARKS`], and the entry's [`POSITION`] plus 1; 0 is empty.
    link: u64,
    count: u64,
}

const POSITION: u64 = 0xffff;
const MARKS: u64 = 0x3_0000;
const FINGERPRINT: u64 = !(MARKS | POSITION);

#[derive(Clone, Copy, Debug)]
struct ItemEntry {
    /// Occurrences that may have been missed.
    error: u64,
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

impl ItemTable {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    /// Adds to the entry with this hash, sets the mark, and returns whether it was set before;
    /// `None` if there is no such entry.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, weight: u64, mark: Option<Mark>) -> Option<bool> {
        let place = self.find(hash)?;
        let slot = &mut self.slots[place];
        slot.count = slot.count.saturating_add(weight);
        let bit = mark.map_or(0, bit);
        let marked = slot.link & bit != 0;
        slot.link |= bit;
        Some(marked)
    }

    /// Adds count and error to the entry with this hash, in place of the error `already` added;
    /// false if there is no such entry.
    pub(super) fn merge_entry(&mut self, hash: u64, count: u64, error: u64, already: u64) -> bool {
        let Some(place) = self.find(hash) else { return false };
        let slot = &mut self.slots[place];
        slot.count = slot.count.saturating_add(count);
        let entry = &mut self.entries[position(*slot)];
        entry.error = entry.error.saturating_sub(already).saturating_add(error);
        true
    }

    pub(super) fn add_error_to_all(&mut self, error: u64) {
        for entry in &mut self.entries {
            entry.error = entry.error.saturating_add(error);
        }
    }

    /// Count and error of the entry with this hash; `None` if there is no such entry.
    pub(super) fn get(&self, hash: u64) -> Option<(u64, u64)> {
        let slot = self.slots[self.find(hash)?];
        Some((slot.count, self.entries[position(slot)].error))
    }

    /// Inserts a key that is not in the table. The table must have fewer than [`ENTRIES_MAX`]
    /// entries.
    pub(super) fn insert(&mut self, key: Key<'_>, count: u64, error: u64, mark: Option<Mark>) {
        debug_assert!(self.entries.len() < ENTRIES_MAX, "positions do not fit");
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.rebuild((self.slots.len() * 2).max(SMALLEST_INDEX));
        }
        let bytes = clipped(key);
        let link = (self.entries.len() as u64 + 1) | mark.map_or(0, bit);
        let slot = place(&mut self.slots, key.hash, CountSlot { link, count });
        self.entries.push(ItemEntry {
            error,
            hash: key.hash,
            slot,
            key_offset: self.keys.len() as u32,
            key_len: bytes.len() as u16,
            tag: key.tag,
        });
        self.keys.extend_from_slice(bytes);
    }

    /// Keeps the entries whose upper bound passes `keep`, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        let (keys, slots) = (&mut self.keys, &self.slots);
        let mut end = 0;
        self.entries.retain_mut(|entry| {
            if !keep(upper(slots, entry)) {
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
    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.entries.iter().map(|entry| Item {
            key: Key { tag: entry.tag, bytes: self.key_of(entry), hash: entry.hash },
            lower: self.slots[entry.slot as usize].count,
            upper: upper(&self.slots, entry),
        })
    }

    fn key_of(&self, entry: &ItemEntry) -> &[u8] {
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
        let old = std::mem::replace(&mut self.slots, huge_pages::Array::new(CountSlot::default(), len));
        for (position, entry) in self.entries.iter_mut().enumerate() {
            let CountSlot { link, count } = old[entry.slot as usize];
            let link = link & MARKS | (position as u64 + 1);
            entry.slot = place(&mut self.slots, entry.hash, CountSlot { link, count });
        }
    }
}

/// The position of the entry in a slot that is not empty.
fn position(slot: CountSlot) -> usize {
    (slot.link & POSITION) as usize - 1
}

fn upper(slots: &[CountSlot], entry: &ItemEntry) -> u64 {
    slots[entry.slot as usize].count.saturating_add(entry.error)
}

/// Fills the first empty slot for `hash` and returns its place.
fn place(slots: &mut [CountSlot], hash: u64, slot: CountSlot) -> u32 {
    let mask = slots.len() - 1;
    let mut place = hash as usize & mask;
    while slots[place].link != 0 {
        place = (place + 1) & mask;
    }
    slots[place] = CountSlot { link: hash & FINGERPRINT | slot.link, ..slot };
    place as u32
}
