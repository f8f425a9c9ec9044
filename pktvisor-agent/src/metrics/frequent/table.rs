//! The hash table below [`FrequentItems`](super::FrequentItems): entries in order of arrival, their keys in one
//! arena, and an open-addressing index of (upper half of the hash, position), so that a probe touches an entry only when
//! half of its hash agrees.
//!
//! Two keys whose 64-bit hashes agree are taken for one. The hash is seeded at random, so nobody can make that happen,
//! and by chance it would take some ten million runs of ten million packets each to see it once; it saves a visit to the
//! arena for every packet.

use super::{Item, Key};
use crate::prefetch::prefetch;

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// Fingerprint in the upper half, position + 1 in the lower; 0 is empty. A power of two long, at most half full.
    index: Vec<u64>,
    entries: Vec<Entry>,
    keys: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    count: u64,
    /// How much may have gone uncounted.
    error: u64,
    hash: u64,
    key_offset: u32,
    key_len: u16,
    tag: u8,
}

impl Entry {
    fn upper(&self) -> u64 {
        self.count.saturating_add(self.error)
    }
}

const SMALLEST_INDEX: usize = 16;

fn fingerprint(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn clipped<'a>(key: Key<'a>) -> &'a [u8] {
    &key.bytes[..key.bytes.len().min(usize::from(u16::MAX))]
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    /// Adds to the entry with this hash, or returns false where there is none.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, weight: u64) -> bool {
        let Some(position) = self.find(hash) else { return false };
        let entry = &mut self.entries[position];
        entry.count = entry.count.saturating_add(weight);
        true
    }

    /// Adds count and error to the entry with this hash, whose error had `already` been added; false where there is
    /// none.
    pub(super) fn merge_entry(&mut self, hash: u64, count: u64, error: u64, already: u64) -> bool {
        let Some(position) = self.find(hash) else { return false };
        let entry = &mut self.entries[position];
        entry.count = entry.count.saturating_add(count);
        entry.error = entry.error.saturating_sub(already).saturating_add(error);
        true
    }

    pub(super) fn add_error_to_all(&mut self, error: u64) {
        for entry in &mut self.entries {
            entry.error = entry.error.saturating_add(error);
        }
    }

    /// Takes in a key that is not in the table.
    pub(super) fn insert(&mut self, hash: u64, key: Key<'_>, count: u64, error: u64) {
        if (self.entries.len() + 1) * 2 > self.index.len() {
            self.rebuild_index((self.index.len() * 2).max(SMALLEST_INDEX));
        }
        let bytes = clipped(key);
        let entry = Entry {
            count,
            error,
            hash,
            key_offset: self.keys.len() as u32,
            key_len: bytes.len() as u16,
            tag: key.tag,
        };
        self.keys.extend_from_slice(bytes);
        self.entries.push(entry);
        self.link(hash, self.entries.len() - 1);
    }

    /// Keeps the entries whose upper bound passes `keep`, in their order.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        let keys = &mut self.keys;
        let mut end = 0;
        self.entries.retain_mut(|entry| {
            if !keep(entry.upper()) {
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
        self.rebuild_index(self.index.len());
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
        self.keys.shrink_to_fit();
        let slots = match self.entries.len() {
            0 => 0,
            entries => (entries * 2).next_power_of_two().max(SMALLEST_INDEX),
        };
        self.rebuild_index(slots);
        self.index.shrink_to_fit();
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.entries.iter().map(|entry| Item {
            key: Key { tag: entry.tag, bytes: self.key_of(entry) },
            lower: entry.count,
            upper: entry.upper(),
        })
    }

    fn key_of(&self, entry: &Entry) -> &[u8] {
        let start = entry.key_offset as usize;
        &self.keys[start..start + usize::from(entry.key_len)]
    }

    #[inline]
    fn find(&self, hash: u64) -> Option<usize> {
        let position = self.candidate(hash)?;
        if self.entries[position].hash == hash { Some(position) } else { self.find_behind(hash) }
    }

    /// The first entry whose hash may be this one, without a look at it.
    #[inline]
    pub(super) fn candidate(&self, hash: u64) -> Option<usize> {
        let wanted = fingerprint(hash);
        let mask = self.index.len().checked_sub(1)?;
        let mut slot = wanted as usize & mask;
        loop {
            let link = self.index[slot];
            if link == 0 {
                return None;
            }
            if (link >> 32) as u32 == wanted {
                return Some((link as u32 - 1) as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The search goes on where the first candidate was another one: once in four thousand million.
    #[cold]
    fn find_behind(&self, hash: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.hash == hash)
    }

    /// Asks for the memory where the search for `hash` begins.
    #[inline]
    pub(super) fn prefetch_index(&self, hash: u64) {
        prefetch(&self.index, fingerprint(hash) as usize & self.index.len().wrapping_sub(1));
    }

    /// Asks for the memory of the entry that is probably the one.
    #[inline]
    pub(super) fn prefetch_entry(&self, hash: u64) {
        if let Some(position) = self.candidate(hash) {
            prefetch(&self.entries, position);
        }
    }

    fn link(&mut self, hash: u64, position: usize) {
        let fingerprint = fingerprint(hash);
        let mask = self.index.len() - 1;
        let mut slot = fingerprint as usize & mask;
        while self.index[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.index[slot] = u64::from(fingerprint) << 32 | (position as u64 + 1);
    }

    fn rebuild_index(&mut self, slots: usize) {
        self.index.clear();
        self.index.resize(slots, 0);
        for position in 0..self.entries.len() {
            self.link(self.entries[position].hash, position);
        }
    }
}
