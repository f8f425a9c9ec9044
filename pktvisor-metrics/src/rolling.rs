//! The last seconds in the shape of a period, from the live period and what was kept of it every
//! ten seconds.
//!
//! Every ten seconds, while somebody reads the last seconds, a slot keeps the counts of the live
//! period: counters, histograms, and the largest counts of each list without their keys. The last
//! seconds are the live period minus a slot, or the end of the period before and the live one. So
//! counting a packet costs nothing more, whether somebody reads or not, and no other number
//! changes.
//!
//! Distinct counts cannot be subtracted. They are those of no traffic, unless the last seconds are
//! whole periods.

use std::collections::VecDeque;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::period::PeriodRecord;

/// Seconds between two slots.
const SLOT_SECONDS: u64 = 10;

/// Slots kept: those of a minute, and the one before.
const SLOTS_MAX: usize = 7;

/// How long slots are kept after the last reader.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// How many of the last seconds to report: 10 to 60, in steps of 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RollingSpan(u64);

impl RollingSpan {
    /// A span of 10, 20, 30, 40, 50 or 60 seconds; `None` for any other.
    pub fn new(seconds: u64) -> Option<Self> {
        let is_valid = (SLOT_SECONDS..=60).contains(&seconds) && seconds.is_multiple_of(SLOT_SECONDS);
        is_valid.then_some(Self(seconds))
    }

    /// The number of seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// The slots of the last minute, oldest first.
#[derive(Debug, Default)]
pub(super) struct RollingSlots {
    slots: VecDeque<RollingSlot>,
    read_at: Option<Instant>,
}

/// What had been counted at a moment.
#[derive(Clone, Debug)]
pub(super) struct RollingSlot {
    /// The moment, in seconds since 1970.
    pub(super) at_s: u64,
    /// When its period began.
    pub(super) period_start_s: u64,
    pub(super) baselines: SlotBaselines,
}

/// The baselines of the live period and of the findings of each worker thread.
#[derive(Clone, Debug, Default)]
pub(super) struct SlotBaselines {
    pub(super) live: Option<Arc<PeriodRecord>>,
    pub(super) shares: Vec<Arc<PeriodRecord>>,
}

impl SlotBaselines {
    pub(super) fn of(live: &PeriodRecord, shares: &[Arc<PeriodRecord>]) -> Self {
        Self {
            live: Some(Arc::new(live.baseline())),
            shares: shares.iter().map(|share| Arc::new(share.baseline())).collect(),
        }
    }

    fn all(&self) -> Vec<&PeriodRecord> {
        self.live.iter().chain(&self.shares).map(|record| &**record).collect()
    }
}

impl RollingSlots {
    /// Whether somebody reads the last seconds.
    pub(super) fn are_read(&self) -> bool {
        self.read_at.is_some_and(|at| at.elapsed() < READ_WITHIN)
    }

    /// Whether the next second, or the one after, ends a slot that is needed.
    pub(super) fn is_due_after(&self, second: u64) -> bool {
        second % SLOT_SECONDS >= SLOT_SECONDS - 2 && self.are_read()
    }

    /// Whether a needed slot ends in these seconds. If nobody reads them, all slots are dropped.
    pub(super) fn is_due_in(&mut self, seconds: &RangeInclusive<u64>) -> bool {
        if !self.are_read() {
            self.clear();
            return false;
        }
        ends(seconds).next().is_some()
    }

    /// Adds the slots that ended in these seconds. At the first of them `before` had been counted.
    /// Nothing has been counted since, although the period of `before` may have ended and the one
    /// that is live now may have begun.
    pub(super) fn add(
        &mut self,
        seconds: &RangeInclusive<u64>,
        before: &SlotBaselines,
        period_before: &Range<u64>,
        live_start_s: u64,
    ) {
        for at_s in ends(seconds) {
            let has_rotated = live_start_s != period_before.start && at_s >= period_before.end;
            self.slots.push_back(RollingSlot {
                at_s,
                period_start_s: if has_rotated { live_start_s } else { period_before.start },
                baselines: if has_rotated { SlotBaselines::default() } else { before.clone() },
            });
        }
        while self.slots.len() > SLOTS_MAX {
            self.slots.pop_front();
        }
    }

