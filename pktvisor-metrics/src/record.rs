//! Generates the records of a period from the declarations of [`pktvisor_definitions`]: how they
//! begin, merge, shrink and are reported.

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
        record! { @rows $report $record $kernel $kept { $($all)* [$field ($($json)?) Computed ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: Distinct($unit:ident, $what:ident, derived) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field () DistinctOfRecord ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: Quantiles($unit:tt, derived) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field () QuantilesOfRecord ()] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident: List($unit:ident, $class:ident, $what:ident, derived) $(=> $family:tt)?;
        $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field () ListOfRecord ()] } $($rest)* }
    };
    // Rows of other records, which are only in the report.
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Kernel($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field ($($json)?) Kernel $kernel] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Sizes($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field ($($json)?) Kernel $kernel] } $($rest)* }
    };
    (@rows $report:ident $record:ident $kernel:tt $kept:tt { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: Derived($($of:tt)*) $(=> $family:tt)?; $($rest:tt)*) => {
        record! { @rows $report $record $kernel $kept { $($all)* [$field ($($json)?) Derived $record] } $($rest)* }
    };
    // Rows of this record.
    (@rows $report:ident $record:ident $kernel:tt { $($kept:tt)* } { $($all:tt)* }
        $(#[$help:meta])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*) $(=> $family:tt)?;
        $($rest:tt)*) => {
        record! { @rows $report $record $kernel
            { $($kept)* [{$(#[$help])+} $field $kind ($($of)*)] } { $($all)* [$field ($($json)?) $kind ($($of)*)] } $($rest)*
        }
    };
    (@rows $report:ident $record:ident $kernel:tt
        { $([{$(#[$help:meta])+} $field:ident $kind:ident $of:tt])* }
        { $([$any_field:ident $any_json:tt $any_kind:ident $any_of:tt])* }) => {
        #[derive(Clone, Debug)]
        pub(super) struct $record { $($(#[$help])+ pub $field: $crate::record::kept!($kind $of),)* }

        impl $crate::remember::Remember for $record {
            fn begin() -> Self {
                Self { $($field: $crate::remember::Remember::begin(),)* }
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn merge(&mut self, other: &Self) {
                $($crate::remember::Remember::merge(&mut self.$field, &other.$field);)*
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn shrink(&mut self, limits: $crate::frequent::ListLimits) {
                $($crate::remember::Remember::shrink(&mut self.$field, limits);)*
            }

            fn baseline(&self) -> Self {
                Self { $($field: $crate::remember::Remember::baseline(&self.$field),)* }
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn subtract(&mut self, baselines: &[&Self]) {
                $({
                    let baselines: Vec<_> = baselines.iter().map(|baseline| &baseline.$field).collect();
                    $crate::remember::Remember::subtract(&mut self.$field, &baselines);
                })*
            }

            #[allow(unused_variables, reason = "some groups keep nothing themselves")]
            fn add_numbers(&mut self, other: &Self) {
                $($crate::remember::Remember::add_numbers(&mut self.$field, &other.$field);)*
            }
        }

        impl $record {
            #[allow(unused_variables, reason = "some groups need nothing of their surroundings")]
            pub(super) fn report(&self, context: &$crate::context::Context<'_>) -> pktvisor_api::$report {
                let record = self;
                pktvisor_api::$report {
                    $($any_field: $crate::record::reported!(record context $any_field $any_json $any_kind $any_of),)*
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

/// The value of a row in the report. The context also collects the sketch of the row if it has one.
macro_rules! reported {
    ($record:ident $context:ident $field:ident $json:tt Kernel [$kernel:ident]) => {
        $context.kernel::<pktvisor_common::counters::$kernel>().$field
    };
    ($record:ident $context:ident $field:ident $json:tt Derived $type:ident) => {
        $type::$field($context)
    };
    ($record:ident $context:ident $field:ident $json:tt Computed $of:tt) => {
        $record.$field($context)
    };
    ($record:ident $context:ident $field:ident $json:tt Counter $of:tt) => {
        $record.$field
    };
    ($record:ident $context:ident $field:ident $json:tt Distinct $of:tt) => {
        $context.distinct($crate::record::key!($field $json), &$record.$field)
    };
    ($record:ident $context:ident $field:ident $json:tt DistinctOfRecord $of:tt) => {
        $context.distinct($crate::record::key!($field $json), $record.$field())
    };
    ($record:ident $context:ident $field:ident $json:tt Quantiles $of:tt) => {
        $context.quantiles($crate::record::key!($field $json), &$record.$field)
    };
    ($record:ident $context:ident $field:ident $json:tt QuantilesOfRecord $of:tt) => {
        $context.quantiles($crate::record::key!($field $json), $record.$field())
    };
    ($record:ident $context:ident $field:ident $json:tt Times $of:tt) => {
        $context.quantiles($crate::record::key!($field $json), $record.$field.values())
    };
    ($record:ident $context:ident $field:ident $json:tt List ($unit:ident, $class:ident, $what:ident)) => {{
        let list =
            $crate::listed::Listed::listed(&$record.$field, $context.lists, $crate::listed::spell::$what);
        $context.list(
            $crate::record::key!($field $json),
            $crate::record::known!($context $what $context.$class(list)),
        )
    }};
    ($record:ident $context:ident $field:ident $json:tt ListOfRecord $of:tt) => {
        $context.list($crate::record::key!($field $json), $record.$field($context))
    };
    ($record:ident $context:ident $field:ident $json:tt Group $of:tt) => {
        $record.$field.report(&$context.within($crate::record::key!($field $json)))
    };
}

/// The key of a row in the JSON.
macro_rules! key {
    ($field:ident ()) => {
        stringify!($field)
    };
    ($field:ident ($json:literal)) => {
        $json
    };
}

/// A list of which it is known what it leaves out. Lists of text are lists of places.
macro_rules! known {
    ($context:ident Text $list:expr) => {
        $context.unless_places_are_unknown($list)
    };
    ($context:ident $what:ident $list:expr) => {
        $list
    };
}

pub(super) use {kept, key, known, record, reported};
