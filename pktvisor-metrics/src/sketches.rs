//! The sketches of a period in the form that other programs merge: DataSketches images of distinct
//! counts, exponential histograms of quantiles, and the bounds of items that lists leave out.
//!
//! A report collects them on its way through the rows of a period.

use pktvisor_api as api;

use crate::cardinality::Cardinality;
use crate::distinct_names::DistinctNames;
use crate::distribution::Distribution;
use crate::sizes::SizeCounts;

/// Items of which a period counts how many are distinct.
pub(super) trait DistinctItems {
    /// The estimated number.
    fn estimate(&self) -> u64;

    /// The image of their sketch; `None` if there are no items.
    fn hll_image(&self) -> Option<api::HllImage>;
}

/// Values of which a period reports quantiles.
pub(super) trait Values {
    /// The quantiles; `None` if there is no value.
    fn report(&self) -> Option<api::Quantiles>;

    /// The values by buckets.
    fn exponential_histogram(&self) -> api::ExponentialHistogram;
}

/// The methods of the type itself.
macro_rules! forward {
    ($($trait:ident for $($type:ty),*: $first:ident -> $of_first:ty, $second:ident -> $of_second:ty;)*) => { $( $(
        impl $trait for $type {
            fn $first(&self) -> $of_first {
                self.$first()
            }

            fn $second(&self) -> $of_second {
                self.$second()
            }
        }
    )* )* };
}

forward! {
    DistinctItems for Cardinality, DistinctNames: estimate -> u64, hll_image -> Option<api::HllImage>;
    Values for Distribution, SizeCounts:
        report -> Option<api::Quantiles>, exponential_histogram -> api::ExponentialHistogram;
}

/// The sketches of a period, each by its path in the report.
#[derive(Debug, Default)]
pub(super) struct CollectedSketches(api::SketchDocument);

impl CollectedSketches {
    pub(super) fn add_distinct(&mut self, path: String, items: &impl DistinctItems) {
        if let Some(image) = items.hll_image() {
            self.0.distinct.insert(path, image);
        }
    }

    pub(super) fn add_histogram(&mut self, path: String, values: &impl Values) {
        let histogram = values.exponential_histogram();
        if histogram.count > 0 {
            self.0.histograms.insert(path, histogram);
        }
    }

    pub(super) fn add_list(&mut self, path: String, absent_upper: u64) {
        self.0.lists.insert(path, api::ListTotals { absent_upper });
    }

    /// The document of the period that they were collected from, which is as many merged.
    pub(super) fn document(self, period: api::Period, periods: usize) -> api::SketchDocument {
        api::SketchDocument { format: api::SKETCHES_FORMAT, periods: periods as u32, period, ..self.0 }
    }
}
