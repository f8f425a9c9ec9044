//! The packets that the kernel handed up, from the rings of all processors, in the order of time.

use pktvisor_common::kernel::record::RecordHeader;

use super::Ring;
use crate::prefetch::prefetch_address;

/// All ring buffers, for one consumer.
///
/// Programs wake nobody up: look after the rings every few milliseconds.
#[derive(Debug)]
pub struct Deep {
    rings: Vec<Ring>,
    /// For each ring: the time stamp of its next record, [`NONE`] where none is due.
    due: Vec<u64>,
}

/// Nothing is due.
const NONE: u64 = u64::MAX;

impl Deep {
    pub(super) fn new(rings: Vec<Ring>) -> Self {
        let due = vec![NONE; rings.len()];
        Self { rings, due }
    }

    /// Takes the records that were stamped until `until_ns` ([`monotonic_ns`]), at most about `records_max`, in the
    /// order of their time stamps; returns how many.
    ///
    /// What happened before a packet was seen is in the rings before that packet is: with a time read just before
    /// this, a response never comes before its query.
    pub fn drain(
        &mut self,
        until_ns: u64,
        records_max: usize,
        mut take: impl FnMut(&RecordHeader, &[u8]),
    ) -> usize {
        for (ring, due) in self.rings.iter_mut().zip(&mut self.due) {
            *due = next_due(ring, until_ns);
        }
        let mut taken = 0;
        while taken < records_max
            && let Some((first, second_ns)) = self.earliest()
            && let (Some(ring), Some(due)) = (self.rings.get_mut(first), self.due.get_mut(first))
        {
            // As long as no other ring has an earlier one there is nothing to compare.
            while *due <= second_ns && *due != NONE && taken < records_max {
                if let Some(record) = ring.peek() {
                    expect_behind(record);
                    if let Some((header, bytes)) = RecordHeader::split(record) {
                        take(&header, bytes);
                    }
                    let len = record.len();
                    ring.skip(len);
                }
                taken += 1;
                *due = next_due(ring, until_ns);
            }
        }
        self.rings.iter_mut().for_each(Ring::release);
        taken
    }

    /// The fullest ring's part that is in use, from 0 to 1.
    pub fn fill(&self) -> f64 {
        self.rings.iter().map(Ring::fill).fold(0.0, f64::max)
    }

    /// The ring whose next record is the earliest, and the time stamp of the earliest of the others.
    fn earliest(&self) -> Option<(usize, u64)> {
        let (mut first, mut first_ns, mut second_ns) = (0, NONE, NONE);
        for (i, &ns) in self.due.iter().enumerate() {
            if ns < first_ns {
                (first, first_ns, second_ns) = (i, ns, first_ns);
            } else if ns < second_ns {
                second_ns = ns;
            }
        }
        (first_ns != NONE).then_some((first, second_ns))
    }
}

/// The time stamp of the next record, if it is due.
#[inline]
fn next_due(ring: &mut Ring, until_ns: u64) -> u64 {
    // A record too short for a time stamp is not ours; it is taken at once.
    let stamp = |record: &[u8]| record.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    ring.peek().map(stamp).filter(|stamp| *stamp <= until_ns).unwrap_or(NONE)
}

/// Asks for the beginning of what lies behind a record, which is most likely the next one.
#[inline]
fn expect_behind(record: &[u8]) {
    const LINE_BYTES: usize = 64;
    const LINES: usize = 4;
    for line in 0..LINES {
        prefetch_address(record.as_ptr().wrapping_add(record.len() + line * LINE_BYTES));
    }
}

/// CLOCK_MONOTONIC in nanoseconds, as programs stamp packets.
pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live local of the type that is written; the clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
