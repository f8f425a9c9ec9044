//! Additions that wait for their place in the table.

use super::Key;

/// How many wait at most: enough for their waits for memory to overlap, few enough to stay in the cache.
const PENDING_MAX: usize = 64;

/// Additions in the order in which they came, their keys copied one behind the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    adds: Vec<Waiting>,
    keys: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    hash: u64,
    weight: u64,
    key_end: u32,
    tag: u8,
}

/// One addition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Add<'a> {
    pub hash: u64,
    pub key: Key<'a>,
    pub weight: u64,
}

/// Whether another addition may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Left,
    Full,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.adds.is_empty()
    }

    #[inline]
    pub(super) fn push(&mut self, hash: u64, key: Key<'_>, weight: u64) -> Room {
        self.keys.extend_from_slice(key.bytes);
        self.adds.push(Waiting { hash, weight, key_end: self.keys.len() as u32, tag: key.tag });
        if self.adds.len() < PENDING_MAX { Room::Left } else { Room::Full }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Add<'_>> {
        let mut start = 0;
        self.adds.iter().map(move |waiting| {
            let end = waiting.key_end as usize;
            let bytes = &self.keys[start..end];
            start = end;
            Add { hash: waiting.hash, key: Key { tag: waiting.tag, bytes }, weight: waiting.weight }
        })
    }

    pub(super) fn clear(&mut self) {
        self.adds.clear();
        self.keys.clear();
    }
}
