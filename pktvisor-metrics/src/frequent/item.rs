//! Items, their keys and bounds, and how many of them a table keeps.

use pktvisor_memory::keyed_hash;

/// The maximum size of a [`FrequentItems`](super::FrequentItems).
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
    /// A live table of addresses with seven lists: off by at most about an 8,192th. Twice the entries
    /// would not fit into the cache of a processor.
    pub const PARTIES: Self = Self { entries: 1 << 14, key_bytes: 1 << 18 };
    /// A closed period that may still be merged into a window.
    pub const CLOSED: Self = Self { entries: 1 << 13, key_bytes: 1 << 18 };
    /// A focus: a part of the traffic, perhaps one of several.
    pub const FOCUS: Self = Self { entries: 1 << 11, key_bytes: 1 << 16 };
    /// A live list of items of which few are frequent: off by at most about a 4,096th.
    pub const SMALL: Self = Self { entries: 1 << 13, key_bytes: 1 << 18 };
    /// A closed period that is kept for the record.
    pub const ARCHIVED: Self = Self { entries: 64, key_bytes: 1 << 14 };

    /// The same for a list of rare events, of which a period kept for the record needs fewer.
    pub(crate) fn of_rare(self) -> Self {
        if self == Self::ARCHIVED { Self { entries: 32, key_bytes: 1 << 13 } } else { self }
    }
}

/// The key of an item: bytes, and a tag that separates items with the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Distinguishes kinds of items in one list.
    pub tag: u8,
    /// At most 65,535 bytes count; the rest of longer keys is ignored.
    pub bytes: &'a [u8],
    /// The hash of tag and bytes.
    pub(super) hash: u64,
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

/// One item with its counts in all lists that share a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct ItemRow<'a, const W: usize> {
    pub(super) key: Key<'a>,
    /// The lower bounds.
    pub(super) counts: [u64; W],
    /// How much may have been missed.
    pub(super) errors: [u64; W],
}

impl<'a, const W: usize> ItemRow<'a, W> {
    pub(super) fn item(&self, list: usize) -> Item<'a> {
        let lower = self.counts[list];
        Item { key: self.key, lower, upper: lower.saturating_add(self.errors[list]) }
    }
}
