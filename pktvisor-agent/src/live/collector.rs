//! The thread that collects the kernel's counters at every whole second of the wall clock, and
//! rotates the periods.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pktvisor_analysis::geo::Geo;
use pktvisor_capture::kernel::{
    CardinalityRegisters, Collected, HeavyHitters, KernelCounts, KernelError, MapCollector, ProgramLog, Wait,
    monotonic_ns,
};
use pktvisor_capture::tap::StatisticsHandle;
use pktvisor_common::counters::Counters;
use pktvisor_common::kernel::control::Ends;
use pktvisor_metrics::Cut;

use super::addresses;
use super::clock::{until_next_second, wall_ns};
use super::coordination::Coordination;
use super::epochs::CutOrder;
use super::losses::DriverDrops;
use super::rate::RateControl;
use crate::agent::Agent;

/// How long to wait for worker threads to finish an epoch. After that its moment is published a
/// second later.
const WORKER_PATIENCE: Duration = Duration::from_millis(700);

/// A worker thread that takes longer than this for an epoch does not work.
const WORKER_FAILURE: Duration = Duration::from_secs(15);

/// A reader wants a moment before the second ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct MomentRequest;

/// The AF_XDP sockets in use, if any, and the losses of earlier ones.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    current: Vec<StatisticsHandle>,
    lost_before: u64,
}

impl Sockets {
    /// Replaces the sockets. The losses of the old ones are final.
    pub(super) fn replace(&mut self, sockets: impl Iterator<Item = StatisticsHandle>) {
        self.lost_before = self.lost();
        self.current = sockets.collect();
    }

    /// Packets lost by all of them since start.
    fn lost(&self) -> u64 {
        self.lost_before + self.current.iter().map(|socket| socket.read().lost()).sum::<u64>()
    }
}

/// The state of the collector thread.
pub(super) struct Collector {
    pub(super) agent: Arc<Agent>,
    pub(super) coordination: Arc<Coordination>,
    pub(super) maps: MapCollector,
    pub(super) geo: Option<Geo>,
    pub(super) rate: RateControl,
    pub(super) driver: DriverDrops,
    pub(super) counted: KernelCounts,
    /// The log messages of the programs, if they have any.
    pub(super) log: Option<ProgramLog>,
    pub(super) sockets: Arc<Mutex<Sockets>>,
    /// What the sockets had lost at the last collection.
    pub(super) lost_by_sockets: u64,
    /// The counters of an epoch that worker threads still analyse.
    pub(super) pending: Option<PendingEpoch>,
}

/// The counters of one epoch.
#[derive(Debug)]
pub(super) struct PendingEpoch {
    /// When it ended (wall clock).
    now_ns: u64,
    /// When its counters were read.
    sealed: Instant,
    counters: Counters,
    lost: u64,
    heavy: Option<HeavyHitters>,
    distinct: Option<CardinalityRegisters>,
}

impl Collector {
    /// Runs until the sender of `requests` is dropped. Returns itself for the [last](Self::finish)
    /// collection.
    pub(super) fn run(mut self, requests: &Receiver<MomentRequest>) -> Self {
        let mut second_ends = Instant::now() + until_next_second();
        loop {
            let collected = match requests.recv_timeout(second_ends.saturating_duration_since(Instant::now()))
            {
                Ok(MomentRequest) => self.end_moment(),
                Err(RecvTimeoutError::Timeout) => {
                    let collected = self.tick();
                    second_ends = Instant::now() + until_next_second();
                    collected
                }
                Err(RecvTimeoutError::Disconnected) => return self,
            };
            if let Err(error) = collected {
                // It will not get better. Only the first report is logged, so that the log does not
                // fill up.
                self.agent.status.report_failure(format!("the kernel's counters cannot be read: {error}"));
            }
        }
    }

    /// Collects the last counters, after the programs are detached, the rings are empty and the
    /// worker threads have ended.
    pub(super) fn finish(mut self) -> Result<(), KernelError> {
        self.publish();
        let collected = self.end_epoch(wall_ns(), Cut::Whole);
        self.publish();
        self.flush_log();
        collected
    }

    fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// Ends a second.
    fn tick(&mut self) -> Result<(), KernelError> {
        let collected = self.end_moment();
        self.rate.adjust(&self.agent, &self.coordination);
        if let Some(geo) = &mut self.geo {
            geo.refresh(Instant::now());
        }
        self.flush_log();
        collected
    }

