//! The past of an agent: the last minutes by the second, as this UI saw them, and its closed
//! periods.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use pktvisor_api::{DnsMessages, Period};

use super::{
    in_out::InOut,
    observation::{Observation, Rcode},
    second::SecondSample,
    side_history::{SideFigures, SideHistory},
};
use crate::{client::AgentAnswer, format::permille};

/// Seconds kept.
const SECONDS_MAX: usize = 600;
/// Periods kept: the closed ones that are fetched, and the live one.
const PERIODS_MAX: usize = 121;

/// One period in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeriodPoint {
    /// Start, in seconds since 1970-01-01 UTC.
    pub start_ts: i64,
    /// Length in seconds.
    pub length: i64,
    /// All packets.
    pub packets: u64,
    /// Packets to HOST.
    pub received: u64,
    /// Packets from HOST.
    pub sent: u64,
    /// DNS queries.
    pub queries: u64,
    /// DNS replies.
    pub replies: u64,
    /// Replies by response code, in the order of [`Rcode::ALL`].
    pub rcodes: [u64; 5],
    /// The 95th percentile in µs.
    pub p95_us: Option<u64>,
}

/// The past of one agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    seconds: VecDeque<SecondSample>,
    periods: BTreeMap<i64, PeriodPoint>,
    baseline: Option<Baseline>,
    sides: SideHistory,
}

/// The last counters of the live period, for differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Baseline {
    at: Duration,
    start_ts: i64,
    messages: DnsMessages,
    /// Whether a second answer had the same counters.
    is_old: bool,
}

impl History {
    /// Records an answer; `observation` is its window, `live` its live period.
    pub(super) fn record(
        &mut self,
        answer: &AgentAnswer,
        observation: &Observation,
        live: Option<&Observation>,
        now: Duration,
    ) {
        let newest = live.unwrap_or(observation);
        self.sides.record(newest, now);
        let mut sample = self.difference(newest, now);
        if let Some(rates) = answer.rates {
            sample.received = Some(rates.received);
            sample.sent = Some(rates.sent);
            if observation.ours {
                sample.unknown = Some(rates.unknown);
                sample.queries = Some(rates.dns_queries);
            }
        }
        self.push(sample);
        for period in &answer.closed {
            self.keep(PeriodPoint::of_period(period));
        }
        if let Some(live) = live {
            self.keep(PeriodPoint::of(live));
        }
    }

    /// The counts since the last answer.
    ///
    /// Agents answer from a cache of a second, so an answer can repeat the previous one. It then
    /// repeats the previous second, and the next difference covers two seconds.
    fn difference(&mut self, newest: &Observation, now: Duration) -> SecondSample {
        let messages = newest.dns.wire_packets;
        let next = Baseline { at: now, start_ts: newest.span.start_ts, messages, is_old: false };
        let Some(before) = self.baseline.replace(next) else { return SecondSample::default() };
        if before.start_ts != next.start_ts || before.messages.replies > messages.replies {
            return SecondSample::default();
        }
        if before.messages == messages && !before.is_old {
            self.baseline = Some(Baseline { is_old: true, ..before });
            let last = self.seconds.back().copied().unwrap_or_default();
            return SecondSample {
                queries: last.queries,
                errors_permille: last.errors_permille,
                ..SecondSample::default()
            };
        }
        let seconds = now.saturating_sub(before.at).as_secs_f64().max(0.1);
        let queries = messages.queries.checked_sub(before.messages.queries);
        SecondSample {
            queries: queries.map(|queries| (queries as f64 / seconds).round() as u64),
            errors_permille: errors_permille(&before.messages, &messages),
            ..SecondSample::default()
        }
    }

    /// A second in which there was no answer.
    pub(super) fn miss(&mut self) {
        self.baseline = None;
        self.sides.forget();
        self.push(SecondSample::default());
    }

    /// Forgets the periods, because another agent answers at the same address, or the same one
    /// restarted.
    pub(super) fn forget_periods(&mut self) {
        self.periods.clear();
        self.baseline = None;
        self.sides.forget();
    }

    fn push(&mut self, sample: SecondSample) {
        if self.seconds.len() == SECONDS_MAX {
            self.seconds.pop_front();
        }
        self.seconds.push_back(sample);
    }

    fn keep(&mut self, point: PeriodPoint) {
        self.periods.insert(point.start_ts, point);
        while self.periods.len() > PERIODS_MAX {
            self.periods.pop_first();
        }
    }

    /// The seconds, the newest first.
    pub fn seconds(&self) -> impl Iterator<Item = &SecondSample> {
        self.seconds.iter().rev()
    }

    /// Both directions in the last ten seconds; see [`SideHistory::figures`].
    pub(super) fn sides(&self, waiting: u64) -> InOut<SideFigures> {
        self.sides.figures(waiting)
    }

    /// The newest second.
    pub fn newest(&self) -> Option<&SecondSample> {
        self.seconds.back()
    }

    /// The periods, the newest first.
    pub fn periods(&self) -> impl Iterator<Item = &PeriodPoint> {
        self.periods.values().rev()
    }

    /// Number of periods known.
    pub fn period_count(&self) -> usize {
        self.periods.len()
    }
}

fn errors_permille(before: &DnsMessages, now: &DnsMessages) -> Option<u64> {
    let errors = |messages: &DnsMessages| {
        messages.replies.saturating_sub(messages.noerror).saturating_sub(messages.nxdomain)
    };
    let replies = now.replies.saturating_sub(before.replies);
    let errors = errors(now).saturating_sub(errors(before));
    permille(errors, replies)
}

impl PeriodPoint {
    fn of(observation: &Observation) -> Self {
        Self {
            start_ts: observation.span.start_ts,
            length: observation.span.length,
            packets: observation.packets.total,
            received: observation.packets.received,
            sent: observation.packets.sent,
            queries: observation.dns.wire_packets.queries,
            replies: observation.dns.wire_packets.replies,
            rcodes: Rcode::ALL.map(|rcode| observation.replies_with(rcode)),
            p95_us: observation.p95_us(),
        }
    }

    fn of_period(period: &Period) -> Self {
        Self::of(&Observation::new("", period.clone()))
    }

    /// A count of the period as an average per second; `None` for a period without length.
    pub fn per_second(&self, count: u64) -> Option<u64> {
        self.per_second_milli(count).map(|milli| milli / 1000)
    }

    /// Replies that are neither NOERROR nor NXDOMAIN, in a thousand replies.
    pub fn errors_permille(&self) -> Option<u64> {
        let [noerror, nxdomain, ..] = self.rcodes;
        let errors = self.replies.saturating_sub(noerror).saturating_sub(nxdomain);
        permille(errors, self.replies)
    }

    /// A count of the period as an average per second, in thousandths; `None` for a period without
    /// length.
    pub fn per_second_milli(&self, count: u64) -> Option<u64> {
        let seconds = u64::try_from(self.length).ok().filter(|seconds| *seconds > 0)?;
        Some((count as f64 * 1000.0 / seconds as f64).round() as u64)
    }
}
