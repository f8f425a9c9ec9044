//! Exact counts of 16-bit codes: query types, response codes, ports.
//!
//! Pages of 256 counters, allocated where codes turn up: an update is two loads, and even a flood of random ports
//! costs no more than half a mebibyte.

const PAGE: usize = 256;

/// Counts by code. Nothing is lost until it is [shrunk](Self::shrink).
#[derive(Clone, Debug, Default)]
pub struct CodeCounts {
    pages: Vec<Option<Box<[u64; PAGE]>>>,
    /// No code counts more than this beyond what is kept of it.
    bound: u64,
}

impl CodeCounts {
    /// Keeping more codes than this saves no memory worth the loss: they may lie in as many pages as there are.
    pub const FEW: usize = (u16::MAX as usize + 1) / PAGE;

    /// Counts `count` more of `code`.
    #[inline]
    pub fn add(&mut self, code: u16, count: u64) {
        let page = usize::from(code) / PAGE;
        if page >= self.pages.len() {
            self.pages.resize(page + 1, None);
        }
        let counters = self.pages[page].get_or_insert_with(|| Box::new([0; PAGE]));
        let counter = &mut counters[usize::from(code) % PAGE];
        *counter = counter.saturating_add(count);
    }

    /// All codes seen, with their counts, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        self.pages.iter().enumerate().flat_map(|(page, counters)| {
            counters.iter().flat_map(move |counters| {
                counters
                    .iter()
                    .enumerate()
                    .filter(|(_, count)| **count > 0)
                    .map(move |(offset, count)| ((page * PAGE + offset) as u16, *count))
            })
        })
    }

    /// How much any code may count beyond what is kept.
    pub fn bound(&self) -> u64 {
        self.bound
    }

    /// Adds what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (code, count) in other.iter() {
            self.add(code, count);
        }
        self.bound = self.bound.saturating_add(other.bound);
    }

    /// Keeps the `keep` most frequent codes only, ties broken by the smaller code.
    pub fn shrink(&mut self, keep: usize) {
        let mut all: Vec<_> = self.iter().collect();
        if all.len() <= keep {
            return;
        }
        all.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        let largest_lost = all[keep].1;
        let mut kept = Self { pages: Vec::new(), bound: self.bound.saturating_add(largest_lost) };
        for (code, count) in &all[..keep] {
            kept.add(*code, *count);
        }
        *self = kept;
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
    fn merging_adds_up() {
        let (mut a, mut b) = (CodeCounts::default(), CodeCounts::default());
        a.add(1, 2);
        b.add(1, 3);
        b.add(300, 1);
        a.merge(&b);
        assert_eq!(a.iter().collect::<Vec<_>>(), [(1, 5), (300, 1)]);
    }
}
