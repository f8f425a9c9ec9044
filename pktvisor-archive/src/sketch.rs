//! Merging of distinct counts and histograms.

use std::collections::BTreeMap;

use datasketches::hll::{HllSketch, HllType, HllUnion};
use pktvisor_api::{ExponentialBucket, ExponentialHistogram};

use crate::row::ArchiveRow;

/// Registers of an image, as a power of two.
const LG_REGISTERS: u8 = 14;
/// Bytes in front of the registers.
const PREAMBLE_BYTES: usize = 40;
/// The first bytes of an image: words of the preamble, version, family, registers.
const PREAMBLE: [u8; 4] = [10, 1, 7, LG_REGISTERS];
/// The byte that says that registers follow, of one byte each.
const MODE: (usize, u8) = (7, 2 | 2 << 2);
/// The greatest value that a register can have: a hash has 64 bits.
const REGISTER_MAX: u8 = 63;
/// The scales of OpenTelemetry's data model.
const SCALES: std::ops::RangeInclusive<i8> = -10..=20;

/// Whether the sketches of a row from outside can be merged; the reason if not.
pub(crate) fn check(row: &ArchiveRow) -> Result<(), String> {
    for image in row.distinct.iter().flatten() {
        let is_image = image.len() == PREAMBLE_BYTES + (1 << LG_REGISTERS)
            && image.starts_with(&PREAMBLE)
            && image[MODE.0] == MODE.1
            && image[PREAMBLE_BYTES..].iter().all(|register| *register <= REGISTER_MAX);
        if !is_image {
            return Err("an image is not HLL_8 with 2^14 registers".to_owned());
        }
    }
    for histogram in &row.histograms {
        if !SCALES.contains(&histogram.scale) {
            return Err(format!("a histogram has scale {}", histogram.scale));
        }
    }
    Ok(())
}

/// The image of the union. Images of other agents and times of the same count may be merged in any
/// order.
pub(crate) fn union(images: &[&[u8]]) -> Result<Option<Vec<u8>>, datasketches::error::Error> {
    match images {
        [] => Ok(None),
        // Its true preamble estimates better than that of a union.
        [only] => Ok(Some(only.to_vec())),
        images => {
            let mut union = HllUnion::new(LG_REGISTERS)?;
            for image in images {
                union.update(&HllSketch::deserialize(image)?);
            }
            Ok(Some(union.to_sketch(HllType::Hll8).serialize()))
        }
    }
}

/// A histogram at this scale, or at its own if that is smaller.
pub(crate) fn at_scale(histogram: &ExponentialHistogram, scale: i8) -> ExponentialHistogram {
    sum_at([histogram], scale.min(histogram.scale))
}

/// The sum of histograms, at the smallest of their scales.
pub(crate) fn sum<'a>(
    histograms: impl IntoIterator<Item = &'a ExponentialHistogram>,
) -> ExponentialHistogram {
    // An empty histogram has no buckets to be scaled.
    let filled: Vec<_> = histograms.into_iter().filter(|histogram| histogram.count > 0).collect();
    let scale = filled.iter().map(|histogram| histogram.scale).min().unwrap_or(0);
    sum_at(filled, scale)
}

/// The sum at this scale, which none of theirs is below.
fn sum_at<'a>(
    histograms: impl IntoIterator<Item = &'a ExponentialHistogram>,
    scale: i8,
) -> ExponentialHistogram {
    let mut sum = ExponentialHistogram { scale, ..ExponentialHistogram::default() };
    let mut buckets = BTreeMap::<i32, u64>::new();
    for histogram in histograms {
        let shift = u32::from(histogram.scale.abs_diff(sum.scale)).min(31);
        sum.zero = sum.zero.saturating_add(histogram.zero);
        sum.count = sum.count.saturating_add(histogram.count);
        sum.sum += histogram.sum;
        for bucket in &histogram.buckets {
            let count = buckets.entry(bucket.index >> shift).or_default();
            *count = count.saturating_add(bucket.count);
        }
    }
    sum.buckets = buckets.into_iter().map(|(index, count)| ExponentialBucket { index, count }).collect();
    sum
}
