//! How a direction begins, merges with others, shrinks, and subtracts what came before.

use super::SideRecord;
use crate::cardinality::Cardinality;
use crate::codes_by_side::MessageCodes;
use crate::distribution::Distribution;
use crate::frequent::{Frequent, FrequentItems, ListLimits};
use crate::remember::Remember;

impl Remember for SideRecord {
    fn begin() -> Self {
        let rare = || FrequentItems::new(ListLimits::SMALL);
        Self {
            codes: MessageCodes::begin(),
            tcp_queries: 0,
            ipv6_queries: 0,
            query_bytes: 0,
            response_bytes: 0,
            nodata: 0,
            referrals: 0,
            malformed: 0,
            timed_out: 0,
            orphans: 0,
            query_sizes: Distribution::default(),
            response_sizes: Distribution::default(),
            size_ratios: Distribution::default(),
            distinct: Cardinality::default(),
            parties: Frequent::new(ListLimits::PARTIES),
            by_malformed: rare(),
            by_timed_out: rare(),
            by_truncated: rare(),
            by_amplified_bytes: rare(),
            by_prefix: rare(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.add_plain_numbers(other);
        self.codes.merge(&other.codes);
        self.distinct.merge(&other.distinct);
        self.parties.merge(&other.parties);
        for (ours, theirs) in self.rare_lists_mut().into_iter().zip(other.rare_lists()) {
            ours.merge(theirs);
        }
    }

    fn shrink(&mut self, limits: ListLimits) {
        self.codes.shrink(limits);
        self.parties.shrink(limits);
        self.rare_lists_mut().into_iter().for_each(|list| list.shrink(limits.of_rare()));
    }

    fn baseline(&self) -> Self {
        let mut baseline = Self::begin();
        baseline.add_plain_numbers(self);
        baseline.codes = self.codes.baseline();
        baseline.parties = self.parties.baseline();
        for (kept, list) in baseline.rare_lists_mut().into_iter().zip(self.rare_lists()) {
            *kept = list.baseline();
        }
        baseline
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        macro_rules! subtract {
            ($baseline:ident: $($field:ident)*) => {
                $(self.$field = self.$field.saturating_sub($baseline.$field);)*
            };
        }
        for baseline in baselines {
            subtract!(baseline: tcp_queries ipv6_queries query_bytes response_bytes nodata referrals malformed
                timed_out orphans);
            self.query_sizes.subtract(&baseline.query_sizes);
            self.response_sizes.subtract(&baseline.response_sizes);
            self.size_ratios.subtract(&baseline.size_ratios);
        }
        self.codes.subtract(&baselines.iter().map(|baseline| &baseline.codes).collect::<Vec<_>>());
        self.parties.subtract(&baselines.iter().map(|baseline| &baseline.parties).collect::<Vec<_>>());
        let distinct: Vec<_> = baselines.iter().map(|baseline| &baseline.distinct).collect();
        Remember::subtract(&mut self.distinct, &distinct);
        for (n, list) in self.rare_lists_mut().into_iter().enumerate() {
            list.subtract(&baselines.iter().map(|baseline| baseline.rare_lists()[n]).collect::<Vec<_>>());
        }
    }

    fn add_numbers(&mut self, other: &Self) {
        self.add_plain_numbers(other);
        self.codes.add_numbers(&other.codes);
    }
}

impl SideRecord {
    fn add_plain_numbers(&mut self, other: &Self) {
        macro_rules! add {
            ($($field:ident)*) => { $(self.$field = self.$field.saturating_add(other.$field);)* };
        }
        add!(tcp_queries ipv6_queries query_bytes response_bytes nodata referrals malformed timed_out orphans);
        self.query_sizes.merge(&other.query_sizes);
        self.response_sizes.merge(&other.response_sizes);
        self.size_ratios.merge(&other.size_ratios);
    }

    fn rare_lists_mut(&mut self) -> [&mut FrequentItems; 5] {
        [
            &mut self.by_malformed,
            &mut self.by_timed_out,
            &mut self.by_truncated,
            &mut self.by_amplified_bytes,
            &mut self.by_prefix,
        ]
    }

    fn rare_lists(&self) -> [&FrequentItems; 5] {
        [
            &self.by_malformed,
            &self.by_timed_out,
            &self.by_truncated,
            &self.by_amplified_bytes,
            &self.by_prefix,
        ]
    }
}