    /// Ends an epoch and publishes its moment, once the worker threads have analysed all of it.
    fn end_moment(&mut self) -> Result<(), KernelError> {
        // If a worker thread is behind, the last moment is not over, so the next one begins a
        // second later.
        if !self.publish() {
            self.check_workers();
            return Ok(());
        }
        let now_ns = wall_ns();
        let period_ends = self.agent.store.batch().rotates_at(now_ns);
        let cut = if period_ends { Cut::Period } else { self.agent.store.wanted_cut() };
        let collected = self.end_epoch(now_ns, cut);
        self.wait_for_workers();
        self.publish();
        collected
    }

    /// Begins the next epoch and collects the counters of the one that ends.
    fn end_epoch(&mut self, now_ns: u64, cut: Cut) -> Result<(), KernelError> {
        let period_ends = cut == Cut::Period;
        // Before the counters, so that each lost packet is also a counted one.
        let (lost_by_sockets, wait) = {
            let sockets = self.sockets.lock();
            (sockets.lost(), if sockets.current.is_empty() { Wait::Grace } else { Wait::Brief })
        };
        let ends = if period_ends { Ends::Period } else { Ends::Epoch };
        let mut standby = self.maps.flip(ends);
        let counted = self.maps.seal(&mut standby, wait);
        // Even if the counters cannot be read, because the epoch is over.
        self.coordination.epochs().order(CutOrder { sealed_ns: monotonic_ns(), cut });
        let mut pending = PendingEpoch {
            now_ns,
            sealed: Instant::now(),
            counters: Counters::default(),
            lost: 0,
            heavy: None,
            distinct: None,
        };
        if let Ok(counted) = counted {
            pending.counters = counted.counters;
            pending.counters.subtract(&self.counted.counters);
            pending.lost = (counted.punted.lost() + lost_by_sockets)
                .saturating_sub(self.counted.punted.lost() + self.lost_by_sockets);
            self.counted = counted;
            self.lost_by_sockets = lost_by_sockets;
        }
        // Even if the sketches cannot be read, so that the counters are not lost.
        let collected = self.maps.collect(standby);
        let distinct = match &collected {
            Ok(Collected { cardinality: Some(registers), .. }) => Ok(registers.clone()),
            _ => self.maps.live_cardinality(),
        };
        let collected = collected.map(|collected| pending.heavy = Some(collected.heavy));
        let distinct = distinct.map(|distinct| pending.distinct = Some(distinct));
        self.pending = Some(pending);
        counted.and(collected).and(distinct)
    }

    /// Reports a worker thread that stays behind. One that works is never further behind than the
    /// rings hold.
    fn check_workers(&self) {
        if self.pending.as_ref().is_some_and(|pending| pending.sealed.elapsed() > WORKER_FAILURE) {
            self.agent.status.report_failure(
                "DNS is no longer analysed: a worker thread does not work, restart the agent".into(),
            );
        }
    }

    /// Waits for the worker threads, which need a few milliseconds, or more if they are behind.
    fn wait_for_workers(&self) {
        self.coordination.epochs().wait_until(Instant::now() + WORKER_PATIENCE);
    }

    /// Publishes the counters of the last epoch together with its analysis, and moves the time of
    /// the store. Returns false if a worker thread has not finished the epoch.
    fn publish(&mut self) -> bool {
        if !self.coordination.epochs().are_reached() {
            return false;
        }
        let Some(pending) = self.pending.take() else { return true };
        {
            // Under one lock, so that readers see all of it or nothing.
            let mut batch = self.agent.store.batch();
            batch.counted(&pending.counters, pending.lost);
            if let Some(heavy) = &pending.heavy {
                addresses::add_frequent(heavy, self.geo.as_mut(), batch.recorder());
            }
            if let Some(distinct) = &pending.distinct {
                addresses::add_distinct(distinct, batch.recorder());
            }
            batch.publish();
            batch.tick(pending.now_ns);
        }
        let driver_drops = self.driver.since_start(&self.agent.status.present_interfaces());
        self.agent.status.record_kernel_counts(&self.counted, self.lost_by_sockets, driver_drops);
        true
    }
}
