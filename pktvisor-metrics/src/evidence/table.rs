//! A table of fixed size in which the heavy items stay.
//!
//! It has sets of four places; the hash of an item chooses its set. An item that is seen earns a
//! credit. An item without a place takes a credit from the poorest of its set, and takes that place
//! when nothing is left (Misra and Gries, 1982, in every set). So a flood of items that come once
//! cannot push out an item that has more than a fifth of its set. An entry counts from the moment
//! it got its place: its numbers are lower bounds.

/// Places of a set. Their hashes fill half a cache line.
const WAYS: usize = 4;

/// What a table keeps of an item.
pub(super) trait EvidenceCounts: Default {
    /// Adds the numbers of `other`.
    fn merge(&mut self, other: &Self);
}

/// Counts of items. Two items with the same 64-bit hash count as one; among thousands of items that
/// happens once in 10^12 cases.
#[derive(Debug)]
pub(super) struct EvidenceTable<K, C> {
    /// A free place has the hash 0.
    hashes: Vec<[u64; WAYS]>,
    credits: Vec<[u32; WAYS]>,
    keys: Vec<K>,
    counts: Vec<C>,
}

/// Where an item is, or would be.
enum TablePlace {
    Found(usize),
    Taken(usize),
    Full,
}

impl<K: Default + Clone, C: EvidenceCounts> EvidenceTable<K, C> {
    /// An empty table with this number of sets, a power of two.
    pub(super) fn new(sets: usize) -> Self {
        let places = sets * WAYS;
        Self {
            hashes: vec![[0; WAYS]; sets],
            credits: vec![[0; WAYS]; sets],
            keys: vec![K::default(); places],
            counts: std::iter::repeat_with(C::default).take(places).collect(),
        }
    }

    /// The counts of the item with this hash, if it has or gets a place.
    #[inline]
    pub(super) fn get(&mut self, hash: u64, key: impl FnOnce() -> K) -> Option<&mut C> {
        self.get_for(hash, 1, key)
    }

    /// The counts of the item with this hash, which is seen `weight` times.
    #[inline]
    pub(super) fn get_for(&mut self, hash: u64, weight: u32, key: impl FnOnce() -> K) -> Option<&mut C> {
        match self.place(hash.max(1), weight) {
            TablePlace::Found(place) => Some(&mut self.counts[place]),
            TablePlace::Taken(place) => {
                self.keys[place] = key();
                self.counts[place] = C::default();
                Some(&mut self.counts[place])
            }
            TablePlace::Full => None,
        }
    }

    #[inline]
    fn place(&mut self, hash: u64, weight: u32) -> TablePlace {
        let set = hash as usize & (self.hashes.len() - 1);
        let (hashes, credits) = (&mut self.hashes[set], &mut self.credits[set]);
        if let Some(way) = hashes.iter().position(|&known| known == hash) {
            credits[way] = credits[way].saturating_add(weight);
            return TablePlace::Found(set * WAYS + way);
        }
        let mut poorest = 0;
        for way in 1..WAYS {
            if credits[way] < credits[poorest] {
                poorest = way;
            }
        }
        // A free place has no credit.
        if credits[poorest] > weight {
            credits[poorest] -= weight;
            return TablePlace::Full;
        }
        hashes[poorest] = hash;
        credits[poorest] = (weight - credits[poorest]).max(1);
        TablePlace::Taken(set * WAYS + poorest)
    }

    /// All items, with their hashes.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &K, &C)> {
        let used = self.hashes.iter().flatten().enumerate().filter(|(_, hash)| **hash != 0);
        used.map(|(place, &hash)| (hash, &self.keys[place], &self.counts[place]))
    }

    /// The key of the item whose hash ends in these 32 bits.
    pub(super) fn find(&self, hash: u32) -> Option<&K> {
        let set = hash as usize & (self.hashes.len() - 1);
        let way = self.hashes[set].iter().position(|&known| known as u32 == hash && known != 0)?;
        self.keys.get(set * WAYS + way)
    }

    /// Removes all items and passes them on, with their credits.
    pub(super) fn drain(&mut self, mut take: impl FnMut(u64, &K, &C, u32)) {
        for set in 0..self.hashes.len() {
            for way in 0..WAYS {
                let hash = std::mem::take(&mut self.hashes[set][way]);
                let credit = std::mem::take(&mut self.credits[set][way]);
                if hash != 0 {
                    let place = set * WAYS + way;
                    take(hash, &self.keys[place], &self.counts[place], credit.max(1));
                }
            }
        }
    }

    /// Changes each item.
    pub(super) fn each(&mut self, mut change: impl FnMut(&mut C)) {
        let used = self.hashes.iter().flatten().zip(&mut self.counts).filter(|(hash, _)| **hash != 0);
        used.for_each(|(_, counts)| change(counts));
    }

    /// Changes each item, and frees the places of those for which `keep` returns no credit.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut C) -> u32) {
        for set in 0..self.hashes.len() {
            for way in 0..WAYS {
                if self.hashes[set][way] == 0 {
                    continue;
                }
                let credit = keep(&mut self.counts[set * WAYS + way]);
                self.credits[set][way] = credit;
                if credit == 0 {
                    self.hashes[set][way] = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl EvidenceCounts for u32 {
        fn merge(&mut self, other: &Self) {
            *self += other;
        }
    }

    fn scattered(n: u64) -> u64 {
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7 | 1
    }

    #[test]
    fn a_flood_of_items_does_not_push_out_a_heavy_one() {
        let mut table = EvidenceTable::<u64, u32>::new(16);
        for n in 0..100_000_u64 {
            if n % 20 == 0 {
                *table.get(scattered(7_000_000), || 0).unwrap() += 1;
            }
            if let Some(count) = table.get(scattered(n + 1), || n) {
                *count += 1;
            }
        }
        let heavy = table.iter().find(|&(hash, ..)| hash == scattered(7_000_000)).unwrap();
        assert_eq!(*heavy.2, 5_000, "its lower bound is its count");
        assert!(table.iter().count() <= 64);
    }

    #[test]
    fn drained_items_are_gone() {
        let mut table = EvidenceTable::<u64, u32>::new(4);
        for n in 1..=3 {
            *table.get(n, || n * 10).unwrap() += n as u32;
        }
        let mut drained = Vec::new();
        table.drain(|hash, key, count, credit| drained.push((hash, *key, *count, credit)));
        drained.sort_unstable();
        assert_eq!(drained, [(1, 10, 1, 1), (2, 20, 2, 1), (3, 30, 3, 1)]);
        assert_eq!(table.iter().count(), 0);
    }
}
