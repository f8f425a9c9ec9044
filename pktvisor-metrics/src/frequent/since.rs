//! What came after a moment: the difference between a summary and what was kept of it then.
//!
//! Counting costs nothing more for this. An entry counts exactly from the moment it enters the
//! table, so the difference of its counts at two moments is exact if it stayed in the table
//! between them. Its error shows whether it did: an entry that was dropped and came back has a
//! larger one. For all other items the difference of the bounds is a bound.

use super::Frequent;
use super::item::{ItemRow, Key};
use super::table::ItemTable;

/// The largest number of entries that a [baseline](Frequent::baseline) keeps.
pub(crate) const BASELINE_ENTRIES: usize = 1 << 11;

impl<const W: usize> Frequent<W> {
    /// The counts of the entries that are the largest in the first list, without their keys, for
    /// [`subtract`](Self::subtract). Its bounds hold for the counts that it does not keep.
    pub(crate) fn baseline(&self) -> Self {
        let mut counts: Vec<u64> = Vec::with_capacity(self.len());
        self.table.for_each_counts(|of_lists| counts.push(of_lists[0]));
        let is_kept: Box<dyn Fn(u64) -> bool> = match counts.len() {
            0..=BASELINE_ENTRIES => Box::new(|_| true),
            _ => {
                let largest_lost = *counts.select_nth_unstable_by(BASELINE_ENTRIES, |a, b| b.cmp(a)).1;
                Box::new(move |count| count > largest_lost)
            }
        };
        let (mut table, mut bounds) = (ItemTable::default(), [0; W]);
        for row in self.table.rows() {
            if is_kept(row.counts[0]) {
                table.insert(ItemRow { key: Key { bytes: &[], ..row.key }, ..row }, None);
            } else {
                bounds = largest(bounds, row.counts);
            }
        }
        table.shrink_to_fit();
        Self { table, bounds, limits: self.limits }
    }

    /// Takes away what had been counted at the baselines of this summary, or of those that it was
    /// merged from. All bounds still hold, for the items since then.
    pub(crate) fn subtract(&mut self, baselines: &[&Self]) {
        let baselines: Vec<&Self> = baselines.iter().copied().filter(|base| !base.is_empty()).collect();
        if baselines.is_empty() {
            return;
        }
        let mut bounds = self.bounds;
        let mut rows = Vec::with_capacity(self.len());
        for row in self.table.rows() {
            let row = since(row, &baselines);
            if row.counts != [0; W] {
                rows.push(row);
            } else {
                bounds = largest(bounds, row.errors);
            }
        }
        let mut rest = Self::new(self.limits);
        rest.merge_rows(bounds, rows.into_iter());
        *self = rest;
    }
}

fn largest<const W: usize>(a: [u64; W], b: [u64; W]) -> [u64; W] {
    std::array::from_fn(|list| a[list].max(b[list]))
}

