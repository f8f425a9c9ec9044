//! The live period, the closed ones, and whoever reads them.
//!
//! A capture thread locks its share once per batch of packets, never per packet; a reader copies the live share and
//! merges outside the lock, so that it holds up the capture for the time of a copy only. Closed periods never change
//! and are shared.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use pktvisor_common::api;
use pktvisor_common::classify::Class;
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;

use super::frequent::Limits;
use super::timeline::{PERIOD_SECONDS, Step, Timeline};
use super::{Period, Recorder};
use crate::analysis::public_suffix::NameCut;

/// How time is cut and how much of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Periods kept, the live one included; at least 1.
    pub periods: usize,
    /// One period for the whole capture.
    pub summary: bool,
    /// How names are cut for the lists.
    pub name_cut: NameCut,
}

/// Closed periods beyond the newest this many keep only the heads of their lists.
const MERGEABLE_PERIODS: usize = 10;

/// Why there is no such period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPeriod {
    /// The number is outside what the settings allow.
    OutOfRange {
        /// Smallest number allowed.
        first: usize,
        /// Largest number allowed.
        last: usize,
    },
    /// The period has not been filled yet.
    NotYet {
        /// Largest number filled.
        last: usize,
    },
}

/// All that is remembered.
#[derive(Debug)]
pub struct Store {
    settings: Settings,
    live: Mutex<Live>,
}

#[derive(Debug)]
struct Live {
    recorder: Recorder,
    timeline: Timeline,
    /// The counters when the current second began.
    second_began: Counters,
    /// What was counted in the last full second.
    last_second: Counters,
    /// What was counted in all periods that are closed.
    total: Totals,
    /// How many these are.
    turns: u64,
    /// Newest first.
    closed: VecDeque<Arc<Period>>,
}

/// Sums since start, which outlive the periods they were counted in.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    counters: Counters,
    outcomes: super::period::Outcomes,
}

impl Store {
    /// An empty store.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            live: Mutex::new(Live {
                recorder: Recorder::new(settings.name_cut),
                timeline: Timeline::default(),
                second_began: Counters::default(),
                last_second: Counters::default(),
                total: Totals::default(),
                turns: 0,
                closed: VecDeque::new(),
            }),
        }
    }

    /// The settings it was made with.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Takes the live period for a batch of packets. Readers that wait get their turn between batches.
    pub fn batch(&self) -> Batch<'_> {
        Batch { settings: self.settings, live: self.live.lock() }
    }

    /// Number of periods with data, the live one included.
    pub fn filled(&self) -> usize {
        self.live.lock().closed.len() + 1
    }

    /// How many periods were closed since start.
    pub fn turns(&self) -> u64 {
        self.live.lock().turns
    }

    /// One period: 0 is the live one, 1 the last closed one.
    pub fn bucket(&self, n: usize) -> Result<api::Period, NoPeriod> {
        let last = self.settings.periods - 1;
        if n > last {
            return Err(NoPeriod::OutOfRange { first: 0, last });
        }
        let live = self.live.lock();
        if n == 0 {
            let period = live.snapshot();
            drop(live);
            return Ok(period.report());
        }
        let period = live.closed.get(n - 1).cloned();
        let filled = live.closed.len();
        drop(live);
        period.map(|period| period.report()).ok_or(NoPeriod::NotYet { last: filled })
    }

    /// The newest `n` periods merged, or as many as there are.
    pub fn window(&self, n: usize) -> Result<api::Period, NoPeriod> {
        // With one period for everything, 3.0 clients still ask for window/5.
        let last = if self.settings.summary { self.settings.periods.max(5) } else { self.settings.periods };
        if n < 2 || n > last {
            return Err(NoPeriod::OutOfRange { first: 2, last });
        }
        Ok(self.merged(n).report())
    }

    /// The newest `n` periods merged.
    fn merged(&self, n: usize) -> Period {
        let live = self.live.lock();
        let mut merged = live.snapshot();
        let closed: Vec<_> = live.closed.iter().take(n.saturating_sub(1)).cloned().collect();
        drop(live);
        for period in closed {
            merged.merge(&period);
        }
        merged
    }

    /// What a finished capture prints: its one period, or all that are kept.
    pub fn document(&self) -> api::PeriodDocument {
        let single = self.settings.summary || self.settings.periods == 1;
        let (minutes, period) = match single {
            true => (1, self.merged(1)),
            false => (self.settings.periods, self.merged(self.settings.periods)),
        };
        [(format!("{minutes}m"), period.report())].into()
    }

    /// The last full second.
    pub fn rates(&self) -> api::Rates {
        let last = self.live.lock().last_second;
        api::Rates {
            packets: api::DirectionRates {
                received: last.packets.received,
                sent: last.packets.sent,
                unknown: last.packets.unknown,
                bytes_in: last.packets.received_bytes,
                bytes_out: last.packets.sent_bytes,
                dns_queries: last.dns.queries,
                dns_replies: last.dns.replies,
            },
        }
    }

    /// Where every counted packet went since start. What was filtered or lost before is for the capture to add.
    pub fn ledger(&self) -> api::Ledger {
        let live = self.live.lock();
        let mut total = live.total;
        total.add(live.recorder.period());
        drop(live);
        let counted = total.counters.packets.total();
        let outcomes = total.outcomes;
        api::Ledger {
            seen: counted,
            filtered: 0,
            counted,
            dns_packets: total.counters.packets.dns_packets,
            not_chosen: outcomes.not_chosen,
            delivered: outcomes.analysed + outcomes.malformed + outcomes.without_message,
            lost: 0,
            analysed: outcomes.analysed,
            malformed: outcomes.malformed,
            without_message: outcomes.without_message,
            messages: total.counters.dns.total(),
        }
    }
}

