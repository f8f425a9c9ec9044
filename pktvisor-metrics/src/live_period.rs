//! The live period and the closed ones behind it, and what readers see of them.

mod advance;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::evidence::EvidenceHistory;
use crate::ledger::Totals;
use crate::period::PeriodRecord;
use crate::prefixes::Prefixes;
use crate::recorder::Recorder;
use crate::rolling::RollingSlots;
use crate::seconds::SecondRecorder;
use crate::settings::{Clock, StoreSettings};
use crate::shares::{Lists, Published, Shares};
use crate::timeline::Timeline;
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
}
