//! The hash table below [`FrequentItems`](super::FrequentItems): entries in order of arrival, their keys in one
//! arena, and an open-addressing index of (fingerprint, position), so that a probe touches an entry only when its
//! hash agrees.

use super::{Item, Key};

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
    fingerprint: u32,
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

    /// Adds to the entry of `key`, or returns false where there is none.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, key: Key<'_>, weight: u64) -> bool {
        let Some(position) = self.find(hash, key) else { return false };
        let entry = &mut self.entries[position];
        entry.count = entry.count.saturating_add(weight);
        true
    }

    /// Adds count and error to the entry of `key`, whose error had `already` been added; false where there is none.
    pub(super) fn merge_entry(
        &mut self,
        hash: u64,
        key: Key<'_>,
        count: u64,
        error: u64,
        already: u64,
    ) -> bool {
        let Some(position) = self.find(hash, key) else { return false };
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
            fingerprint: fingerprint(hash),
            key_offset: self.keys.len() as u32,
            key_len: bytes.len() as u16,
            tag: key.tag,
        };
        self.keys.extend_from_slice(bytes);
        self.entries.push(entry);
        self.link(entry.fingerprint, self.entries.len() - 1);
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
    fn find(&self, hash: u64, key: Key<'_>) -> Option<usize> {
        let wanted = fingerprint(hash);
        let mask = self.index.len().checked_sub(1)?;
        let mut slot = wanted as usize & mask;
        loop {
            let link = self.index[slot];
            if link == 0 {
                return None;
            }
            if (link >> 32) as u32 == wanted {
                let position = (link as u32 - 1) as usize;
                let entry = &self.entries[position];
                if entry.tag == key.tag && self.key_of(entry) == clipped(key) {
                    return Some(position);
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn link(&mut self, fingerprint: u32, position: usize) {
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
            self.link(self.entries[position].fingerprint, position);
        }
    }
}
