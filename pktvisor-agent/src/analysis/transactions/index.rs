//! From a key's hash to the entries that may have it.
//!
//! Chains, one for every value of the low bits of a hash, linked by the entries' numbers. The index grows with the number
//! of entries, so that few of them stay in the cache; on average a chain is not longer than one entry. The hash is keyed
//! at random, so the only way to a long chain is to repeat one flow and id with ever other questions; such a chain is cut
//! at its old end.

/// No entry: ends every chain.
const NONE: u32 = u32::MAX;

/// Entries of one chain.
const CHAIN_MAX: usize = 32;

/// Chains at the start, a power of two.
const CHAINS_MIN: usize = 1024;

/// An entry's place in its chain.
#[derive(Clone, Copy, Debug)]
struct Link {
    hash: u32,
    next: u32,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Index {
    /// The newest entry of each chain. A power of two long.
    heads: Vec<u32>,
    /// By the entries' numbers.
    links: Vec<Link>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { heads: vec![NONE; CHAINS_MIN], links: Vec::new(), len: 0 }
    }
}

impl Index {
    /// The entries with this hash, the newest first.
    #[inline]
    pub(super) fn find(&self, hash: u32) -> impl Iterator<Item = u32> {
        let mut next = self.heads.get(self.chain(hash)).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            while let Some(link) = self.links.get(next as usize) {
                let slot = std::mem::replace(&mut next, link.next);
                if link.hash == hash {
                    return Some(slot);
                }
            }
            None
        })
    }

    /// Adds an entry, and returns the one that had to make room for it.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32, slot: u32) -> Option<u32> {
        if self.len >= self.heads.len() {
            self.grow();
        }
        let chain = self.chain(hash);
        let link = Link { hash, next: self.heads[chain] };
        self.heads[chain] = slot;
        match self.links.get_mut(slot as usize) {
            Some(place) => *place = link,
            None => {
                self.links.resize(slot as usize, Link { hash: 0, next: NONE });
                self.links.push(link);
            }
        }
        self.len += 1;
        if link.next == NONE { None } else { self.too_long(slot) }
    }

    /// Takes out an entry. One that is not there does no harm.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(&Link { hash, next }) = self.links.get(slot as usize) else { return };
        let chain = self.chain(hash);
        let mut at = self.heads[chain];
        if at == slot {
            self.heads[chain] = next;
            self.len -= 1;
            return;
        }
        while let Some(link) = self.links.get_mut(at as usize) {
            if link.next == slot {
                link.next = next;
                self.len -= 1;
                return;
            }
            at = link.next;
        }
    }

    #[inline]
    fn chain(&self, hash: u32) -> usize {
        hash as usize & (self.heads.len() - 1)
    }

    /// The last entry of the chain that begins with `slot` if it has more than [`CHAIN_MAX`].
    fn too_long(&self, slot: u32) -> Option<u32> {
        let mut last = slot;
        for _ in 0..CHAIN_MAX {
            match self.links[last as usize].next {
                NONE => return None,
                next => last = next,
            }
        }
        Some(last)
    }

    /// Twice as many chains.
    #[cold]
    fn grow(&mut self) {
        let chains = self.heads.len() * 2;
        let old = std::mem::replace(&mut self.heads, vec![NONE; chains]);
        for mut slot in old {
            while slot != NONE {
                let link = &mut self.links[slot as usize];
                let head = &mut self.heads[link.hash as usize & (chains - 1)];
                let next = std::mem::replace(&mut link.next, *head);
                *head = slot;
                slot = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_hash_until_they_are_removed() {
        let mut index = Index::default();
        // Twice each, in chains that grow and split.
        for slot in 0..10_000 {
            assert_eq!(index.insert(slot / 2 * 3, slot), None);
        }
        for hash in 0..5_000 {
            let mut found: Vec<u32> = index.find(hash * 3).collect();
            found.sort_unstable();
            assert_eq!(found, [hash * 2, hash * 2 + 1]);
        }
        for slot in (0..10_000).step_by(2) {
            index.remove(slot);
            index.remove(slot);
        }
        assert_eq!(index.len, 5_000);
        for hash in 0..5_000 {
            assert_eq!(index.find(hash * 3).collect::<Vec<_>>(), [hash * 2 + 1]);
        }
    }

    #[test]
    fn the_oldest_entry_of_an_overlong_chain_is_crowded_out() {
        let mut index = Index::default();
        let room = CHAIN_MAX as u32;
        for slot in 0..room {
            assert_eq!(index.insert(7, slot), None);
        }
        assert_eq!(index.insert(7, room), Some(0));
        index.remove(0);
        assert_eq!(index.insert(7, room + 1), Some(1));
        assert_eq!(index.find(7).count(), CHAIN_MAX + 1);
    }
}
