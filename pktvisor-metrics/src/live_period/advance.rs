//! How time moves the live period on: it ends seconds, and rotates periods.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use pktvisor_common::counters::Counters;

use super::LivePeriod;
use crate::frequent::ListLimits;
use crate::prefixes::MERGEABLE_PERIODS;
use crate::recorder::Recorder;
use crate::rolling::SlotBaselines;
use crate::seconds::{SECONDS_MAX, SecondRecorder};
use crate::settings::Clock;
use crate::timeline::{PERIOD_SECONDS, Step};

impl LivePeriod {
    /// Moves the clock and ends the seconds and periods that are over. Calls `before_end` with the
    /// end of each second and period before it ends.
    #[inline]
    pub(crate) fn advance(&mut self, timestamp_ns: u64, before_end: impl FnMut(u64, &mut Recorder)) {
        match self.timeline.advance(timestamp_ns) {
            Step::Same => {}
            Step::Back => self.recorder.out_of_order(),
            Step::First(second) => self.recorder.begin(second),
            Step::Forward { from, to, jump } => self.forward(from, to, jump, before_end),
        }
    }

    /// Whether moving the clock to this time begins a second.
    #[inline]
    pub(crate) fn begins_second(&self, timestamp_ns: u64) -> bool {
        self.timeline.begins_second(timestamp_ns)
    }

    /// Whether moving the clock to this time rotates the period.
    pub(crate) fn rotates_at(&self, timestamp_ns: u64) -> bool {
        self.timeline.newest_second().is_some() && timestamp_ns / 1_000_000_000 >= self.period_end_s()
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
    pub(crate) fn is_slot_due(&self) -> bool {
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
    pub(crate) fn finish(&mut self) {
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
