//! What every part of a period can do: begin, merge, shrink, and tell what came since a moment.

use crate::cardinality::Cardinality;
use crate::codes::CodeCounts;
use crate::distinct_names::DistinctNames;
use crate::distribution::Distribution;
use crate::frequent::{Frequent, FrequentItems, ListLimits};
use crate::rare_items::RareItems;
use crate::slowness::Times;

/// A part of the metrics of a period.
pub(super) trait Remember {
    /// An empty one.
    fn begin() -> Self;

    /// Adds the metrics of `other`.
    fn merge(&mut self, other: &Self);

    /// Reduces it to `limits`.
    fn shrink(&mut self, limits: ListLimits);

    /// What must be kept of it now, so that it can later be [taken away](Self::subtract): counts,
    /// the largest of each list.
    fn baseline(&self) -> Self;

    /// Takes away what had been counted at these baselines of it, or of the ones that it was merged
    /// from. Distinct counts cannot be subtracted; they are empty afterwards.
    fn subtract(&mut self, baselines: &[&Self])
    where
        Self: Sized;

    /// Adds the numbers of `other` that can be summed since start in little memory: counters and
    /// histograms. Lists and distinct counts stay empty, so they do nothing here.
    fn add_numbers(&mut self, _other: &Self) {}
}

/// Types of fixed size, which are not reduced.
macro_rules! remember_whole {
    ($($kind:ty $(: $add_numbers:ident $subtract:ident)?),*) => { $(
        impl Remember for $kind {
            fn begin() -> Self {
                Self::default()
            }

            fn merge(&mut self, other: &Self) {
                self.merge(other);
            }

            fn shrink(&mut self, _limits: ListLimits) {}

            remember_whole! { @since $($subtract)? }

            $(fn $add_numbers(&mut self, other: &Self) {
                self.merge(other);
            })?
        }
    )* };
    (@since) => {
        fn baseline(&self) -> Self {
            Self::default()
        }

        fn subtract(&mut self, baselines: &[&Self]) {
            if !baselines.is_empty() {
                *self = Self::default();
            }
        }
    };
    (@since subtract) => {
        fn baseline(&self) -> Self {
            self.clone()
        }

        fn subtract(&mut self, baselines: &[&Self]) {
            baselines.iter().for_each(|baseline| self.subtract(baseline));
        }
    };
}

remember_whole!(Cardinality, Distribution: add_numbers subtract, Times: add_numbers subtract);

impl Remember for DistinctNames {
    fn begin() -> Self {
        Self::default()
    }

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn shrink(&mut self, _limits: ListLimits) {
        self.shrink();
    }

    remember_whole! { @since }
}

impl Remember for u64 {
    fn begin() -> Self {
        0
    }

    fn merge(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }

    fn shrink(&mut self, _limits: ListLimits) {}

    fn baseline(&self) -> Self {
        *self
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        baselines.iter().for_each(|baseline| *self = self.saturating_sub(**baseline));
    }

    fn add_numbers(&mut self, other: &Self) {
        self.merge(other);
    }
}

impl<const W: usize> Remember for Frequent<W> {
    fn begin() -> Self {
        Self::new(ListLimits::LIVE)
    }

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn shrink(&mut self, limits: ListLimits) {
        self.shrink(limits);
    }

    fn baseline(&self) -> Self {
        self.baseline()
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        self.subtract(baselines);
    }
}

impl Remember for RareItems {
    fn begin() -> Self {
        Self::default()
    }

    fn merge(&mut self, other: &Self) {
        (**self).merge(other);
    }

    fn shrink(&mut self, limits: ListLimits) {
        (**self).shrink(limits.of_rare());
    }

    fn baseline(&self) -> Self {
        Self::of((**self).baseline())
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        let baselines: Vec<&FrequentItems> = baselines.iter().map(|baseline| &***baseline).collect();
        (**self).subtract(&baselines);
    }
}

impl Remember for CodeCounts {
    fn begin() -> Self {
        Self::default()
    }

    fn merge(&mut self, other: &Self) {
        self.merge(other);
    }

    fn shrink(&mut self, limits: ListLimits) {
        // Thousands of codes spread over all pages take as much memory as all codes.
        if limits.entries <= Self::FEW {
            self.shrink(limits.entries);
        }
    }

    fn baseline(&self) -> Self {
        self.baseline()
    }

    fn subtract(&mut self, baselines: &[&Self]) {
        self.subtract(baselines);
    }
}
