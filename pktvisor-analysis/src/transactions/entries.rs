//! Entries in one array, and lists of them in order of time.
//!
//! Every entry is on one list; unused entries are on a list of free ones. The data for lists and
//! expiry is apart from the entries, 24 bytes for each, and so are the names, 96 bytes for each. So an entry is not read if it expires or is
//! removed from the middle of a list.

use pktvisor_memory::huge_pages;
use pktvisor_memory::prefetch::prefetch;

use crate::name::Name;
use crate::transactions::entry::Entry;

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

    /// The newest entry.
    #[inline]
    pub(super) fn tail(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }
}

/// An entry's place in its list, and the data needed to drop it.
#[derive(Clone, Copy, Debug)]
struct Links {
    previous: u32,
    next: u32,
    opened_ns: u64,
    hash: u32,
    /// Octets of the query.
    query_bytes: u32,
}

/// Octets of a name that are kept.
const NAME_KEPT_MAX: usize = 95;

/// The end of a query's name: the last labels in lower-cased wire form, the root label included.
#[derive(Clone, Copy, Debug)]
pub struct StoredName {
    octets: [u8; NAME_KEPT_MAX],
    /// The number of octets; 0 without a name. The highest bit is set if leading labels are
    /// missing.
    len: u8,
}

const IS_CUT: u8 = 0x80;

impl StoredName {
    const NONE: Self = Self { octets: [0; NAME_KEPT_MAX], len: 0 };

    #[inline]
    fn set(&mut self, name: Option<&Name>) {
        let Some(name) = name else {
            self.len = 0;
            return;
        };
        let wire = name.as_wire();
        if let Some(kept) = self.octets.get_mut(..wire.len()) {
            kept.copy_from_slice(wire);
            self.len = wire.len() as u8;
        } else {
            self.set_end(name);
        }
    }

    #[cold]
    fn set_end(&mut self, name: &Name) {
        let mut end = name.as_wire();
        for label in name.labels() {
            if end.len() <= NAME_KEPT_MAX {
                break;
            }
            end = end.get(label.len() + 1..).unwrap_or_default();
        }
        if let Some(kept) = self.octets.get_mut(..end.len()) {
            kept.copy_from_slice(end);
            self.len = end.len() as u8 | IS_CUT;
        }
    }

    /// Reads it into `name`, and returns whether leading labels are missing.
    pub fn read(&self, name: &mut Name) -> bool {
        // Written from a name, so it can be read.
        let _ = name.read(self.octets.get(..usize::from(self.len & !IS_CUT)).unwrap_or_default(), 0);
        self.len & IS_CUT != 0
    }
}

/// The entries and their lists.
#[derive(Debug)]
pub(super) struct Entries {
    entries: Vec<Entry>,
    links: Vec<Links>,
    /// The name of each entry. Slots are reused at once, so few of them are in use and in the
    /// cache if servers answer.
    names: Vec<StoredName>,
    /// The first free entry. Each free entry has the number of the next.
    free: u32,
    len: usize,
}

impl Entries {
    /// Reserves room for this number of entries. Only used entries take memory.
    pub(super) fn with_room(entries: usize) -> Self {
        Self {
            entries: huge_pages::vec_with_room(entries),
            links: huge_pages::vec_with_room(entries),
            names: huge_pages::vec_with_room(entries),
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

    /// The time at which an entry was opened.
    #[inline]
    pub(super) fn opened_ns(&self, slot: u32) -> u64 {
        self.links[slot as usize].opened_ns
    }

    /// The next newer entry of its list.
    pub(super) fn next(&self, slot: u32) -> Option<u32> {
        let next = self.links[slot as usize].next;
        (next != NONE).then_some(next)
    }

    /// The next older entry of its list.
    pub(super) fn previous(&self, slot: u32) -> Option<u32> {
        let previous = self.links[slot as usize].previous;
        (previous != NONE).then_some(previous)
    }

    /// The hash of an entry.
    #[inline]
    pub(super) fn hash(&self, slot: u32) -> u32 {
        self.links[slot as usize].hash
    }

    /// Stores an entry, on no list yet. The caller bounds the number of entries.
    #[inline]
    pub(super) fn insert(&mut self, entry: Entry, hash: u32, opened_ns: u64) -> u32 {
        let links = Links { previous: NONE, next: NONE, opened_ns, hash, query_bytes: 0 };
        self.len += 1;
        if self.free == NONE {
            let slot = self.entries.len() as u32;
            self.entries.push(entry);
            self.links.push(links);
            self.names.push(StoredName::NONE);
            return slot;
        }
        let slot = self.free;
        self.free = self.links[slot as usize].next;
        self.entries[slot as usize] = entry;
        self.links[slot as usize] = links;
        // Without its length the old name is none.
        self.names[slot as usize].len = 0;
        slot
    }

    /// Keeps the name and the size of a query.
    #[inline]
    pub(super) fn describe(&mut self, slot: u32, name: Option<&Name>, query_bytes: usize) {
        self.links[slot as usize].query_bytes = query_bytes as u32;
        self.names[slot as usize].set(name);
    }

    /// Octets of a query.
    #[inline]
    pub(super) fn query_bytes(&self, slot: u32) -> u32 {
        self.links[slot as usize].query_bytes
    }

    /// The name of a query, if it has one.
    pub(super) fn name(&self, slot: u32) -> Option<&StoredName> {
        self.names.get(slot as usize).filter(|name| name.len != 0)
    }

    /// Frees an entry that is on no list.
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

    /// Removes an entry from its list and returns the next one.
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
            // A caller that empties the list needs the entry behind the next one.
            prefetch(&self.links, self.links[next as usize].next as usize);
            next
        })
    }
}
