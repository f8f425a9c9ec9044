//! The last 300 seconds, each with a few numbers.
//!
//! A second is the difference between the live period at its end and at the end of the second
//! before. So a packet costs nothing more, and the seconds of a period sum up to its numbers.

use std::collections::VecDeque;
use std::sync::Arc;

use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::codes_by_side::MessageCodes;
use crate::distribution::Distribution;
use crate::period::PeriodRecord;
use crate::transactions::TransactionDirectionRecord;

/// Seconds kept.
pub(super) const SECONDS_MAX: usize = 300;

/// Keeps the last seconds of a live period and those before it.
#[derive(Debug, Default)]
pub(super) struct SecondRecorder {
    ring: SecondRing,
    /// The sums of the live period when its last second ended.
    before: SecondSums,
}

/// The last seconds, oldest first and without a gap.
#[derive(Clone, Debug, Default)]
pub(super) struct SecondRing {
    seconds: VecDeque<Second>,
    /// The second after the newest one, since 1970.
    end_s: u64,
}

/// The numbers of one second.
#[derive(Clone, Copy, Debug)]
struct Second {
    received: u64,
    sent: u64,
    unknown: u64,
    bytes_in: u64,
    bytes_out: u64,
    queries: u64,
    replies: u64,
    noerror: u64,
    nxdomain: u64,
    srvfail: u64,
    refused: u64,
    truncated: u64,
    timed_out: u64,
    inbound: SecondTimes,
    outbound: SecondTimes,
}

/// Transactions of one direction in one second.
#[derive(Clone, Copy, Debug)]
struct SecondTimes {
    total: u64,
    /// Median and 95th percentile; `None` if no transaction has a time.
    quantiles_us: Option<[u64; 2]>,
}

/// The sums from which a second is computed.
#[derive(Debug, Default)]
struct SecondSums {
    counters: Counters,
    truncated: u64,
    timed_out: u64,
    inbound: DirectionSums,
    outbound: DirectionSums,
}

#[derive(Debug, Default)]
struct DirectionSums {
    total: u64,
    times_us: Distribution,
}

impl SecondRecorder {
    /// Ends a second of the live period, of which `shares` are the findings of worker threads.
    pub(super) fn close(&mut self, second_s: u64, live: &PeriodRecord, shares: &[Arc<PeriodRecord>]) {
        let periods = || std::iter::once(live).chain(shares.iter().map(|share| &**share));
        let mut counters = Counters::default();
        periods().for_each(|period| counters.add(&period.counters));
        let truncated = periods().map(|period| period.dns.codes_of_all(MessageCodes::tc_replies)).sum();
        let timed_out = periods().map(|period| period.dns.xact.counts.timed_out).sum();
        let before = &mut self.before;
        let mut of_second = counters;
        of_second.subtract(&before.counters);
        let Counters { packets, dns } = &of_second;
        self.ring.push(
            second_s,
            Second {
                received: packets.received,
                sent: packets.sent,
                unknown: packets.unknown,
                bytes_in: packets.bytes_in,
                bytes_out: packets.bytes_out,
                queries: dns.queries,
                replies: dns.replies,
                // RFC 1035 section 4.1.1.
                noerror: dns.rcodes[0],
                srvfail: dns.rcodes[2],
                nxdomain: dns.rcodes[3],
                refused: dns.rcodes[5],
                truncated: difference(&mut before.truncated, truncated),
                timed_out: difference(&mut before.timed_out, timed_out),
                inbound: before.inbound.close(periods().map(|period| &period.dns.xact.inbound)),
                outbound: before.outbound.close(periods().map(|period| &period.dns.xact.outbound)),
            },
        );
        before.counters = counters;
    }

    /// Begins an empty period. The second before is closed.
    pub(super) fn rotate(&mut self) {
        self.before = SecondSums::default();
    }

    /// Forgets all seconds: the clock jumped, so the next second does not follow them.
    pub(super) fn clear(&mut self) {
        self.ring = SecondRing::default();
    }

    pub(super) fn ring(&self) -> &SecondRing {
        &self.ring
    }
}

impl DirectionSums {
    fn close<'a>(
        &mut self,
        records: impl Iterator<Item = &'a TransactionDirectionRecord> + Clone,
    ) -> SecondTimes {
        let total = difference(&mut self.total, records.clone().map(|record| record.total).sum());
        // Most of the cost of a second is that of the times, and a quiet second has none.
        if total == 0 {
            return SecondTimes { total, quantiles_us: None };
        }
        let mut times_us = Distribution::default();
        records.for_each(|record| times_us.merge(record.quantiles_us.values()));
        let quantiles_us = times_us.middle_and_high_since(&self.times_us);
        self.times_us = times_us;
        SecondTimes { total, quantiles_us }
    }
}

/// By how much a sum has grown, which is then `now`.
fn difference(before: &mut u64, now: u64) -> u64 {
    now.saturating_sub(std::mem::replace(before, now))
}

impl SecondRing {
    fn push(&mut self, second_s: u64, second: Second) {
        if second_s != self.end_s {
            self.seconds.clear();
        }
        // No larger than needed; only the first second allocates.
        self.seconds.reserve_exact(SECONDS_MAX - self.seconds.len());
        if self.seconds.len() == SECONDS_MAX {
            self.seconds.pop_front();
        }
        self.seconds.push_back(second);
        self.end_s = second_s + 1;
    }

    /// The seconds in columns.
    pub(super) fn report(&self) -> api::SecondSeries {
        let column = |number: fn(&Second) -> u64| self.seconds.iter().map(number).collect();
        api::SecondSeries {
            start_ts: (self.end_s - self.seconds.len() as u64) as i64,
            step_s: 1,
            packets: api::PacketSeries {
                received: column(|second| second.received),
                sent: column(|second| second.sent),
                unknown: column(|second| second.unknown),
                bytes_in: column(|second| second.bytes_in),
                bytes_out: column(|second| second.bytes_out),
            },
            dns: api::DnsSeries {
                queries: column(|second| second.queries),
                replies: column(|second| second.replies),
                noerror: column(|second| second.noerror),
                nxdomain: column(|second| second.nxdomain),
                srvfail: column(|second| second.srvfail),
                refused: column(|second| second.refused),
                tc: column(|second| second.truncated),
            },
            xact: api::TransactionSeries {
                timed_out: column(|second| second.timed_out),
                inbound: self.direction(|second| &second.inbound),
                outbound: self.direction(|second| &second.outbound),
            },
        }
    }

    fn direction(&self, times: fn(&Second) -> &SecondTimes) -> api::DirectionSeries {
        let times = || self.seconds.iter().map(times);
        api::DirectionSeries {
            total: times().map(|times| times.total).collect(),
            p50_us: times().map(|times| times.quantiles_us.map(|[p50, _]| p50)).collect(),
            p95_us: times().map(|times| times.quantiles_us.map(|[_, p95]| p95)).collect(),
        }
    }
}
