//! The punted packets of all processors or receive queues, in the order of time.

use std::io;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::sharding::Shards;

use super::ring::RecordRing;
use super::source::RecordSource;

/// No epoch is held back; not [`NextRecord::NO_EPOCH`], which a record may say.
const NOT_HELD: u32 = u32::MAX - 1;

/// The ring buffers of all processors, or the sockets of all receive queues, for one consumer.
///
/// Programs wake nobody up: poll every few milliseconds.
#[derive(Debug)]
pub struct Deep<S = RecordRing> {
    sources: Vec<S>,
    /// For each: the time stamp of its next record, [`NONE`] where none is due.
    due: Vec<u64>,
    /// Records of this epoch stay where they are.
    held: u32,
}

/// Nothing is due.
const NONE: u64 = u64::MAX;

impl<S: RecordSource> Deep<S> {
    /// Takes records from all `sources`.
    pub fn new(sources: Vec<S>) -> Self {
        let due = vec![NONE; sources.len()];
        Self { sources, due, held: NOT_HELD }
    }

    /// From now on, records of packets that were counted in this epoch stay where they are, until
    /// another one is held back: what was counted before is analysed first. Of packets that cause
    /// one another, the later one is never of an earlier epoch, so this does not take a response
    /// before its query.
    pub fn hold(&mut self, epoch: Option<u32>) {
        self.held = epoch.unwrap_or(NOT_HELD);
    }

    /// One for each shard, of sources in the order of [`Shards::place`].
    pub fn by_shard(sources: impl IntoIterator<Item = S>, shards: Shards) -> Vec<Self> {
        let mut of_shards: Vec<Vec<S>> = (0..shards.count()).map(|_| Vec::new()).collect();
        for (place, source) in sources.into_iter().enumerate() {
            of_shards[place % shards.count() as usize].push(source);
        }
        of_shards.into_iter().map(Self::new).collect()
    }

    /// Takes the records that were stamped until `until_ns` ([`monotonic_ns`]), at most about
    /// `records_max`, in the order of their time stamps; returns how many.
    ///
    /// What happened before a packet was seen is in the rings before that packet is, or after a
    /// [delay](RecordSource::DELAY_NS): with a time read just before this, a response never comes
    /// before its query. Records within the delay stay.
    pub fn poll(
        &mut self,
        until_ns: u64,
        records_max: usize,
        mut take: impl FnMut(&RecordHeader, &[u8]),
    ) -> usize {
        let until_ns = until_ns.saturating_sub(S::DELAY_NS);
        for (source, due) in self.sources.iter_mut().zip(&mut self.due) {
            *due = next_due(source, until_ns, self.held);
        }
        let mut taken = 0;
        while taken < records_max
            && let Some((first, second_ns)) = self.earliest()
            && let (Some(source), Some(due)) = (self.sources.get_mut(first), self.due.get_mut(first))
        {
            // Take records of this source until another source has an earlier one.
            while *due <= second_ns && *due != NONE && taken < records_max {
                source.take_next(&mut take);
                taken += 1;
                *due = next_due(source, until_ns, self.held);
            }
        }
        self.release();
        taken
    }

    /// Gives room back to the kernel and wakes it if it waits for room; done by every
    /// [`poll`](Self::poll).
    pub fn release(&mut self) {
        self.sources.iter_mut().for_each(S::release);
    }

    /// The used share of the fullest source, from 0 to 1.
    pub fn fill(&mut self) -> f64 {
        self.sources.iter_mut().map(S::fill).fold(0.0, f64::max)
    }

    /// Checks the sources; call it about ten times a second. Reports once why a source has ended.
    pub fn upkeep(&mut self) -> Vec<io::Error> {
        self.sources.iter_mut().filter_map(|source| source.upkeep().err()).collect()
    }

    /// The source with the earliest next record, and the earliest time stamp of the other sources.
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
fn next_due(source: &mut impl RecordSource, until_ns: u64, held: u32) -> u64 {
    match source.next() {
        Some(next) if next.timestamp_ns <= until_ns && next.epoch != held => next.timestamp_ns,
        _ => NONE,
    }
}

/// CLOCK_MONOTONIC in nanoseconds, as programs stamp packets.
pub fn monotonic_ns() -> u64 {
    // The clock always exists.
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap_or(TimeSpec::new(0, 0));
    let [seconds, nanoseconds] = [time.tv_sec(), time.tv_nsec()].map(|part| u64::try_from(part).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}
