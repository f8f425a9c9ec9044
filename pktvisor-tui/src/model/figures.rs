//! The figures of the tiles over one span of time: the last ten seconds, or the window.

use super::{
    in_out::InOut,
    observation::{Observation, Rcode},
    second::{DirectionCounts, SecondCounts, SecondSample},
    side_history::{SideFigures, figures_of_window},
};
use crate::format::share;

/// Figures of one span. Unknown ones are absent. Counts are averages per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SpanFigures {
    /// DNS queries.
    pub queries: Option<u64>,
    /// Share of the replies that are neither NOERROR nor NXDOMAIN.
    pub error_share: Option<f64>,
    /// Share of the queries that timed out or still wait for their response.
    pub unanswered_share: Option<f64>,
    /// Share of the replies that are NXDOMAIN.
    pub nxdomain_share: Option<f64>,
    /// The figures of both directions; absent from agents that do not tell them apart.
    pub sides: Option<InOut<SideFigures>>,
    /// The 95th percentile of the transaction times in µs.
    pub p95_us: InOut<Option<u64>>,
    /// Packets.
    pub packets: InOut<Option<u64>>,
    /// Packets of unknown direction.
    pub unknown: Option<u64>,
    /// Bytes.
    pub bytes: InOut<Option<u64>>,
}

impl SpanFigures {
    /// Of seconds as the agent counted them. Of queries that were not answered in time, those that
    /// are `waiting` now count as well.
    pub(super) fn of_seconds(seconds: &[SecondCounts], waiting: u64) -> Self {
        let sum = |count: fn(&SecondCounts) -> u64| {
            seconds.iter().fold(0_u64, |sum, second| sum.saturating_add(count(second)))
        };
        let length = u64::try_from(seconds.len()).unwrap_or(u64::MAX);
        let per_second = |count| sum(count).checked_div(length);
        let unanswered = sum(|second| second.timed_out).saturating_add(waiting);
        let answered = sum(|second| second.inbound.total.saturating_add(second.outbound.total));
        let p95 = |direction: fn(&SecondCounts) -> &DirectionCounts| mean_p95(seconds.iter().map(direction));
        Self {
            queries: per_second(|second| second.queries),
            error_share: share(sum(|second| second.errors), sum(|second| second.replies)),
            nxdomain_share: share(sum(|second| second.nxdomain), sum(|second| second.replies)),
            sides: None,
            unanswered_share: share(unanswered, answered.saturating_add(unanswered)),
            p95_us: InOut { inbound: p95(|it| &it.inbound), outbound: p95(|it| &it.outbound) },
            packets: InOut {
                inbound: per_second(|second| second.received),
                outbound: per_second(|second| second.sent),
            },
            unknown: per_second(|second| second.unknown),
            bytes: InOut {
                inbound: per_second(|second| second.bytes_in),
                outbound: per_second(|second| second.bytes_out),
            },
        }
    }

    /// Of one second as this UI saw it, where the agent has no series.
    pub(super) fn of_sample(second: &SecondSample) -> Self {
        let share = |permille: Option<u64>| permille.map(|permille| permille as f64 / 1000.0);
        Self {
            queries: second.queries,
            error_share: share(second.errors_permille),
            packets: InOut { inbound: second.received, outbound: second.sent },
            unknown: second.unknown,
            ..Self::default()
        }
    }

    /// Of a window; `waiting` as in [`of_seconds`](Self::of_seconds).
    pub(super) fn of_window(window: &Observation, waiting: u64) -> Self {
        let (packets, xact) = (&window.packets, &window.dns.xact);
        let unanswered = xact.counts.timed_out.saturating_add(waiting);
        let bytes = |count| if window.ours { window.per_second(count) } else { None };
        let p95 = |quantiles: Option<pktvisor_api::Quantiles>| quantiles.map(|quantiles| quantiles.p95);
        Self {
            queries: window.per_second(window.dns.wire_packets.queries),
            error_share: window.error_share(),
            nxdomain_share: window.share_of(Rcode::Nxdomain),
            sides: window.has_sides().then(|| figures_of_window(window)),
            unanswered_share: if window.ours {
                share(unanswered, xact.counts.total.saturating_add(unanswered))
            } else {
                None
            },
            p95_us: InOut {
                inbound: p95(xact.inbound.quantiles_us),
                outbound: p95(xact.outbound.quantiles_us),
            },
            packets: InOut {
                inbound: window.per_second(packets.received),
                outbound: window.per_second(packets.sent),
            },
            unknown: window.per_second(packets.total),
            bytes: InOut { inbound: bytes(packets.bytes_in), outbound: bytes(packets.bytes_out) },
        }
    }
}

/// The mean of the seconds' 95th percentiles, each weighted by its transactions: percentiles do not
/// merge, and the mean moves at once if all transactions become slower.
fn mean_p95<'a>(seconds: impl Iterator<Item = &'a DirectionCounts>) -> Option<u64> {
    let (mut weighted, mut weights) = (0.0, 0.0);
    for second in seconds {
        if let Some(p95_us) = second.p95_us {
            let weight = second.total.max(1) as f64;
            weighted += p95_us as f64 * weight;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| (weighted / weights).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_queries_are_unanswered_before_they_time_out() {
        let second =
            SecondCounts { outbound: DirectionCounts { total: 9, p95_us: None }, ..SecondCounts::default() };
        assert_eq!(SpanFigures::of_seconds(&[second; 10], 0).unanswered_share, Some(0.0));
        assert_eq!(SpanFigures::of_seconds(&[second; 10], 10).unanswered_share, Some(0.1));
        assert_eq!(SpanFigures::of_seconds(&[SecondCounts::default(); 10], 3).unanswered_share, Some(1.0));
        assert_eq!(SpanFigures::of_seconds(&[], 0).unanswered_share, None);
    }

    #[test]
    fn a_second_with_more_transactions_weighs_more() {
        let second = |total, p95_us| DirectionCounts { total, p95_us };
        let seconds = [second(90, Some(100)), second(10, Some(1100)), second(0, None)];
        assert_eq!(mean_p95(seconds.iter()), Some(200));
        assert_eq!(mean_p95([].iter()), None);
        assert_eq!(mean_p95([second(u64::MAX, Some(u64::MAX))].iter()), Some(u64::MAX));
    }
}
