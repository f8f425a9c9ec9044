//! Rows for tests.

use std::ops::Range;

use pktvisor_api::{ExponentialBucket, ExponentialHistogram};
use twox_hash::XxHash64;

use crate::layout::LAYOUT;
use crate::row::{ArchiveRow, ArchivedEntry, ArchivedList};

/// The image of these items.
pub(crate) fn image(items: Range<u64>) -> Vec<u8> {
    let mut registers = vec![0_u8; 1 << 14];
    for item in items {
        let hash = XxHash64::oneshot(0, &item.to_le_bytes());
        let register = &mut registers[(hash & 0x3fff) as usize];
        *register = (*register).max((hash >> 14).trailing_zeros() as u8 % 50 + 1);
    }
    let kxq: f64 = registers.iter().map(|register| (-f64::from(*register)).exp2()).sum();
    let empty = registers.iter().filter(|register| **register == 0).count() as u32;
    // Its history is unknown: "out of order".
    let mut image = vec![10, 1, 7, 14, 0, 16, 0, 10];
    image.extend_from_slice(&0_f64.to_le_bytes());
    image.extend_from_slice(&kxq.to_le_bytes());
    image.extend_from_slice(&0_f64.to_le_bytes());
    image.extend_from_slice(&empty.to_le_bytes());
    image.extend_from_slice(&0_u32.to_le_bytes());
    image.extend_from_slice(&registers);
    image
}

/// A row with every column filled.
pub(crate) fn filled(seed: u64, start_s: u64) -> ArchiveRow {
    let start_us = (start_s * 1_000_000).cast_signed();
    let histogram = |place: usize| ExponentialHistogram {
        scale: 8 - (place % 2) as i8,
        zero: seed % 3,
        count: seed % 3 + 7,
        sum: 7.5,
        buckets: vec![
            ExponentialBucket { index: -3, count: 3 },
            ExponentialBucket { index: (seed % 100) as i32, count: 4 },
        ],
    };
    let list = |place: usize| ArchivedList {
        entries: (0..place as u64 % 7)
            .map(|rank| {
                let estimate = 100 - 10 * rank;
                let name = format!("name-{}.example", (seed + rank) % 9);
                ArchivedEntry { name, estimate, lower: estimate - 1, upper: estimate + 2 }
            })
            .collect(),
        absent_upper: seed % 5,
    };
    ArchiveRow {
        agent: "agent-1".to_owned(),
        start_us,
        end_us: start_us + 60_000_000,
        length_s: 60.0,
        sources: Vec::new(),
        counters: (0..LAYOUT.counters.len() as u64).map(|place| place * 10 + seed).collect(),
        histograms: (0..LAYOUT.histograms.len()).map(histogram).collect(),
        distinct: (0..LAYOUT.distinct.len() as u64)
            .map(|place| (place > 0).then(|| image(seed..seed + 10 * place)))
            .collect(),
        lists: (0..LAYOUT.lists.len()).map(list).collect(),
    }
}
