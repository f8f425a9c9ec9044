//! The DNS of both directions in the last ten seconds, from the counters of the live period: the
//! agent's series has only sums of both.

use std::{collections::VecDeque, time::Duration};

use super::{in_out::InOut, observation::Observation, side::Side};
use crate::format::share;

/// How far back counters are kept.
const SPAN: Duration = Duration::from_millis(10_500);

/// Counters of a direction that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct SideTotals {
    queries: u64,
    replies: u64,
    errors: u64,
    answered: u64,
    timed_out: u64,
}

/// The figures of a direction. Unknown ones are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SideFigures {
    /// Queries a second.
    pub queries: Option<u64>,
    /// Share of the replies that are neither NOERROR nor NXDOMAIN.
    pub error_share: Option<f64>,
    /// Share of the queries that timed out or still wait.
    pub unanswered_share: Option<f64>,
}

/// The last ten seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SideHistory {
    /// Sums since this UI began to watch, with their times, oldest first.
    sums: VecDeque<(Duration, InOut<SideTotals>)>,
    /// The live period last seen: its start and its counters.
    live: Option<(i64, InOut<SideTotals>)>,
}

impl SideHistory {
    /// Records the counters of the live period at `now`.
    pub(super) fn record(&mut self, live: &Observation, now: Duration) {
        let totals = InOut {
            inbound: SideTotals::of(&Side::inbound(&live.dns)),
            outbound: SideTotals::of(&Side::outbound(&live.dns)),
        };
        let start_ts = live.span.start_ts;
        let Some((before_ts, before)) = self.live.replace((start_ts, totals)) else {
            self.sums.push_back((now, InOut::default()));
            return;
        };
        // A new period begins at 0: its counters are what was added.
        let before = if before_ts == start_ts { before } else { InOut::default() };
        let (_, last) = self.sums.back().copied().unwrap_or_default();
        let sum = InOut {
            inbound: last.inbound.plus(totals.inbound.since(before.inbound)),
            outbound: last.outbound.plus(totals.outbound.since(before.outbound)),
        };
        self.sums.push_back((now, sum));
        while self.sums.front().is_some_and(|(at, _)| now.saturating_sub(*at) > SPAN) {
            self.sums.pop_front();
        }
    }

    /// Forgets all, because the counters may be those of another agent.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The figures of the last ten seconds; `waiting` queries of any direction have had no answer
    /// for a second.
    pub(super) fn figures(&self, waiting: u64) -> InOut<SideFigures> {
        let (Some((first_at, first)), Some((last_at, last))) = (self.sums.front(), self.sums.back()) else {
            return InOut::default();
        };
        let seconds = last_at.saturating_sub(*first_at).as_secs_f64();
        let figures = |last: SideTotals, first| last.since(first).figures(seconds, waiting);
        InOut {
            inbound: figures(last.inbound, first.inbound),
            outbound: figures(last.outbound, first.outbound),
        }
    }
}

/// The figures of a window.
pub(super) fn figures_of_window(window: &Observation) -> InOut<SideFigures> {
    let figures = |side: Side| SideFigures {
        queries: window.per_second(side.queries),
        error_share: share(side.errors(), side.replies),
        unanswered_share: side.unanswered_share(),
    };
    InOut { inbound: figures(Side::inbound(&window.dns)), outbound: figures(Side::outbound(&window.dns)) }
}

impl SideTotals {
    fn of(side: &Side) -> Self {
        Self {
            queries: side.queries,
            replies: side.replies,
            errors: side.errors(),
            answered: side.transactions,
            timed_out: side.timed_out,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            queries: self.queries.saturating_add(other.queries),
            replies: self.replies.saturating_add(other.replies),
            errors: self.errors.saturating_add(other.errors),
            answered: self.answered.saturating_add(other.answered),
            timed_out: self.timed_out.saturating_add(other.timed_out),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            queries: self.queries.saturating_sub(before.queries),
            replies: self.replies.saturating_sub(before.replies),
            errors: self.errors.saturating_sub(before.errors),
            answered: self.answered.saturating_sub(before.answered),
            timed_out: self.timed_out.saturating_sub(before.timed_out),
        }
    }

    /// The agent does not say in which direction queries wait: as many of them count for this one as
    /// it has queries that neither were answered nor timed out.
    fn figures(self, seconds: f64, waiting: u64) -> SideFigures {
        if seconds <= 0.0 {
            return SideFigures::default();
        }
        let open = self.queries.saturating_sub(self.answered).saturating_sub(self.timed_out);
        let unanswered = self.timed_out.saturating_add(waiting.min(open));
        SideFigures {
            queries: Some((self.queries as f64 / seconds).round() as u64),
            error_share: share(self.errors, self.replies),
            unanswered_share: share(unanswered, self.answered.saturating_add(unanswered)),
        }
    }
}

#[cfg(test)]
mod tests {
    use pktvisor_api::Period;

    use super::*;

    fn live(start_ts: i64, queries: u64, answered: u64, timed_out: u64) -> Observation {
        let mut period = Period::default();
        period.period.start_ts = start_ts;
        period.dns.outbound.queries = queries;
        period.dns.outbound.timed_out = timed_out;
        period.dns.xact.outbound.total = answered;
        Observation::new("1m", period)
    }

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn a_period_that_ends_does_not_end_the_figures() {
        let mut history = SideHistory::default();
        history.record(&live(0, 5_000, 5_000, 0), at(0));
        history.record(&live(0, 5_100, 5_100, 0), at(1));
        history.record(&live(60, 100, 50, 0), at(2));
        let figures = history.figures(0).outbound;
        assert_eq!((figures.queries, figures.unanswered_share), (Some(100), Some(0.0)));
        assert_eq!(history.figures(0).inbound.queries, Some(0));
    }

    #[test]
    fn queries_that_wait_count_where_queries_are_open() {
        let mut history = SideHistory::default();
        history.record(&live(0, 0, 0, 0), at(0));
        history.record(&live(0, 100, 50, 10), at(10));
        assert_eq!(history.figures(0).outbound.unanswered_share, Some(10.0 / 60.0));
        assert_eq!(history.figures(5).outbound.unanswered_share, Some(15.0 / 65.0));
        assert_eq!(history.figures(u64::MAX).outbound.unanswered_share, Some(0.5));
        assert_eq!(history.figures(5).inbound.unanswered_share, None);
    }

    #[test]
    fn only_ten_seconds_count() {
        let mut history = SideHistory::default();
        for second in 0..100 {
            history.record(&live(0, second * second, 0, 0), at(second));
        }
        // 99² - 89² over ten seconds.
        assert_eq!(history.figures(0).outbound.queries, Some(188));
        assert!(history.sums.len() <= 12);
    }
}
