//! Entries in one array, and lists of them in order of time.
//!
//! Every entry is on one list; entries that are not in use are on a list of free ones. What lists and expiry need stands
//! apart from the entries, in 24 bytes each: an entry that expires, or is taken out of the middle of a list, is not read.

use pktvisor_memory::huge_pages;
use pktvisor_memory::prefetch::prefetch;

use super::Entry;

/// No entry.
const NONE: u32 = u32::MAX;

/// A list of entries: its oldest and its newest one.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NONE, tail: NONE }
    }
}

impl List {
    /// The oldest entry.
    #[inline]
    pub(super) fn head(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }
}

/// An entry's place in its list, and what must be known to drop it.
#[derive(Clone, Copy, Debug)]
struct Links {
    previous: u32,
    next: u32,
    opened_ns: u64,
    hash: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    links: Vec<Links>,
    /// The first free entry; each knows the next.
    free: u32,
    len: usize,
}

impl Entries {
    /// Room for this many entries, of which only what is used takes memory.
    pub(super) fn with_room(entries: usize) -> Self {
        Self {
            entries: huge_pages::vec_with_room(entries),
            links: huge_pages::vec_with_room(entries),
            free: NONE,
            len: 0,
        }
    }

    /// Number of entries in use.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> &Entry {
        &self.entries[slot as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Entry {
        &mut self.entries[slot as usize]
    }

    /// Prefetches an entry.
    #[inline]
    pub(super) fn prefetch(&self, slot: u32) {
        prefetch(&self.entries, slot as usize);
        prefetch(&self.links, slot as usize);
    }

    /// When an entry was opened.
    #[inline]
    pub(super) fn opened_ns(&self, slot: u32) -> u64 {
        self.links[slot as usize].opened_ns
    }

    /// The hash that an entry is found by.
    #[inline]
    pub(super) fn hash(&self, slot: u32) -> u32 {
        self.links[slot as usize].hash
    }

    /// Keeps an entry, on no list as yet. The caller bounds their number.
    #[inline]
    pub(super) fn insert(&mut self, entry: Entry, hash: u32, opened_ns: u64) -> u32 {
        let links = Links { previous: NONE, next: NONE, opened_ns, hash };
        self.len += 1;
        if self.free == NONE {
            let slot = self.entries.len() as u32;
            self.entries.push(entry);
            self.links.push(links);
            return slot;
        }
        let slot = self.free;
        self.free = self.links[slot as usize].next;
        self.entries[slot as usize] = entry;
        self.links[slot as usize] = links;
        slot
    }

    /// Gives back an entry that is on no list.
    #[inline]
    pub(super) fn free(&mut self, slot: u32) {
        self.links[slot as usize].next = self.free;
        self.free = slot;
        self.len -= 1;
    }

    /// Makes an entry the newest of a list.
    #[inline]
    pub(super) fn link(&mut self, list: &mut List, slot: u32) {
        let links = &mut self.links[slot as usize];
        links.previous = list.tail;
        links.next = NONE;
        match list.tail {
            NONE => list.head = slot,
            tail => self.links[tail as usize].next = slot,
        }
        list.tail = slot;
    }

    /// Takes an entry off the list it is on; returns the one behind it.
    #[inline]
    pub(super) fn unlink(&mut self, list: &mut List, slot: u32) -> Option<u32> {
        let Links { previous, next, .. } = self.links[slot as usize];
        match previous {
            NONE => list.head = next,
            previous => self.links[previous as usize].next = next,
        }
        match next {
            NONE => list.tail = previous,
            next => self.links[next as usize].previous = previous,
        }
        (next != NONE).then(|| {
            // Whoever empties a list comes to the one behind that.
            prefetch(&self.links, self.links[next as usize].next as usize);
            next
        })
    }
}