fn since<'a, const W: usize>(row: ItemRow<'a, W>, baselines: &[&Frequent<W>]) -> ItemRow<'a, W> {
    let found: Vec<_> = baselines.iter().map(|baseline| baseline.table.get(row.key.hash)).collect();
    let since = |list: usize| -> (u64, u64) {
        // The counts at the baselines, and how much more there may have been of counts that they
        // do not keep.
        let (mut before, mut unknown, mut error) = (0_u64, 0_u64, None);
        for (baseline, found) in baselines.iter().zip(&found) {
            match found {
                Some((counts, errors)) => {
                    before = before.saturating_add(counts[list]);
                    error = Some(errors[list]);
                }
                None => unknown = unknown.saturating_add(baseline.bounds[list]),
            }
        }
        let has_stayed = baselines.len() == 1 && error == Some(row.errors[list]);
        let lower = row.counts[list].saturating_sub(before.saturating_add(unknown));
        let upper = row.counts[list].saturating_add(row.errors[list]).saturating_sub(before);
        (lower, if has_stayed { 0 } else { upper.saturating_sub(lower) })
    };
    let lists: [(u64, u64); W] = std::array::from_fn(since);
    ItemRow { counts: lists.map(|(count, _)| count), errors: lists.map(|(_, error)| error), ..row }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::frequent::{FrequentItems, ListLimits};

    const SMALL: ListLimits = ListLimits { entries: 16, key_bytes: 1 << 10 };

    fn add(items: &mut FrequentItems, stream: &[u8]) {
        stream.iter().for_each(|byte| items.add(Key::new(0, &[*byte]), 1));
    }

    fn assert_bounds_hold(items: &FrequentItems, stream: &[u8]) {
        let mut truth = HashMap::<u8, u64>::new();
        stream.iter().for_each(|byte| *truth.entry(*byte).or_default() += 1);
        for item in items.items() {
            let count = truth.remove(&item.key.bytes[0]).unwrap_or(0);
            assert!(item.lower <= count && count <= item.upper, "{item:?} counts {count}");
        }
        for (byte, count) in truth {
            assert!(count <= items.bound(), "{byte} counts {count}, not listed");
        }
    }

    #[test]
    fn an_item_that_stayed_in_the_table_counts_exactly_since_the_baseline() {
        let mut items = FrequentItems::new(ListLimits { entries: 64, key_bytes: 1 << 12 });
        let count = |items: &mut FrequentItems, rare: std::ops::Range<u32>| {
            for n in rare {
                items.add(Key::new(0, b"heavy"), 1);
                items.add(Key::new(0, &n.to_be_bytes()), 1);
            }
        };
        count(&mut items, 0..10_000);
        let baseline = items.baseline();
        count(&mut items, 10_000..12_345);
        items.subtract(&[&baseline]);
        let heavy = items.items().find(|item| item.key.bytes == b"heavy").unwrap();
        assert_eq!((heavy.lower, heavy.upper), (2_345, 2_345));
    }

    #[test]
    fn a_baseline_keeps_the_largest_counts_without_their_keys() {
        let mut items = FrequentItems::new(ListLimits::LIVE);
        for n in 0..5_000u32 {
            items.add(Key::new(0, &n.to_be_bytes()), u64::from(n) + 1);
        }
        let baseline = items.baseline();
        assert_eq!((baseline.len(), baseline.table.key_bytes()), (BASELINE_ENTRIES, 0));
        assert_eq!(baseline.bound(), (5_000 - BASELINE_ENTRIES) as u64);
        items.add(Key::new(0, &4_999u32.to_be_bytes()), 7);
        items.add(Key::new(0, b"new"), 9_000);
        items.subtract(&[&baseline]);
        let bounds = |bytes: &[u8]| {
            let item = items.items().find(|item| item.key.bytes == bytes).unwrap();
            (item.lower, item.upper)
        };
        assert_eq!(bounds(&4_999u32.to_be_bytes()), (7, 7));
        assert_eq!(bounds(b"new"), (9_000 - baseline.bound(), 9_000));
    }

    proptest! {
        #[test]
        fn bounds_hold_for_the_items_since_a_baseline(
            before in prop::collection::vec(0_u8..60, 0..400),
            after in prop::collection::vec(0_u8..90, 0..400),
        ) {
            let mut items = FrequentItems::new(SMALL);
            add(&mut items, &before);
            let baseline = items.baseline();
            add(&mut items, &after);
            items.subtract(&[&baseline]);
            assert_bounds_hold(&items, &after);
        }

        #[test]
        fn bounds_hold_for_merged_summaries_since_their_baselines(
            before in prop::collection::vec(prop::collection::vec(0_u8..60, 0..200), 3),
            after in prop::collection::vec(prop::collection::vec(0_u8..90, 0..200), 3),
        ) {
            let mut merged = FrequentItems::new(SMALL);
            let mut baselines = Vec::new();
            for (before, after) in before.iter().zip(&after) {
                let mut items = FrequentItems::new(SMALL);
                add(&mut items, before);
                baselines.push(items.baseline());
                add(&mut items, after);
                merged.merge(&items);
            }
            merged.shrink(ListLimits { entries: 8, ..SMALL });
            merged.subtract(&baselines.iter().collect::<Vec<_>>());
            assert_bounds_hold(&merged, &after.concat());
        }
    }
}
