//! The live period and the closed ones behind it, and how time moves them on.

use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::evidence::EvidenceHistory;
use crate::frequent::ListLimits;
use crate::ledger::Totals;
use crate::period::PeriodRecord;
use crate::prefixes::{MERGEABLE_PERIODS, Prefixes};
use crate::recorder::Recorder;
use crate::rolling::{RollingSlots, SlotBaselines};
use crate::seconds::{SECONDS_MAX, SecondRecorder};
use crate::settings::{Clock, StoreSettings};
use crate::shares::{Lists, Published, Shares};
use crate::timeline::{PERIOD_SECONDS, Step, Timeline};
use crate::unarchived::Unarchived;
use crate::watch::CaptureTime;

#[derive(Debug)]
pub(super) struct LivePeriod {
    settings: StoreSettings,
    pub recorder: Recorder,
    /// The findings of the worker threads, which publish them here.
    shares: Arc<Shares>,
    /// The findings of each worker thread up to the last moment.
    published: Published,
    /// Number of published moments; `None` if packets are counted here.
    pub moments: Option<u64>,
    timeline: Timeline,
    /// The counters when the current second began.
    second_began: Counters,
    /// The counts of the last full second.
    pub last_second: Counters,
    /// The last seconds; `None` if nobody can ask for them.
    pub seconds: Option<SecondRecorder>,
    /// What had been counted every ten seconds, while somebody reads it.
    pub rolling: RollingSlots,
    /// Zones, servers and clients of the last seconds, and the findings; `None` as above.
    pub history: Option<Box<EvidenceHistory>>,
    /// The counts of all closed periods.
    total: Totals,
    /// The numbers of all closed periods, without lists.
    since_start: PeriodRecord,
    /// Number of closed periods.
    pub rotations: u64,
    /// The ledger of the last moment, at which it balances; `None` if packets are counted here,
    /// because it then always balances.
    balanced: Option<api::Ledger>,
    /// Closed periods that wait to be archived; `None` if there is no archive.
    pub unarchived: Option<Unarchived>,
    /// Newest first.
    pub closed: VecDeque<Arc<PeriodRecord>>,
    /// What readers have merged of the closed periods.
    pub prefixes: Arc<Mutex<Prefixes>>,
}

