//! Merges of the newest closed periods, from which a long window is made with few steps.
//!
//! Closed periods do not change until the next one closes. So all windows of a minute share what they
//! merge: the newest ten closed periods, and behind them the older ones up to each of a few
//! checkpoints. A window then merges its live period, two of these, and the periods between the last
//! checkpoint and its own end.
//!
//! Checkpoints are made when a window first reaches them and dropped when a period closes.

use std::sync::Arc;

use crate::frequent::ListLimits;
use crate::period::PeriodRecord;

/// Closed periods beyond the newest this many keep only the heads of their lists.
pub(super) const MERGEABLE_PERIODS: usize = 10;

/// The largest number of checkpoints. Each has the lists of a focus.
const CHECKPOINTS_MAX: usize = 15;

/// Fewer periods between two checkpoints would save nothing.
const STEP_MIN: usize = 16;

/// The merges of one minute.
#[derive(Debug)]
pub(super) struct Prefixes {
    /// Periods between two checkpoints.
    step: usize,
    /// Number of periods closed when they were made.
    rotations: u64,
    /// The newest closed periods, whose lists are long.
    newest: Option<PeriodRecord>,
    /// The first `step` periods behind those, the first `2 * step`, and so on.
    checkpoints: Vec<PeriodRecord>,
}

impl Prefixes {
    /// None yet, for a store that keeps this many periods.
    pub(super) fn new(periods: usize) -> Self {
        let older = periods.saturating_sub(1 + MERGEABLE_PERIODS);
        Self {
            step: older.div_ceil(CHECKPOINTS_MAX).max(STEP_MIN),
            rotations: 0,
            newest: None,
            checkpoints: Vec::new(),
        }
    }

    /// Frees all merges.
    pub(super) fn clear(&mut self) {
        self.newest = None;
        self.checkpoints = Vec::new();
    }

    /// Adds closed periods, newest first, to the live one. `rotations` is the number of periods closed so far.
    pub(super) fn merge_into(
        &mut self,
        record: &mut PeriodRecord,
        closed: &[Arc<PeriodRecord>],
        rotations: u64,
    ) {
        let Some((newest, older)) = closed.split_at_checked(MERGEABLE_PERIODS).filter(|(_, o)| !o.is_empty())
        else {
            closed.iter().for_each(|period| record.merge(period));
            return;
        };
        if self.rotations != rotations {
            self.clear();
            self.rotations = rotations;
        }
        record.merge(self.newest.get_or_insert_with(|| {
            let mut merged = empty();
            merge_all(&mut merged, newest);
            merged.shrink(ListLimits::CLOSED);
            merged
        }));
        let (reached, rest) = older.split_at(older.len() / self.step * self.step);
        // Short lists are merged with one another first: merging one into a long list is expensive.
        let mut rest_merged = short(rest);
        if let Some(checkpoint) = self.checkpoint(reached) {
            rest_merged.merge(checkpoint);
        }
        record.merge(&rest_merged);
    }

    /// The merge of these periods, a multiple of the step. Makes it and those before it.
    fn checkpoint(&mut self, periods: &[Arc<PeriodRecord>]) -> Option<&PeriodRecord> {
        let steps = periods.len() / self.step;
        for step in periods.chunks(self.step).skip(self.checkpoints.len()) {
            let mut merged = short(step);
            if let Some(before) = self.checkpoints.last() {
                merged.merge(before);
            }
            merged.shrink(ListLimits::FOCUS);
            self.checkpoints.push(merged);
        }
        self.checkpoints.get(steps.checked_sub(1)?)
    }
}

/// A record of no time.
fn empty() -> PeriodRecord {
    // Until there is one, the start of the earliest period is later than any.
    PeriodRecord::new(u64::MAX)
}

/// The merge of periods with short lists.
fn short(periods: &[Arc<PeriodRecord>]) -> PeriodRecord {
    let mut merged = empty();
    merged.limit_lists(ListLimits::CLOSED);
    merge_all(&mut merged, periods);
    merged
}

fn merge_all(merged: &mut PeriodRecord, periods: &[Arc<PeriodRecord>]) {
    periods.iter().for_each(|period| merged.merge(period));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listed::ListLength;

    /// A quiet period with an own length, which tells it from the others.
    fn period(index: u64) -> Arc<PeriodRecord> {
        let mut period = PeriodRecord::new(1_000_000 - 60 * index);
        period.length_s = 1 + index;
        period.counters.packets.received = 1 << (index % 40);
        Arc::new(period)
    }

    fn merged_alone(closed: &[Arc<PeriodRecord>]) -> pktvisor_api::Period {
        let mut record = PeriodRecord::new(2_000_000);
        closed.iter().for_each(|period| record.merge(period));
        record.report(ListLength::DEFAULT, None)
    }

    #[test]
    fn a_window_is_the_same_with_and_without_prefixes() {
        let closed: Vec<_> = (0..400).map(period).collect();
        let mut prefixes = Prefixes::new(401);
        // Long ones first, so that the short ones find checkpoints that are longer than they are.
        for n in [400, 399, 0, 1, 9, 10, 11, 25, 26, 27, 35, 36, 37, 100, 389, 390, 391] {
            let mut record = PeriodRecord::new(2_000_000);
            prefixes.merge_into(&mut record, &closed[..n], 7);
            assert_eq!(record.report(ListLength::DEFAULT, None), merged_alone(&closed[..n]), "{n}");
        }
        assert!(prefixes.checkpoints.len() <= CHECKPOINTS_MAX);
    }

    #[test]
    fn a_closed_period_makes_earlier_merges_invalid() {
        let closed: Vec<_> = (0..200).map(period).collect();
        let mut prefixes = Prefixes::new(201);
        for (rotations, closed) in [(1, &closed[1..]), (2, &closed[..199])] {
            let mut record = PeriodRecord::new(2_000_000);
            prefixes.merge_into(&mut record, closed, rotations);
            assert_eq!(record.report(ListLength::DEFAULT, None), merged_alone(closed));
        }
    }
}
