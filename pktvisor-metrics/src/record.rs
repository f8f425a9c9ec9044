//! Generates the records of a period from the declarations of [`pktvisor_definitions`]: how they
//! begin, merge, shrink and are reported.

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

/// The record of a group, and its report in the types of the JSON.
///
/// A `Derived` row is an associated function of the record that has the row's name and takes the
/// [`Context`](super::context::Context). A `Computed` row, or one that is `derived`, is a method.
///
/// `@with` gives the record fields that are no rows: `[{documentation} name Own (Type)]`.
macro_rules! record {
    ($(#[$about:meta])* $path:literal: $report:ident / $record:ident $(, kernel $kernel:ident)? { $($rows:tt)* }) => {
        record! { @rows $report $record [$($kernel)?] {} {} $($rows)* }
    };
    // A record that also keeps what is no row of its own.
    (@with $extra:tt
        $(#[$about:meta])* $path:literal: $report:ident / $record:ident $(, kernel $kernel:ident)? { $($rows:tt)* }) => {
        record! { @rows $report $record [$($kernel)?] $extra {} $($rows)* }
    };
    // Rows that the record computes.
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Computed($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Computed ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: Distinct($unit:ident, $what:ident, derived) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Computed ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: Quantiles($unit:tt, derived) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Computed ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: List($unit:ident, $class:ident, $what:ident, derived) $(=> $family:tt)?;
        $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Computed ()] } $($rest)* }
    };
    // Rows of other records, which are only in the report.
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Kernel($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Kernel $kernel] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Sizes($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Kernel $kernel] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Derived($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field Derived $record] } $($rest)* }
    };
    // Rows of this record.
    (@rows $report:ident $record:ident $kernel:tt { $($kept:tt)* } { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*) $(=> $family:tt)?;
        $($rest:tt)*) => {
        record! { @rows $report $record $kernel
            { $($kept)* [{$(#[$help])+} $field $kind ($($of)*)] } { $($all)* [$field $kind ($($of)*)] } $($rest)*
        }
    };
    (@rows $report:ident $record:ident $kernel:tt
        { $([{$(#[$help:meta])+} $field:ident $kind:ident $of:tt])* }
        { $([$any_field:ident $any_kind:ident $any_of:tt])* }) => {
        #[derive(Clone, Debug)]
        pub(super) struct $record { $($(#[$help])+ pub $field: $crate::record::kept!($kind $of),)* }

        impl $crate::record::Remember for $record {
            fn begin() -> Self {
                Self { $($field: $crate::record::Remember::begin(),)* }
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn merge(&mut self, other: &Self) {
                $($crate::record::Remember::merge(&mut self.$field, &other.$field);)*
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn shrink(&mut self, limits: $crate::frequent::ListLimits) {
                $($crate::record::Remember::shrink(&mut self.$field, limits);)*
            }

            fn baseline(&self) -> Self {
                Self { $($field: $crate::record::Remember::baseline(&self.$field),)* }
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn subtract(&mut self, baselines: &[&Self]) {
                $({
                    let baselines: Vec<_> = baselines.iter().map(|baseline| &baseline.$field).collect();
                    $crate::record::Remember::subtract(&mut self.$field, &baselines);
                })*
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn add_numbers(&mut self, other: &Self) {
                $($crate::record::Remember::add_numbers(&mut self.$field, &other.$field);)*
            }
        }

        impl $record {
            #[allow(unused_variables, reason = "some groups need nothing of their surroundings")]
            pub(super) fn report(&self, context: &$crate::context::Context<'_>) -> pktvisor_api::$report {
                let record = self;
                pktvisor_api::$report {
                    $($any_field: $crate::record::reported!(record context $any_field $any_kind $any_of),)*
                }
            }
        }
    };
}

/// The type of a row in the record.
macro_rules! kept {
    (Own ($type:ty)) => {
        $type
    };
    (Counter $of:tt) => {
        u64
    };
    (Distinct ($unit:ident, Names)) => {
        $crate::distinct_names::DistinctNames
    };
    (Distinct ($unit:ident, Addresses)) => {
        $crate::cardinality::Cardinality
    };
    (Quantiles $of:tt) => {
        $crate::distribution::Distribution
    };
    (Times $of:tt) => {
        $crate::slowness::Times
    };
    (List ($unit:ident, $class:ident, Name)) => {
        $crate::frequent::FrequentItems
    };
    (List ($unit:ident, $class:ident, Address)) => {
        $crate::frequent::FrequentItems
    };
    (List ($unit:ident, $class:ident, Text)) => {
        $crate::frequent::FrequentItems
    };
    (List ($unit:ident, $class:ident, Zone)) => {
        $crate::rare_items::RareItems
    };
    (List ($unit:ident, $class:ident, Prefix)) => {
        $crate::rare_items::RareItems
    };
    (List ($unit:ident, $class:ident, $code:ident)) => {
        $crate::codes::CodeCounts
    };
    (Group ($report:ident, $record:ident)) => {
        $record
    };
}

/// The value of a row in the report.
macro_rules! reported {
    ($record:ident $context:ident $field:ident Kernel [$kernel:ident]) => {
        $context.kernel::<pktvisor_common::counters::$kernel>().$field
    };
    ($record:ident $context:ident $field:ident Derived $type:ident) => {
        $type::$field($context)
    };
    ($record:ident $context:ident $field:ident Computed $of:tt) => {
        $record.$field($context)
    };
    ($record:ident $context:ident $field:ident Counter $of:tt) => {
        $record.$field
    };
    ($record:ident $context:ident $field:ident Distinct $of:tt) => {
        $record.$field.estimate()
    };
    ($record:ident $context:ident $field:ident Quantiles $of:tt) => {
        $record.$field.report()
    };
    ($record:ident $context:ident $field:ident Times $of:tt) => {
        $record.$field.values().report()
    };
    ($record:ident $context:ident $field:ident List ($unit:ident, $class:ident, $what:ident)) => {
        $context.$class($crate::listed::Listed::listed(
            &$record.$field,
            $context.list_length,
            $crate::listed::spell::$what,
        ))
    };
    ($record:ident $context:ident $field:ident Group $of:tt) => {
        $record.$field.report($context)
    };
}

pub(super) use {kept, record, reported};
