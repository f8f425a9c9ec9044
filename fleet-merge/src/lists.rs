//! Top lists of several agents: sums with bounds that hold.
//!
//! An item that an agent does not list may still have counted there, up to the bound that the agent
//! states for absent items. So the upper bound of a sum is the sum of the upper bounds, and of the
//! bounds for absent items of the agents that do not list it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pktvisor_api::{ListTotals, TopEntry};

/// A list of several agents.
#[derive(Debug, Default)]
pub(crate) struct ListSum<'a> {
    items: HashMap<&'a str, ItemSum>,
    /// What an item can have that no agent lists.
    absent_upper: u64,
    agents: usize,
}

#[derive(Debug)]
struct ItemSum {
    lower: u64,
    estimate: u64,
    upper: u64,
    scaled: u64,
    /// The bounds for absent items of the agents that list it.
    listed_absent_upper: u64,
    /// The last agent that listed it.
    agent: usize,
}

impl<'a> ListSum<'a> {
    /// Adds the list of an agent, and what it states of absent items.
    pub(crate) fn add(&mut self, entries: &'a [TopEntry], totals: ListTotals) {
        self.agents += 1;
        self.absent_upper = self.absent_upper.saturating_add(totals.absent_upper);
        for entry in entries {
            let lower = entry.lower.unwrap_or(0).min(entry.estimate);
            let upper = entry.upper.unwrap_or(u64::MAX).max(entry.estimate);
            let scaled = entry.scaled.unwrap_or(entry.estimate);
            match self.items.entry(&entry.name) {
                Entry::Vacant(place) => {
                    place.insert(ItemSum {
                        lower,
                        estimate: entry.estimate,
                        upper,
                        scaled,
                        listed_absent_upper: totals.absent_upper,
                        agent: self.agents,
                    });
                }
                Entry::Occupied(place) => {
                    let item = place.into_mut();
                    item.lower = item.lower.saturating_add(lower);
                    item.estimate = item.estimate.saturating_add(entry.estimate);
                    item.upper = item.upper.saturating_add(upper);
                    item.scaled = item.scaled.saturating_add(scaled);
                    // Once for an agent, even if it lists a name twice.
                    if std::mem::replace(&mut item.agent, self.agents) != self.agents {
                        item.listed_absent_upper =
                            item.listed_absent_upper.saturating_add(totals.absent_upper);
                    }
                }
            }
        }
    }

    /// The number of agents that have such a list.
    pub(crate) fn agents(&self) -> usize {
        self.agents
    }

    /// The `length` largest sums, by estimate, then by name, and what they say of all other items.
    pub(crate) fn finish(self, length: usize) -> (Vec<TopEntry>, ListTotals) {
        let absent_upper = self.absent_upper;
        let mut items: Vec<_> = self.items.into_iter().collect();
        items.sort_unstable_by(|(a_name, a), (b_name, b)| {
            b.estimate.cmp(&a.estimate).then_with(|| a_name.cmp(b_name))
        });
        let upper =
            |item: &ItemSum| item.upper.saturating_add(absent_upper.saturating_sub(item.listed_absent_upper));
        let left_out = items.iter().skip(length).map(|(_, item)| upper(item)).max();
        items.truncate(length);
        let entry = |(name, item): &(&str, ItemSum)| TopEntry {
            name: (*name).to_owned(),
            estimate: item.estimate,
            lower: Some(item.lower),
            upper: Some(upper(item)),
            scaled: Some(item.scaled),
        };
        let absent_upper = absent_upper.max(left_out.unwrap_or(0));
        (items.iter().map(entry).collect(), ListTotals { absent_upper })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, lower: u64, upper: u64) -> TopEntry {
        TopEntry {
            name: name.to_owned(),
            estimate: lower,
            lower: Some(lower),
            upper: Some(upper),
            scaled: None,
        }
    }

    fn totals(absent_upper: u64) -> ListTotals {
        ListTotals { absent_upper }
    }

    #[test]
    fn an_item_may_have_counted_where_it_is_not_listed() {
        let (first, second) = ([entry("a", 10, 12), entry("b", 4, 4)], [entry("a", 1, 1), entry("c", 9, 9)]);
        let mut sum = ListSum::default();
        sum.add(&first, totals(3));
        sum.add(&second, totals(1));
        let (entries, rest) = sum.finish(10);
        let found: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.lower, e.upper)).collect();
        let expected = [("a", Some(11), Some(13)), ("c", Some(9), Some(12)), ("b", Some(4), Some(5))];
        assert_eq!(found, expected);
        assert_eq!(rest, totals(4));
    }

    #[test]
    fn what_is_cut_off_raises_the_bound_of_absent_items() {
        let list = [entry("a", 10, 10), entry("b", 5, 9)];
        let mut sum = ListSum::default();
        sum.add(&list, totals(2));
        let (entries, rest) = sum.finish(1);
        assert_eq!((entries.len(), rest), (1, totals(9)));
    }

    #[test]
    fn a_name_that_an_agent_lists_twice_neither_panics_nor_lowers_a_bound() {
        let list = [entry("a", u64::MAX, 0), entry("a", 7, 3), TopEntry::default()];
        let mut sum = ListSum::default();
        sum.add(&list, totals(u64::MAX));
        sum.add(&[], totals(5));
        let (entries, _) = sum.finish(10);
        assert_eq!((entries[0].estimate, entries[0].upper), (u64::MAX, Some(u64::MAX)));
    }

    proptest! {
        #[test]
        fn bounds_hold_for_every_name_however_short_the_lists(
            streams in proptest::collection::vec(proptest::collection::vec(0..30_u8, 1..200), 1..5),
            length in 1_usize..12,
        ) {
            let mut truth: BTreeMap<String, u64> = BTreeMap::new();
            let mut lists = Vec::new();
            for stream in &streams {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                for byte in stream {
                    *counts.entry(byte.to_string()).or_default() += 1;
                    *truth.entry(byte.to_string()).or_default() += 1;
                }
                let mut list: Vec<_> = counts.iter().map(|(name, count)| entry(name, *count, *count)).collect();
                list.sort_by_key(|entry| std::cmp::Reverse(entry.estimate));
                let absent = list.get(length).map_or(0, |entry| entry.estimate);
                list.truncate(length);
                lists.push((list, totals(absent)));
            }
            let mut sum = ListSum::default();
            lists.iter().for_each(|(list, totals)| sum.add(list, *totals));
            let (entries, rest) = sum.finish(length);
            for (name, count) in truth {
                match entries.iter().find(|entry| entry.name == name) {
                    Some(entry) => prop_assert!(entry.lower <= Some(count) && Some(count) <= entry.upper),
                    None => prop_assert!(count <= rest.absent_upper),
                }
            }
        }
    }
}
