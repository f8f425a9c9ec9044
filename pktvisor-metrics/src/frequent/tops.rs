//! The most frequent items of each list, and a bound for the items that they leave out.

use super::Frequent;
use super::item::{Item, Key};
use super::largest::Largest;

impl<const W: usize> Frequent<W> {
    /// The `count` most frequent items of a list by estimate, without those of estimate 0. Ties are
    /// in the order of the names that `present` returns.
    pub fn top_of(
        &self,
        list: usize,
        count: usize,
        present: impl Fn(Key<'_>) -> String,
    ) -> Vec<(String, Item<'_>)> {
        let [top] = self.tops_of([list], count, present);
        top
    }

    /// The [most frequent items](Self::top_of) of all lists.
    pub fn tops(&self, count: usize, present: impl Fn(Key<'_>) -> String) -> [Vec<(String, Item<'_>)>; W] {
        self.tops_of(std::array::from_fn(|list| list), count, present)
    }

    /// Walks through the table twice, however many lists are asked for: first for the counts, then
    /// for the items.
    fn tops_of<const N: usize>(
        &self,
        lists: [usize; N],
        count: usize,
        present: impl Fn(Key<'_>) -> String,
    ) -> [Vec<(String, Item<'_>)>; N] {
        let mut tops = lists.map(|_| Vec::new());
        if count == 0 || self.is_empty() {
            return tops;
        }
        let mut largest = lists.map(|_| Largest::new(count));
        self.table.for_each_counts(|counts| {
            for (largest, list) in largest.iter_mut().zip(lists) {
                largest.add(counts[list]);
            }
        });
        let least = largest.map(Largest::least);
        let order = |a: &(String, Item<'_>), b: &(String, Item<'_>)| {
            b.1.lower.cmp(&a.1.lower).then_with(|| a.0.cmp(&b.0))
        };
        let is_among = |counts: [u64; W]| lists.iter().zip(least).any(|(list, least)| counts[*list] >= least);
        for row in self.table.rows_that(is_among) {
            for (place, top) in
                tops.iter_mut().enumerate().filter(|(place, _)| row.counts[lists[*place]] >= least[*place])
            {
                // Thousands may tie for the last places; only the first names are kept.
                if top.len() == 2 * count {
                    top.select_nth_unstable_by(count, order);
                    top.truncate(count);
                }
                top.push((present(row.key), row.item(lists[place])));
            }
        }
        for top in &mut tops {
            top.sort_unstable_by(order);
            top.truncate(count);
        }
        tops
    }

    /// No item that [`top_of`](Self::top_of) leaves out has more occurrences in the list than this.
    pub fn absent_upper_of(&self, list: usize, count: usize) -> u64 {
        let mut estimates = Vec::new();
        self.table.for_each_counts(|counts| estimates.extend((counts[list] > 0).then_some(counts[list])));
        // The largest estimate left out. Items that tie with it may be left out too.
        let largest = match estimates.len() {
            len if len <= count => 0,
            _ => *estimates.select_nth_unstable_by(count, |a, b| b.cmp(a)).1,
        };
        let uppers = self.items_of(list).filter(|item| item.lower <= largest).map(|item| item.upper);
        uppers.fold(self.bounds[list], u64::max)
    }
}
