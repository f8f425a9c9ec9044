//! What a document of an agent must be like before it is merged.

use pktvisor_api::{ExponentialHistogram, SKETCHES_FORMAT, SketchDocument};

use crate::rows::Rows;

/// The longest list that an agent sends.
pub const ENTRIES_MAX: usize = 1000;

/// The most buckets of a histogram: more than the 16,384 that cover all 64-bit integers at scale 8.
pub(crate) const BUCKETS_MAX: usize = 20_000;

/// The most sketches of a kind in a document, several times as many as the declarations have rows.
const SKETCHES_MAX: usize = 256;

/// The scales that OpenTelemetry defines.
const SCALES: std::ops::RangeInclusive<i8> = -10..=20;

/// Why a document is not merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A later version of the document.
    #[error("sketches of format {0} are not known")]
    Format(u32),
    /// A sketch of distinct items that is not an HLL_8 image with 2^14 registers.
    #[error("{0} is not an HLL_8 image with 2^14 registers")]
    Image(String),
    /// A histogram that cannot be.
    #[error("{0} is not a base-2 exponential histogram")]
    Histogram(String),
    /// A list that is too long.
    #[error("{0} has more than {ENTRIES_MAX} entries")]
    LongList(String),
    /// Too many sketches.
    #[error("there are more than {SKETCHES_MAX} sketches of a kind")]
    ManySketches,
}

/// Checks all parts of a document.
pub(crate) fn check(document: &SketchDocument, rows: &Rows<'_>) -> Result<(), DocumentError> {
    if document.format != SKETCHES_FORMAT {
        return Err(DocumentError::Format(document.format));
    }
    let counts = [document.distinct.len(), document.histograms.len(), document.lists.len()];
    if counts.iter().any(|count| *count > SKETCHES_MAX) {
        return Err(DocumentError::ManySketches);
    }
    if let Some((path, _)) = document.distinct.iter().find(|(_, image)| image.registers().is_none()) {
        return Err(DocumentError::Image(path.clone()));
    }
    if let Some((path, _)) = document.histograms.iter().find(|(_, histogram)| !is_histogram(histogram)) {
        return Err(DocumentError::Histogram(path.clone()));
    }
    match rows.lists.iter().find(|(_, list)| list.len() > ENTRIES_MAX) {
        Some((path, _)) => Err(DocumentError::LongList(path.clone())),
        None => Ok(()),
    }
}

fn is_histogram(histogram: &ExponentialHistogram) -> bool {
    SCALES.contains(&histogram.scale) && histogram.buckets.len() <= BUCKETS_MAX && histogram.sum.is_finite()
}