    /// Forgets all slots.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    /// The slots, which are kept from now on.
    pub(super) fn read(&mut self) -> Vec<RollingSlot> {
        self.read_at = Some(Instant::now());
        self.slots.iter().cloned().collect()
    }
}

/// The last ends of slots in these seconds.
fn ends(seconds: &RangeInclusive<u64>) -> impl Iterator<Item = u64> + use<> {
    let (first, last) = (seconds.start().div_ceil(SLOT_SECONDS), seconds.end() / SLOT_SECONDS);
    (first.max((last + 1).saturating_sub(SLOTS_MAX as u64))..=last).map(|slot| slot * SLOT_SECONDS)
}

/// The live period and all before it, of which the last seconds are made.
pub(super) struct Recent {
    /// The live period without the findings of worker threads.
    pub(super) live: PeriodRecord,
    /// The findings of the worker threads.
    pub(super) shares: Vec<Arc<PeriodRecord>>,
    /// Newest first.
    pub(super) closed: Vec<Arc<PeriodRecord>>,
    pub(super) slots: Vec<RollingSlot>,
}

impl Recent {
    /// The last seconds: at least `span`, and as few more as slots and periods allow, or all that
    /// there are.
    pub(super) fn last(mut self, span: RollingSpan) -> PeriodRecord {
        let end_s = self.live.start_s + self.live.length_s;
        let slot = self.slot(end_s.saturating_sub(span.seconds()));
        let (at_s, is_live) = (slot.at_s, slot.period_start_s == self.live.start_s);
        if is_live {
            self.live.subtract(&slot.baselines.live.iter().map(|live| &**live).collect::<Vec<_>>());
            let shares = self.shares.iter().enumerate().map(|(thread, share)| {
                let mut share = PeriodRecord::clone(share);
                let baseline = slot.baselines.shares.get(thread).map(|baseline| &**baseline);
                share.subtract(baseline.as_slice());
                Arc::new(share)
            });
            self.live.merge_shares(shares.collect::<Vec<_>>());
        } else {
            self.live.merge_shares(std::mem::take(&mut self.shares));
            for period in self.closed.iter().take_while(|period| period.start_s > slot.period_start_s) {
                self.live.merge(period);
            }
            if let Some(period) = self.closed.iter().find(|period| period.start_s == slot.period_start_s) {
                let mut period = PeriodRecord::clone(period);
                period.subtract(&slot.baselines.all());
                self.live.merge(&period);
            }
        }
        if !slot.baselines.all().is_empty() {
            // Distinct items of a part would look like those of the whole.
            self.live.subtract(&[&PeriodRecord::new(0)]);
        }
        self.live.start_s = at_s;
        self.live.length_s = end_s.saturating_sub(at_s);
        self.live
    }

    /// The newest moment up to `wanted_s` of which it is known what had been counted; else the
    /// oldest such moment. At the start of a period nothing had been counted.
    fn slot(&self, wanted_s: u64) -> RollingSlot {
        let begins = |start_s| RollingSlot {
            at_s: start_s,
            period_start_s: start_s,
            baselines: SlotBaselines::default(),
        };
        let is_kept = |slot: &&RollingSlot| {
            let starts = || self.closed.iter().map(|period| period.start_s);
            slot.period_start_s == self.live.start_s || starts().any(|start| start == slot.period_start_s)
        };
        let slots = self.slots.iter().filter(is_kept).cloned();
        let closed = self.closed.iter().map(|period| begins(period.start_s));
        let all = || slots.clone().chain(closed.clone()).chain([begins(self.live.start_s)]);
        let newest = all().filter(|slot| slot.at_s <= wanted_s).max_by_key(|slot| slot.at_s);
        newest.or_else(|| all().min_by_key(|slot| slot.at_s)).unwrap_or_else(|| begins(self.live.start_s))
    }
}
