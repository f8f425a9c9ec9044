//! The last seconds of an agent, as it counted them itself: `/api/v1/metrics/series`.

use pktvisor_api::{DirectionSeries, SecondSeries};

use super::{
    figures::SpanFigures,
    second::{DirectionCounts, SecondCounts, SecondSample},
};

/// Seconds kept. Agents send at most as many.
const SECONDS_MAX: usize = 300;
/// The seconds of the large numbers.
const SPAN: usize = 10;

/// Consecutive seconds, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentSeconds(Vec<SecondCounts>);

impl RecentSeconds {
    /// The last seconds of a series, at most 300. Values that a column lacks are 0.
    pub(super) fn new(series: &SecondSeries) -> Self {
        let length = series.dns.queries.len();
        let seconds = length.saturating_sub(SECONDS_MAX)..length;
        Self(seconds.map(|index| second(series, index)).collect())
    }

    /// How many of the last ten seconds there are.
    pub fn span_seconds(&self) -> usize {
        self.0.len().min(SPAN)
    }

    /// The figures of the last ten seconds; `waiting` queries have had no answer for a second.
    pub(super) fn figures(&self, waiting: u64) -> SpanFigures {
        let first = self.0.len() - self.span_seconds();
        SpanFigures::of_seconds(self.0.get(first..).unwrap_or_default(), waiting)
    }

    /// The seconds as charts show them, the newest first.
    pub(super) fn samples(&self) -> impl Iterator<Item = SecondSample> {
        self.0.iter().rev().map(SecondCounts::sample)
    }
}

/// A second of a series.
fn second(series: &SecondSeries, index: usize) -> SecondCounts {
    let at = |column: &[u64]| column.get(index).copied().unwrap_or(0);
    let (packets, dns, xact) = (&series.packets, &series.dns, &series.xact);
    let direction = |direction: &DirectionSeries| DirectionCounts {
        total: at(&direction.total),
        p95_us: direction.p95_us.get(index).copied().flatten(),
    };
    let replies = at(&dns.replies);
    SecondCounts {
        received: at(&packets.received),
        sent: at(&packets.sent),
        unknown: at(&packets.unknown),
        bytes_in: at(&packets.bytes_in),
        bytes_out: at(&packets.bytes_out),
        queries: at(&dns.queries),
        replies,
        errors: replies.saturating_sub(at(&dns.noerror)).saturating_sub(at(&dns.nxdomain)),
        nxdomain: at(&dns.nxdomain),
        timed_out: at(&xact.timed_out),
        inbound: direction(&xact.inbound),
        outbound: direction(&xact.outbound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_odd_lengths_are_read_as_far_as_they_go() {
        let mut series = SecondSeries::default();
        series.dns.queries = vec![1; 1000];
        series.dns.replies = vec![2; 701];
        series.xact.inbound.p95_us = vec![Some(7); 2000];
        let recent = RecentSeconds::new(&series);
        assert_eq!(recent.0.len(), SECONDS_MAX);
        assert_eq!(recent.0.first().map(|second| (second.queries, second.replies)), Some((1, 2)));
        assert_eq!(recent.0.last().map(|second| (second.queries, second.replies)), Some((1, 0)));
    }

    #[test]
    fn a_young_agent_has_fewer_than_ten_seconds() {
        let mut series = SecondSeries::default();
        series.dns.queries = vec![10, 20, 30];
        let recent = RecentSeconds::new(&series);
        assert_eq!(recent.span_seconds(), 3);
        assert_eq!(recent.figures(0).queries, Some(20));
        assert_eq!(RecentSeconds::default().figures(0).queries, None);
    }
}
