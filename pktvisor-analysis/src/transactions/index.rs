//! The index from the hash of an exchange to its entries.
//!
//! Open addressing with linear probing, at most half full. A place holds a hash and the number of
//! its entry, so a search reads one cache line, seldom the next one, and no entry with another
//! hash. The index grows with the number of entries, so that the index of few entries stays in the
//! cache. Hashes are keyed at random, so only one flow and id with many different questions makes a
//! search long; the owner of the entries limits their number.

use pktvisor_memory::huge_pages::Array;
use pktvisor_memory::prefetch::prefetch;

/// No entry.
const NONE: u32 = u32::MAX;

/// Places at the start, a power of two.
const PLACES_MIN: usize = 2048;

/// The hash and number of an entry, or nothing.
#[derive(Clone, Copy, Debug)]
struct IndexPlace {
    hash: u32,
    slot: u32,
}

const EMPTY: IndexPlace = IndexPlace { hash: 0, slot: NONE };

/// The index.
#[derive(Debug)]
pub(super) struct Index {
    /// The length is a power of two.
    places: Array<IndexPlace>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { places: Array::new(EMPTY, PLACES_MIN), len: 0 }
    }
}

impl Index {
    /// The entries with this hash.
    #[inline]
    pub(super) fn find(&self, hash: u32) -> impl Iterator<Item = u32> {
        let mut at = self.home(hash);
        std::iter::from_fn(move || {
            while let Some(place) = self.places.get(at)
                && place.slot != NONE
            {
                at = self.behind(at);
                if place.hash == hash {
                    return Some(place.slot);
                }
            }
            None
        })
    }

    /// Prefetches the memory where the search for entries with this hash begins.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        prefetch(&self.places, self.home(hash));
    }

    /// Adds an entry.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32, slot: u32) {
        if (self.len + 1) * 2 > self.places.len() {
            self.grow();
        }
        self.place(IndexPlace { hash, slot });
        self.len += 1;
    }

    /// Removes an entry, if it is there.
    pub(super) fn remove(&mut self, hash: u32, slot: u32) {
        let mut hole = self.home(hash);
        loop {
            match self.places[hole].slot {
                NONE => return,
                found if found == slot => break,
                _ => hole = self.behind(hole),
            }
        }
        // An entry behind the hole moves into it, unless the hole is before its home (Knuth, The
        // Art of Computer Programming, section 6.4, algorithm R).
        let mut at = hole;
        loop {
            at = self.behind(at);
            let place = self.places[at];
            if place.slot == NONE {
                break;
            }
            if self.distance(self.home(place.hash), at) >= self.distance(hole, at) {
                self.places[hole] = place;
                hole = at;
            }
        }
        self.places[hole] = EMPTY;
        self.len -= 1;
    }

    #[inline]
    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    #[inline]
    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }

    /// The distance forward from one place to another.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.places.len() - 1)
    }

    /// Fills the first empty place. There is always one.
    #[inline]
    fn place(&mut self, place: IndexPlace) {
        let mut at = self.home(place.hash);
        while self.places[at].slot != NONE {
            at = self.behind(at);
        }
        self.places[at] = place;
    }

    /// Doubles the number of places.
    #[cold]
    fn grow(&mut self) {
        let len = self.places.len() * 2;
        let old = std::mem::replace(&mut self.places, Array::new(EMPTY, len));
        for &place in old.iter() {
            if place.slot != NONE {
                self.place(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_are_found_by_hash_until_they_are_removed() {
        let mut index = Index::default();
        // Each hash twice, in an index that grows.
        for slot in 0..10_000 {
            index.insert(slot / 2 * 3, slot);
        }
        for hash in 0..5_000 {
            let mut found: Vec<u32> = index.find(hash * 3).collect();
            found.sort_unstable();
            assert_eq!(found, [hash * 2, hash * 2 + 1]);
        }
        for slot in (0..10_000).step_by(2) {
            index.remove(slot / 2 * 3, slot);
            index.remove(slot / 2 * 3, slot);
        }
        assert_eq!(index.len, 5_000);
        for hash in 0..5_000 {
            assert_eq!(index.find(hash * 3).collect::<Vec<_>>(), [hash * 2 + 1]);
        }
    }

    proptest! {
        /// Hashes crowd around the end and the beginning of the index, where places wrap around.
        #[test]
        fn whatever_is_added_and_removed_the_index_is_a_set_of_pairs(
            changes in prop::collection::vec((any::<bool>(), 0u32..40, 0u32..4), 0..400)
        ) {
            let mut index = Index::default();
            let mut model = BTreeSet::new();
            for (is_added, place, slot) in changes {
                let hash = place.wrapping_sub(20);
                let slot = place * 4 + slot;
                if !is_added {
                    index.remove(hash, slot);
                    model.remove(&(hash, slot));
                } else if model.insert((hash, slot)) {
                    index.insert(hash, slot);
                }
            }
            prop_assert_eq!(index.len, model.len());
            for hash in (0u32..40).map(|place| place.wrapping_sub(20)) {
                let found: BTreeSet<_> = index.find(hash).map(|slot| (hash, slot)).collect();
                let expected: BTreeSet<_> = model.iter().copied().filter(|pair| pair.0 == hash).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