impl LivePeriod {
    pub(super) fn new(settings: StoreSettings, shares: Arc<Shares>) -> Self {
        Self {
            settings,
            recorder: Recorder::new(settings.recorder()),
            shares,
            published: Published::default(),
            moments: None,
            timeline: Timeline::default(),
            second_began: Counters::default(),
            last_second: Counters::default(),
            seconds: None,
            rolling: RollingSlots::default(),
            history: None,
            total: Totals::default(),
            since_start: PeriodRecord::new(0),
            rotations: 0,
            balanced: None,
            unarchived: None,
            closed: VecDeque::new(),
            prefixes: Arc::new(Mutex::new(Prefixes::new(settings.periods))),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.settings.clock
    }

    /// The newest time seen, in nanoseconds since 1970.
    pub(super) fn now_ns(&self) -> u64 {
        self.timeline.newest_ns()
    }

    /// The time of the capture.
    pub(super) fn time(&self) -> CaptureTime {
        let second = self.timeline.newest_second();
        let begun = u64::from(self.settings.clock == Clock::Packets);
        CaptureTime { ns: self.now_ns(), second, end_s: second.map_or(0, |second| second + begun) }
    }

    /// Moves the clock and ends the seconds and periods that are over. Calls `before_end` with the
    /// end of each second and period before it ends.
    #[inline]
    pub(super) fn advance(&mut self, timestamp_ns: u64, before_end: impl FnMut(u64, &mut Recorder)) {
        match self.timeline.advance(timestamp_ns) {
            Step::Same => {}
            Step::Back => self.recorder.out_of_order(),
            Step::First(second) => self.recorder.begin(second),
            Step::Forward { from, to, jump } => self.forward(from, to, jump, before_end),
        }
    }

    /// Whether moving the clock to this time begins a second.
    #[inline]
    pub(super) fn begins_second(&self, timestamp_ns: u64) -> bool {
        self.timeline.begins_second(timestamp_ns)
    }

    /// Whether moving the clock to this time rotates the period.
    pub(super) fn rotates_at(&self, timestamp_ns: u64) -> bool {
        self.timeline.newest_second().is_some() && timestamp_ns / 1_000_000_000 >= self.period_end_s()
    }

    /// The counts since start.
    pub(super) fn totals(&self) -> Totals {
        let mut total = self.total;
        total.add(self.recorder.period());
        self.published.records.iter().for_each(|share| total.add(share));
        total
    }

    /// The numbers since start, the live period included; its lists and distinct counts are empty.
    pub(super) fn since_start(&mut self) -> PeriodRecord {
        let mut sum = self.since_start.clone();
        sum.add_numbers(self.measured());
        self.published.records.iter().for_each(|share| sum.add_numbers(share));
        sum
    }

    pub(super) fn ledger(&self) -> api::Ledger {
        self.balanced.unwrap_or_else(|| self.totals().ledger())
    }

    /// Takes the copies that the threads cut. Together with the current counters they are a new
    /// moment.
    pub(super) fn publish(&mut self) {
        self.shares.take_cuts(&mut self.published);
        if let Some(history) = &mut self.history {
            self.shares.take_evidence(history);
        }
        self.balanced = Some(self.totals().ledger());
        self.moments = Some(self.moments.unwrap_or(0) + 1);
    }

    /// Whether the last moment has the lists of the worker threads.
    pub(super) fn has_lists(&self) -> bool {
        self.published.lists == Lists::Copied
    }

    /// The findings of each worker thread up to the last moment.
    pub(super) fn published(&self) -> &[Arc<PeriodRecord>] {
        &self.published.records
    }

    /// The live period without the findings of worker threads. Its length is that up to its newest
    /// second, or by the wall clock its age.
    pub(super) fn measured(&mut self) -> &PeriodRecord {
        if let Some(newest) = self.timeline.newest_second() {
            let begun = u64::from(self.settings.clock == Clock::Packets);
            self.recorder.measure(newest, begun);
        }
        self.recorder.period()
    }

    /// The second in which the live period ends. The periods of a file last 60 s from its first
    /// packet. In live capture periods end with the full minute of the wall clock, so that the
    /// periods of all agents cover the same time; only the first one is shorter.
    fn period_end_s(&self) -> u64 {
        let start_s = self.recorder.period().start_s;
        match self.settings.clock {
            Clock::Packets => start_s + PERIOD_SECONDS,
            Clock::Wall => (start_s / PERIOD_SECONDS + 1) * PERIOD_SECONDS,
        }
    }

    /// Ends the second `from` and begins `to`.
    #[cold]
    fn forward(&mut self, from: u64, to: u64, jump: bool, mut before_end: impl FnMut(u64, &mut Recorder)) {
        before_end(in_ns(from + 1), &mut self.recorder);
        self.close_second(from);
        let slots = from + 1..=to;
        let period = self.recorder.period().start_s..self.period_end_s();
        let before = self.baselines_if_due(&slots);
        // The first second that the rates do not have yet.
        let mut next = from + 1;
        while !self.settings.summary && to >= self.period_end_s() {
            let start = self.recorder.period().start_s;
            let first_end = self.period_end_s();
            let periods = if jump { 1 } else { unseen(first_end, to, self.distinct_periods()).max(1) };
            let end = first_end + (periods - 1) * PERIOD_SECONDS;
            if !jump {
                self.quiet(next..end, to, &mut before_end);
            }
            before_end(in_ns(end), &mut self.recorder);
            if jump && start <= from {
                self.rotate(from - start + 1, first_after_jump(end, to, self.settings.periods));
            } else {
                self.rotate(end - start, end);
                self.rotations += periods - 1;
            }
            next = self.recorder.period().start_s;
        }
        if jump {
            self.recorder.time_jumps(1);
            self.seconds.iter_mut().for_each(SecondRecorder::clear);
            self.rolling.clear();
            self.history.iter_mut().for_each(|history| history.clear());
        } else {
            self.quiet(next..to, to, &mut before_end);
            if let Some(before) = before {
                self.rolling.add(&slots, &before, &period, self.recorder.period().start_s);
            }
        }
    }

    /// The number of newest periods of which each is closed by itself. An archive has all of them, however few
    /// are kept.
    fn distinct_periods(&self) -> usize {
        if self.unarchived.is_some() { usize::MAX } else { self.settings.periods }
    }

    /// What has been counted in the live period, if a slot ends in these seconds that is needed.
    /// Without the lists of worker threads there is no slot.
    fn baselines_if_due(&mut self, seconds: &RangeInclusive<u64>) -> Option<SlotBaselines> {
        let is_due = self.rolling.is_due_in(seconds) && self.has_lists();
        is_due.then(|| SlotBaselines::of(self.recorder.period(), &self.published.records))
    }

    /// Whether a slot that is needed ends soon, so that it needs the lists of worker threads.
    pub(super) fn is_slot_due(&self) -> bool {
        self.timeline.newest_second().is_some_and(|second| self.rolling.is_due_after(second))
    }

    /// Counts these seconds before the second `to` as seconds without packets.
    fn quiet(&mut self, seconds: Range<u64>, to: u64, before_end: &mut impl FnMut(u64, &mut Recorder)) {
        self.recorder.quiet_seconds(seconds.end.saturating_sub(seconds.start));
        // Queries time out in quiet seconds, too. An hour of them costs no more than those that are
        // kept, and one before them, which takes the time-outs of all earlier ones.
        let first = seconds.start.max(to.saturating_sub(SECONDS_MAX as u64 + 1));
        for second in first..seconds.end {
            before_end(in_ns(second + 1), &mut self.recorder);
            self.close_in_series(second);
        }
    }

    /// Ends the second that has begun, of a capture that has ended.
    pub(super) fn finish(&mut self) {
        if let Some(second) = self.timeline.newest_second() {
            self.close_in_series(second);
        }
    }

    fn close_in_series(&mut self, second: u64) {
        if let Some(seconds) = &mut self.seconds {
            seconds.close(second, self.recorder.period(), &self.published.records);
        }
        if self.history.is_some() {
            self.judge(second);
        }
    }

    /// Judges a second that has ended.
    fn judge(&mut self, second: u64) {
        let packets = self.totals().ledger().counted;
        let Some(history) = &mut self.history else { return };
        if let Some(evidence) = self.recorder.evidence() {
            history.absorb(evidence);
        }
        history.end_second(second, packets);
    }

    fn close_second(&mut self, second: u64) {
        self.close_in_series(second);
        let mut now = self.recorder.period().counters;
        self.published.records.iter().for_each(|share| now.add(&share.counters));
        self.last_second = now;
        self.last_second.subtract(&self.second_began);
        self.second_began = now;
        self.recorder.second(self.last_second.packets.received, self.last_second.packets.sent);
    }

    /// Closes the live period after `length_s` seconds and begins the next one.
    fn rotate(&mut self, length_s: u64, next_start_s: u64) {
        let mut period = self.recorder.take(next_start_s);
        period.merge_shares(std::mem::take(&mut self.published).records);
        period.length_s = length_s;
        self.second_began = Counters::default();
        self.seconds.iter_mut().for_each(SecondRecorder::rotate);
        self.total.add(&period);
        self.since_start.add_numbers(&period);
        self.rotations += 1;
        period.shrink(ListLimits::CLOSED);
        // A reader that is using them will find that they are old.
        if let Some(mut prefixes) = self.prefixes.try_lock() {
            prefixes.clear();
        }
        let period = Arc::new(period);
        if let Some(unarchived) = &mut self.unarchived {
            unarchived.push(Arc::clone(&period));
        }
        self.closed.push_front(period);
        self.closed.truncate(self.settings.periods - 1);
        // This period has just become too old to be merged. Readers may still hold it.
        if let Some(old) = self.closed.get_mut(MERGEABLE_PERIODS) {
            Arc::make_mut(old).shrink(ListLimits::ARCHIVED);
        }
    }
}

/// Seconds since 1970 in nanoseconds.
fn in_ns(second: u64) -> u64 {
    second.saturating_mul(1_000_000_000)
}

/// How many periods leave the ring before a reader can see them, if the first one ends at
/// `first_end` and the second `to` begins. They are closed as one, so that a packet after an hour
/// rotates no more periods than the ring has places.
fn unseen(first_end: u64, to: u64, periods: usize) -> u64 {
    let closed = 1 + to.saturating_sub(first_end) / PERIOD_SECONDS;
    closed.saturating_sub(periods as u64 - 1)
}

/// The start of the first period after a jump to the second `to`, on the grid of `end`. As many
/// empty periods precede the one with `to` as fit into the ring without pushing out the last one
/// with packets.
fn first_after_jump(end: u64, to: u64, periods: usize) -> u64 {
    let last = end + to.saturating_sub(end) / PERIOD_SECONDS * PERIOD_SECONDS;
    let room = (periods as u64).saturating_sub(2) * PERIOD_SECONDS;
    end.max(last.saturating_sub(room))
}
