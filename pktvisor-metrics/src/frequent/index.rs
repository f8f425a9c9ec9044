//! The index of a table: open addressing over slots, each of which holds the counts of an item beside
//! its hash, in a part of one cache line.

use super::item::Mark;

/// The place of an entry in the index: a part of one cache line.
///
/// The tables of a busy server compete for the cache, so the counts have 16 bits.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
pub(super) struct CountSlot<const W: usize> {
    /// [`FINGERPRINT`] of the hash, [`IS_WIDE`], [`MARKS`] and [`POSITION`]; 0 is empty.
    pub(super) link: u64,
    /// The counts without those in the entry's wide row.
    pub(super) counts: [u16; W],
}

/// The position of the entry in the table, plus 1.
pub(super) const POSITION: u64 = 0xffff;
/// The marks of the item.
pub(super) const MARKS: u64 = 0x3_0000;
/// Whether the entry has a wide row.
pub(super) const IS_WIDE: u64 = 0x4_0000;
/// The part of the hash that a slot keeps.
const FINGERPRINT: u64 = !(IS_WIDE | MARKS | POSITION);

impl<const W: usize> CountSlot<W> {
    pub(super) const EMPTY: Self = Self { link: 0, counts: [0; W] };

    /// Adds to the counts if all of them fit; else adds nothing and returns false.
    #[inline(always)]
    pub(super) fn add(&mut self, weights: [u64; W]) -> bool {
        let sums = std::array::from_fn(|list| u64::from(self.counts[list]).saturating_add(weights[list]));
        // One comparison for all of them.
        let fits = sums.iter().fold(0, |all, sum: &u64| all | sum) <= u64::from(u16::MAX);
        if fits {
            self.counts = sums.map(|sum| sum as u16);
        }
        fits
    }
}

/// The bit of a mark in a link.
pub(super) fn bit(mark: Mark) -> u64 {
    match mark {
        Mark::First => 0x1_0000,
        Mark::Second => 0x2_0000,
    }
}

/// The position of the entry in a slot that is not empty.
pub(super) fn position<const W: usize>(slot: &CountSlot<W>) -> usize {
    (slot.link & POSITION) as usize - 1
}

/// The place of the slot with this hash; `None` if there is none.
#[inline(always)]
pub(super) fn find<const W: usize>(slots: &[CountSlot<W>], hash: u64) -> Option<usize> {
    let mask = slots.len().wrapping_sub(1);
    let mut place = hash as usize & mask;
    // There is always an empty slot, unless the index has no slots.
    while let Some(CountSlot { link, .. }) = slots.get(place) {
        if *link == 0 {
            return None;
        }
        if (link ^ hash) & FINGERPRINT == 0 {
            return Some(place);
        }
        place = (place + 1) & mask;
    }
    None
}

/// Fills the first empty slot for `hash` and returns its place.
pub(super) fn place<const W: usize>(slots: &mut [CountSlot<W>], hash: u64, slot: CountSlot<W>) -> u32 {
    let mask = slots.len() - 1;
    let mut place = hash as usize & mask;
    while slots[place].link != 0 {
        place = (place + 1) & mask;
    }
    slots[place] = CountSlot { link: hash & FINGERPRINT | slot.link, ..slot };
    place as u32
}
