//! Exact counts of 16-bit codes: query types, response codes, ports.
//!
//! The counters are an array as long as the largest code seen. An update is one load, and even a
//! flood of random ports costs at most half a mebibyte. A closed period keeps a few pairs of code
//! and count.

use pktvisor_memory::prefetch::prefetch;

use crate::frequent::BASELINE_ENTRIES;

/// Counts by code. They are complete until [`shrink`](Self::shrink).
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeCounts {
    counts: Vec<u64>,
    /// Replaces the array after [`shrink`](Self::shrink), in the order of the codes.
    kept: Vec<(u16, u64)>,
    /// No code counts more than this in addition to its kept count.
    bound: u64,
}

impl CodeCounts {
    /// Keeping more codes than this saves no memory worth the loss.
    pub(crate) const FEW: usize = 256;

    /// Counts `count` more of `code`.
    #[inline]
    pub(crate) fn add(&mut self, code: u16, count: u64) {
        let place = usize::from(code);
        if place >= self.counts.len() {
            self.lengthen(place + 1);
        }
        self.counts[place] = self.counts[place].saturating_add(count);
    }

    /// Prefetches the memory where a code will be counted.
    #[inline]
    pub(crate) fn prefetch(&self, code: u16) {
        prefetch(&self.counts, usize::from(code));
    }

    /// The length is a power of two, so that the longest array, half a mebibyte, has no spare room.
    #[cold]
    fn lengthen(&mut self, needed: usize) {
        let len = needed.next_power_of_two();
        self.counts.reserve_exact(len - self.counts.len());
        self.counts.resize(len, 0);
        for (code, count) in std::mem::take(&mut self.kept) {
            self.add(code, count);
        }
    }

    /// All codes seen, with their counts, in the order of the codes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        let row = self.counts.iter().enumerate().map(|(code, count)| (code as u16, *count));
        row.filter(|(_, count)| *count > 0).chain(self.kept.iter().copied())
    }

    /// The bound for the count of any code in addition to its kept count.
    pub(crate) fn bound(&self) -> u64 {
        self.bound
    }

    /// Adds the counts of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (code, count) in other.iter() {
            self.add(code, count);
        }
        self.bound = self.bound.saturating_add(other.bound);
    }

    /// The largest counts, for [`subtract`](Self::subtract). Its bound holds for the counts that it
    /// does not keep.
    pub(crate) fn baseline(&self) -> Self {
        let mut baseline = self.clone();
        baseline.bound = 0;
        baseline.shrink(BASELINE_ENTRIES);
        baseline
    }

    /// Takes away what had been counted at the baselines of these counts, or of those that they
    /// were merged from.
    pub(crate) fn subtract(&mut self, baselines: &[&Self]) {
        for baseline in baselines {
            let mut rest = Self { bound: self.bound.saturating_add(baseline.bound), ..Self::default() };
            for (code, count) in self.iter() {
                let kept = baseline.kept.binary_search_by_key(&code, |(code, _)| *code);
                let before = kept.map_or(baseline.bound, |place| baseline.kept[place].1);
                if count > before {
                    rest.add(code, count - before);
                }
            }
            *self = rest;
        }
    }

    /// Keeps the `keep` most frequent codes only, ties broken by the smaller code, and gives back
    /// the memory.
    pub(crate) fn shrink(&mut self, keep: usize) {
        let mut kept: Vec<_> = self.iter().collect();
        kept.sort_unstable_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        let largest_lost = kept.get(keep).map_or(0, |(_, count)| *count);
        kept.truncate(keep);
        kept.sort_unstable();
        kept.shrink_to_fit();
        *self = Self { counts: Vec::new(), kept, bound: self.bound.saturating_add(largest_lost) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_counts_exactly() {
        let mut codes = CodeCounts::default();
        for code in 0..=u16::MAX {
            codes.add(code, u64::from(code) + 1);
        }
        assert!(codes.iter().all(|(code, count)| count == u64::from(code) + 1));
        assert_eq!(codes.iter().count(), 65_536);
        assert_eq!(codes.counts.capacity(), 65_536);
    }

    #[test]
    fn shrinking_keeps_the_largest_and_bounds_the_rest() {
        let mut codes = CodeCounts::default();
        for (code, count) in [(1, 5), (28, 9), (65, 5), (255, 1)] {
            codes.add(code, count);
        }
        codes.shrink(2);
        assert_eq!(codes.iter().collect::<Vec<_>>(), [(1, 5), (28, 9)]);
        assert_eq!(codes.bound(), 5);
    }

    #[test]
    fn shrunk_counts_are_small_and_still_count() {
        let mut codes = CodeCounts::default();
        for (code, count) in [(1, 5), (65_535, 9)] {
            codes.add(code, count);
        }
        codes.shrink(64);
        assert!(codes.counts.capacity() == 0 && codes.kept.capacity() <= 64);
        codes.add(1, 1);
        codes.add(7, 1);
        assert_eq!(codes.iter().collect::<Vec<_>>(), [(1, 6), (7, 1), (65_535, 9)]);
        assert_eq!(codes.bound(), 0);
    }

    #[test]
    fn counts_since_a_baseline_are_exact_while_it_holds_all_codes() {
        let mut codes = CodeCounts::default();
        codes.add(1, 5);
        codes.add(28, 2);
        let baseline = codes.baseline();
        codes.add(28, 3);
        codes.add(65, 1);
        codes.subtract(&[&baseline, &CodeCounts::default().baseline()]);
        assert_eq!(codes.iter().collect::<Vec<_>>(), [(28, 3), (65, 1)]);
        assert_eq!(codes.bound(), 0);
    }

    #[test]
    fn counts_since_a_baseline_of_many_codes_are_bounded() {
        let mut codes = CodeCounts::default();
        (0..3_000).for_each(|code| codes.add(code, 2));
        let baseline = codes.baseline();
        (0..3_000).for_each(|code| codes.add(code, 7));
        codes.subtract(&[&baseline]);
        assert!(codes.iter().all(|(_, count)| count <= 7 && 7 <= count + codes.bound()));
    }

    #[test]
    fn merging_adds_up() {
        let (mut a, mut b) = (CodeCounts::default(), CodeCounts::default());
        a.add(1, 2);
        b.add(1, 3);
        b.add(300, 1);
        a.merge(&b);
        assert_eq!(a.iter().collect::<Vec<_>>(), [(1, 5), (300, 1)]);
    }
}
