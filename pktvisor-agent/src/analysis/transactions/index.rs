//! From a key's hash to the entries that may have it.
//!
//! A hash of 32 bits names two buckets of 16 slots, a cache line each, and an entry goes into the emptier one. With three quarters of the
//! slots in use a bucket practically never fills up, deletion leaves nothing behind, and no key, however made up, makes a search
//! longer than two cache lines: what does not fit crowds out what is there.

use crate::prefetch::prefetch;

/// Slots of a bucket.
const WAYS: usize = 16;

/// A slot holds the entry's number plus 1 in its low bits and a fingerprint of the hash above, never 0.
const SLOT_BITS: u32 = 22;

const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;

/// Entries an index can tell apart.
pub(super) const SLOTS_MAX: usize = SLOT_MASK as usize;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket([u32; WAYS]);

/// See the module.
#[derive(Debug)]
pub(super) struct Index {
    /// At least 2.
    buckets: Vec<Bucket>,
}

/// Some of the 32 slots of a hash's two buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes(pub(super) u32);

impl Iterator for Lanes {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let lane = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (lane < u32::BITS).then_some(lane)
    }
}

impl Index {
    /// An index for `entries` entries: four slots for three of them.
    pub(super) fn new(entries: usize) -> Self {
        let buckets = (entries * 4).div_ceil(3 * WAYS).max(2);
        Self { buckets: vec![Bucket([0; WAYS]); buckets] }
    }

    /// Asks for both buckets of a hash.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        for bucket in self.pair(hash) {
            prefetch(&self.buckets, bucket);
        }
    }

    /// The slots whose fingerprint is that of `hash`.
    #[inline]
    pub(super) fn find(&self, hash: u32) -> Lanes {
        let fingerprint = fingerprint(hash);
        self.lanes(hash, |slot| slot >> SLOT_BITS == fingerprint)
    }

    /// The entry in a slot found for `hash`.
    #[inline]
    pub(super) fn slot(&self, hash: u32, lane: u32) -> u32 {
        let (bucket, way) = self.place(hash, lane);
        (self.buckets[bucket].0[way] & SLOT_MASK).wrapping_sub(1)
    }

    /// Adds an entry, and returns the one that had to make room for it.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32, slot: u32) -> Option<u32> {
        let content = fingerprint(hash) << SLOT_BITS | (slot + 1);
        let empty = self.lanes(hash, |slot| slot == 0).0;
        let [first, second] = [empty & 0xffff, empty & 0xffff_0000];
        let lanes = if first.count_ones() >= second.count_ones() { first } else { second };
        // Full: any will do, but not always the same.
        let lane = if lanes == 0 { slot % u32::BITS } else { lanes.trailing_zeros() };
        let (bucket, way) = self.place(hash, lane);
        let previous = std::mem::replace(&mut self.buckets[bucket].0[way], content);
        (previous & SLOT_MASK).checked_sub(1)
    }

    /// Takes out an entry. One that has been crowded out is not there any more.
    #[inline]
    pub(super) fn remove(&mut self, hash: u32, slot: u32) {
        let found = self.lanes(hash, |content| content & SLOT_MASK == slot + 1);
        for lane in found {
            let (bucket, way) = self.place(hash, lane);
            self.buckets[bucket].0[way] = 0;
        }
    }

    /// The slots that pass a test. No early exit: the compiler makes a few vector instructions of it.
    #[inline]
    fn lanes(&self, hash: u32, test: impl Fn(u32) -> bool) -> Lanes {
        let [first, second] = self.pair(hash);
        let mut lanes = 0;
        for (way, &slot) in self.buckets[first].0.iter().enumerate() {
            lanes |= u32::from(test(slot)) << way;
        }
        for (way, &slot) in self.buckets[second].0.iter().enumerate() {
            lanes |= u32::from(test(slot)) << (way + WAYS);
        }
        Lanes(lanes)
    }

    #[inline]
    fn place(&self, hash: u32, lane: u32) -> (usize, usize) {
        let [first, second] = self.pair(hash);
        let lane = lane as usize;
        if lane < WAYS { (first, lane) } else { (second, lane % WAYS) }
    }

    /// The two buckets of a hash, always different ones: the hash, and the hash multiplied, as fractions of 2^32.
    #[inline]
    fn pair(&self, hash: u32) -> [usize; 2] {
        let buckets = self.buckets.len();
        let fraction = |hash: u32| ((u64::from(hash) * buckets as u64) >> 32) as usize;
        let first = fraction(hash);
        let second = fraction(hash.wrapping_mul(0x9e37_79b1));
        if second != first {
            return [first, second];
        }
        [first, if first == 0 { 1 } else { first - 1 }]
    }
}

/// The bits of a hash that do least to choose the first bucket.
#[inline]
fn fingerprint(hash: u32) -> u32 {
    (hash & (u32::MAX >> SLOT_BITS)).max(1)
}