impl Totals {
    fn add(&mut self, period: &Period) {
        self.counters.add(&period.counters);
        self.outcomes.merge(&period.outcomes);
    }
}

/// The live period, held for a batch of packets.
#[derive(Debug)]
pub struct Batch<'a> {
    settings: Settings,
    live: MutexGuard<'a, Live>,
}

impl Batch<'_> {
    /// Moves the clock to the time of the next packet and turns what has to turn. Before a period turns,
    /// `before_turn` is told when it ends (nanoseconds since 1970) and may still report to its recorder.
    #[inline]
    pub fn advance(&mut self, timestamp_ns: u64, before_turn: impl FnMut(u64, &mut Recorder)) {
        match self.live.timeline.advance(timestamp_ns) {
            Step::Same => {}
            Step::Back => self.live.recorder.out_of_order(),
            Step::First(second) => self.live.recorder.begin(second),
            Step::Forward { from, to, jump } => self.live.forward(self.settings, from, to, jump, before_turn),
        }
    }

    /// The newest time seen, in nanoseconds since 1970.
    pub fn now_ns(&self) -> u64 {
        self.live.timeline.newest_ns()
    }

    /// Counts one packet.
    #[inline]
    pub fn packet(&mut self, class: &Class, direction: Direction, wire_len: u32) {
        self.live.recorder.packet(class, direction, wire_len);
    }

    /// Where analysis reports to.
    #[inline]
    pub fn recorder(&mut self) -> &mut Recorder {
        &mut self.live.recorder
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.live.recorder.settle();
    }
}

impl Live {
    /// A copy of the live period with its length so far.
    fn snapshot(&self) -> Period {
        let mut period = self.recorder.period().clone();
        if let Some(newest) = self.timeline.newest_second() {
            period.length_s = newest.saturating_sub(period.start_s) + 1;
        }
        period
    }

    /// The second `from` is over and `to` began.
    #[cold]
    fn forward(
        &mut self,
        settings: Settings,
        from: u64,
        to: u64,
        jump: bool,
        mut before_turn: impl FnMut(u64, &mut Recorder),
    ) {
        self.close_second();
        // The first second not yet in the rates.
        let mut next = from + 1;
        while !settings.summary && to >= self.recorder.period().start_s + PERIOD_SECONDS {
            let start = self.recorder.period().start_s;
            let periods = if jump { 1 } else { unseen(start, to, settings.periods).max(1) };
            let end = start + periods * PERIOD_SECONDS;
            before_turn(end.saturating_mul(1_000_000_000), &mut self.recorder);
            if jump && start <= from {
                self.turn(settings, from - start + 1, first_after_jump(end, to, settings.periods));
            } else {
                self.quiet(next, end, jump);
                self.turn(settings, end - start, end);
                self.turns += periods - 1;
            }
            next = self.recorder.period().start_s;
        }
        self.quiet(next, to, jump);
        self.recorder.time_jumps(u64::from(jump));
    }

    /// Counts the seconds from `next` up to `end` as quiet ones, unless the clock jumped over them.
    fn quiet(&mut self, next: u64, end: u64, jump: bool) {
        if !jump {
            self.recorder.quiet_seconds(end.saturating_sub(next));
        }
    }

    fn close_second(&mut self) {
        let now = self.recorder.period().counters;
        self.last_second = now;
        self.last_second.subtract(&self.second_began);
        self.second_began = now;
        self.recorder.second(self.last_second.packets.received, self.last_second.packets.sent);
    }

    /// Closes the live period after `length_s` seconds and begins the next one.
    fn turn(&mut self, settings: Settings, length_s: u64, next_start_s: u64) {
        let mut period = self.recorder.take(next_start_s);
        period.length_s = length_s;
        self.second_began = Counters::default();
        self.total.add(&period);
        self.turns += 1;
        period.shrink(Limits::CLOSED);
        self.closed.push_front(Arc::new(period));
        self.closed.truncate(settings.periods - 1);
        // The one that has just become too old to be merged; readers may still hold it.
        if let Some(old) = self.closed.get_mut(MERGEABLE_PERIODS) {
            Arc::make_mut(old).shrink(Limits::ARCHIVED);
        }
    }
}

/// How many of the periods from `start` up to the second `to` leave the ring before anybody can see them. They are
/// closed as one, so that a packet after an hour costs no more turns than the ring has places.
fn unseen(start: u64, to: u64, periods: usize) -> u64 {
    (to.saturating_sub(start) / PERIOD_SECONDS).saturating_sub(periods as u64 - 1)
}

/// Where the first period after a jump to the second `to` begins, on the grid that `end` lies on: as many empty ones
/// come before the one that holds `to` as fit into the ring without pushing out the last one with packets.
fn first_after_jump(end: u64, to: u64, periods: usize) -> u64 {
    let last = end + to.saturating_sub(end) / PERIOD_SECONDS * PERIOD_SECONDS;
    let room = (periods as u64).saturating_sub(2) * PERIOD_SECONDS;
    end.max(last.saturating_sub(room))
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
