//! The live period while a capture thread holds it.

use std::sync::Arc;

use parking_lot::MutexGuard;
use pktvisor_common::classify::Class;
use pktvisor_common::counters::Counters;

use crate::keys::PacketKeys;
use crate::list_readers::ListReaders;
use crate::live_period::LivePeriod;
use crate::recorder::Recorder;
use crate::settings::Clock;
use crate::unarchived::Unarchived;
use crate::watch::{AnalysedPacket, MessageWatch, Watches, WatchingObserver};

/// The live period, locked for a batch of packets.
#[derive(Debug)]
pub struct Batch<'a> {
    live: MutexGuard<'a, LivePeriod>,
    list_readers: &'a ListReaders,
    watches: Option<Arc<[Arc<MessageWatch>]>>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        live: MutexGuard<'a, LivePeriod>,
        list_readers: &'a ListReaders,
        watches: &Watches,
    ) -> Self {
        Self { live, list_readers, watches: watches.current() }
    }

    /// Moves the clock to the time of the next packet and ends the seconds and periods that are
    /// over. Does nothing if the wall clock moves the periods. Calls `before_end` with the end of
    /// each second and period (nanoseconds since 1970) before it ends, so that analysis can still
    /// report to its recorder. Of a long time without packets it calls it for the last seconds.
    #[inline]
    pub fn advance(&mut self, timestamp_ns: u64, before_end: impl FnMut(u64, &mut Recorder)) {
        if self.live.clock() == Clock::Packets {
            self.live.advance(timestamp_ns, before_end);
        }
    }

    /// Whether a packet of this time begins a second, so that [`advance`](Self::advance) ends one.
    #[inline]
    pub fn begins_second(&self, timestamp_ns: u64) -> bool {
        self.live.begins_second(timestamp_ns)
    }

    /// Whether somebody watches messages.
    pub fn is_watched(&self) -> bool {
        self.watches.is_some()
    }

    /// Moves the wall clock, at every whole second, and ends the seconds and periods that are over.
    pub fn tick(&mut self, now_ns: u64) {
        if self.live.clock() == Clock::Wall && now_ns >= self.live.now_ns() {
            self.live.advance(now_ns, |_, _| {});
        }
    }

    /// Ends the last second of a capture file, which no packet ends. No packet may follow.
    pub fn finish(&mut self) {
        self.live.finish();
    }

    /// Whether a [tick](Self::tick) at this time rotates the period.
    pub fn rotates_at(&self, now_ns: u64) -> bool {
        self.live.rotates_at(now_ns)
    }

    /// Adds the counters of the kernel, and the number of DNS packets that were lost on the way to
    /// analysis.
    pub fn counted(&mut self, counters: &Counters, lost: u64) {
        self.live.recorder.counted(counters, lost);
    }

    /// Combines the [counters](Self::counted) and the copies that the threads
    /// [cut](super::Store::cut) into one moment, which readers see from now on. Packets that were
    /// counted and have no outcome yet are on their way to analysis.
    pub fn publish(&mut self) {
        self.live.publish();
        self.list_readers.wake();
    }

    /// Whether so many closed periods wait for the [archive](super::Store::with_archive) that a capture
    /// that can wait should.
    #[inline]
    pub fn is_archive_due(&self) -> bool {
        self.live.unarchived.as_ref().is_some_and(Unarchived::is_due)
    }

    /// The newest time seen, in nanoseconds since 1970.
    pub fn now_ns(&self) -> u64 {
        self.live.now_ns()
    }

    /// Prefetches the memory where a packet will be counted.
    #[inline]
    pub fn prefetch_packet(&self, keys: &PacketKeys<'_>) {
        self.live.recorder.prefetch_packet(keys);
    }

    /// Counts one packet.
    #[inline]
    pub fn packet(&mut self, class: &Class, keys: &PacketKeys<'_>, wire_len: u32) {
        self.live.recorder.packet(class, keys, wire_len);
    }

    /// The observer for the analysis of a packet if there are watches; else analysis reports to the
    /// [recorder](Self::recorder).
    #[inline]
    pub fn watching_observer<'b, 'p>(
        &'b mut self,
        seen: AnalysedPacket<'b, 'p>,
    ) -> Option<WatchingObserver<'b, 'p>> {
        let watches = self.watches.as_deref()?;
        Some(WatchingObserver::new(&mut self.live.recorder, watches, 0, seen))
    }

    /// The recorder, to which analysis reports.
    #[inline]
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.live.recorder
    }
}
