//! The number of distinct names: exact while there are few, estimated by the registers of
//! [`Cardinality`] above that.
//!
//! Registers alone miscount small sets: of a hundred names, two share a register in one capture out
//! of four. Names are counted only in userspace, so there is room to keep the hashes of all names
//! until there are too many.
//!
//! A response repeats the name of its query, and some names are frequent. So names that were
//! counted a moment ago are skipped.

use hashbrown::HashSet;
use pktvisor_api as api;
use pktvisor_common::hll;

use crate::cardinality::Cardinality;

/// Up to this many names are counted exactly: the contents of a table with 1,024 places, in 9 KiB.
const FEW_MAX: usize = 896;

/// The maximum number of the newest names that are remembered.
const RECENT: usize = 1024;

/// A count of distinct names.
#[derive(Clone, Debug)]
pub(crate) struct DistinctNames {
    /// Hashes of the newest names, each at its place; `None` before the first, and if no more come.
    recent: Option<Box<[u64; RECENT]>>,
    /// Hashes of all names; `None` once there are too many.
    few: Option<HashSet<u64>>,
    registers: Cardinality,
}

impl Default for DistinctNames {
    fn default() -> Self {
        Self { recent: None, few: Some(HashSet::new()), registers: Cardinality::default() }
    }
}

impl DistinctNames {
    /// As [`add`](Self::add), if the 64-bit hash of the name is known.
    #[inline]
    pub(crate) fn add_hashed(&mut self, name: &[u8], hash: u64) {
        let recent = self.recent.get_or_insert_with(|| Box::new([0; RECENT]));
        let recent = &mut recent[hash as usize % RECENT];
        // An empty place matches no name.
        let hash = hash.max(1);
        if *recent != hash {
            *recent = hash;
            self.add(name);
        }
    }

    /// Counts a name, in lower-cased wire form, if it was not seen before.
    #[inline]
    pub(crate) fn add(&mut self, name: &[u8]) {
        let hash = hll::murmur3_x64_128(name, hll::SEED);
        self.registers.add_hash(hash);
        if let Some(few) = &mut self.few {
            few.insert(hash.0);
            if few.len() > FEW_MAX {
                self.few = None;
            }
        }
    }

    /// Frees what only helps to count further names.
    pub(crate) fn shrink(&mut self) {
        self.recent = None;
    }

    /// Adds the names of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.registers.merge(&other.registers);
        self.few = match (self.few.take(), &other.few) {
            (Some(mut few), Some(theirs)) => {
                few.extend(theirs);
                (few.len() <= FEW_MAX).then_some(few)
            }
            _ => None,
        };
    }

    /// The image of the sketch of all names; `None` if there are none.
    pub(crate) fn hll_image(&self) -> Option<api::HllImage> {
        self.registers.hll_image()
    }

    /// The number of distinct names, estimated if there are many.
    pub(crate) fn estimate(&self) -> u64 {
        self.few.as_ref().map_or_else(|| self.registers.estimate(), |few| few.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: std::ops::Range<u32>) -> DistinctNames {
        let mut names = DistinctNames::default();
        for n in range {
            names.add(&n.to_be_bytes());
        }
        names
    }

    #[test]
    fn names_that_came_a_moment_ago_are_counted_once() {
        let mut names = DistinctNames::default();
        for _ in 0..3 {
            // Two of these names share a place.
            for n in [0, 1, RECENT as u64, 2] {
                names.add_hashed(&n.to_be_bytes(), n);
            }
            assert_eq!(names.estimate(), 4);
        }
    }

    #[test]
    fn few_names_are_counted_exactly() {
        for n in [0, 1, 20, 100, 896] {
            assert_eq!(of(0..n).estimate(), u64::from(n));
        }
    }

    #[test]
    fn many_names_are_counted_by_the_registers() {
        for n in [897, 5_000] {
            let names = of(0..n);
            assert_eq!(names.estimate(), names.registers.estimate());
            assert!((names.estimate() as f64 / f64::from(n) - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn merging_equals_counting_together() {
        for (first, second) in
            [(0..400, 300..700), (0..800, 700..1_500), (0..2_000, 0..10), (0..10, 0..2_000)]
        {
            let mut merged = of(first.clone());
            merged.merge(&of(second.clone()));
            let together = of(first.start.min(second.start)..first.end.max(second.end));
            assert_eq!(merged.estimate(), together.estimate(), "{first:?} and {second:?}");
        }
    }
}
