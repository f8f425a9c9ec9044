//! The thread that reads, at every whole second of the wall clock, what the kernel counted, and turns the periods.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pktvisor_analysis::geo::Geo;
use pktvisor_capture::kernel::{
    CardinalityRegisters, Collected, Collector, HeavyHitters, KernelCounts, KernelError, ProgramLog, Wait,
    monotonic_ns,
};
use pktvisor_capture::tap::StatisticsHandle;
use pktvisor_common::counters::Counters;
use pktvisor_common::kernel::control::Ends;
use pktvisor_metrics::Cut;

use super::addresses;
use super::clock::{until_next_second, wall_ns};
use super::epochs::Order;
use super::losses::DriverDrops;
use super::rate::RateControl;
use super::shared::Shared;
use crate::agent::Agent;

/// How long worker threads may need to analyse what was counted before the moment is published a second later.
const WORKER_PATIENCE: Duration = Duration::from_millis(700);

/// After so long without an end, a worker thread has broken down.
const WORKER_BREAKDOWN: Duration = Duration::from_secs(15);

/// How often they are looked at.
const WORKER_POLL: Duration = Duration::from_millis(1);

/// The sockets that packets are handed to, where there are any, and what those before them had lost.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    current: Vec<StatisticsHandle>,
    lost_before: u64,
}

impl Sockets {
    /// From now on packets are handed to these. What the ones before have lost is final.
    pub(super) fn replace(&mut self, sockets: impl Iterator<Item = StatisticsHandle>) {
        self.lost_before = self.lost();
        self.current = sockets.collect();
    }

    /// Packets lost by all of them since start.
    fn lost(&self) -> u64 {
        self.lost_before + self.current.iter().map(|socket| socket.read().lost()).sum::<u64>()
    }
}

/// The drain thread's own.
pub(super) struct DrainThread {
    pub(super) agent: Arc<Agent>,
    pub(super) shared: Arc<Shared>,
    pub(super) drain: Collector,
    pub(super) geo: Option<Geo>,
    pub(super) rate: RateControl,
    pub(super) driver: DriverDrops,
    pub(super) counted: KernelCounts,
    /// What the programs say, where they say something.
    pub(super) log: Option<ProgramLog>,
    pub(super) sockets: Arc<Mutex<Sockets>>,
    /// What these had lost.
    pub(super) lost_by_sockets: u64,
    /// What was counted in an epoch that worker threads have not analysed to its end.
    pub(super) pending: Option<Pending>,
}

/// What was counted in an epoch.
#[derive(Debug)]
pub(super) struct Pending {
    /// When it ended (wall clock).
    now_ns: u64,
    /// When its counters were read.
    sealed: Instant,
    counters: Counters,
    lost: u64,
    heavy: Option<HeavyHitters>,
    distinct: Option<CardinalityRegisters>,
}

impl DrainThread {
    /// Runs until `stop` is hung up. Returns itself for the [last](Self::finish) draining.
    pub(super) fn run(mut self, stop: &Receiver<()>) -> Self {
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(until_next_second()) {
            if let Err(error) = self.tick() {
                // It will not get better, and must not fill the log: said once, and for all to see.
                self.agent.trouble(format!("the kernel's counters cannot be read: {error}"));
            }
        }
        self
    }

    /// Everything up to now: the programs are off, the rings empty, the worker threads have ended.
    pub(super) fn finish(mut self) -> Result<(), KernelError> {
        self.publish();
        let drained = self.end_epoch(wall_ns(), Cut::Epoch);
        self.publish();
        self.flush_log();
        drained
    }

    fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }

    /// The second is over.
    fn tick(&mut self) -> Result<(), KernelError> {
        let mut drained = Ok(());
        // Where a worker thread is behind, the last moment is not over: what is counted now waits for the next second.
        if self.publish() {
            let now_ns = wall_ns();
            let period_ends = self.agent.store.batch().turns_at(now_ns);
            drained = self.end_epoch(now_ns, if period_ends { Cut::Period } else { Cut::Epoch });
            self.wait_for_workers();
            self.publish();
        } else {
            self.watch_workers();
        }
        self.rate.adjust(&self.agent, &self.shared);
        if let Some(geo) = &mut self.geo {
            geo.refresh(Instant::now());
        }
        self.flush_log();
        drained
    }

    /// Begins the next epoch, and reads what was counted in the one that ends.
    fn end_epoch(&mut self, now_ns: u64, cut: Cut) -> Result<(), KernelError> {
        let period_ends = cut == Cut::Period;
        // First: what was lost by now was counted before.
        let (lost_by_sockets, wait) = {
            let sockets = self.sockets.lock();
            (sockets.lost(), if sockets.current.is_empty() { Wait::Grace } else { Wait::Brief })
        };
        let mut standby = self.drain.flip(if period_ends { Ends::Period } else { Ends::Epoch });
        let counted = self.drain.seal(&mut standby, wait);
        // Also where the counters cannot be read, as the epoch is over.
        self.shared.epochs().order(Order { sealed_ns: monotonic_ns(), cut });
        let mut pending = Pending {
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
        // Also where the sketches cannot be read: what was counted is not to be lost.
        let collected = self.drain.collect(standby);
        let distinct = match &collected {
            Ok(Collected { cardinality: Some(registers), .. }) => Ok(registers.clone()),
            _ => self.drain.live_cardinality(),
        };
        let collected = collected.map(|collected| pending.heavy = Some(collected.heavy));
        let distinct = distinct.map(|distinct| pending.distinct = Some(distinct));
        self.pending = Some(pending);
        counted.and(collected).and(distinct)
    }

    /// A worker thread is only ever behind by what the rings hold, so one that stays behind has broken down.
    fn watch_workers(&self) {
        if self.pending.as_ref().is_some_and(|pending| pending.sealed.elapsed() > WORKER_BREAKDOWN) {
            self.agent.trouble(
                "DNS is no longer analysed: a worker thread has broken down, restart the agent".into(),
            );
        }
    }

    /// Worker threads need a few milliseconds, more where they are behind.
    fn wait_for_workers(&self) {
        let deadline = Instant::now() + WORKER_PATIENCE;
        while !self.shared.epochs().are_reached() && Instant::now() < deadline {
            sleep(WORKER_POLL);
        }
    }

    /// Brings what was counted in the last epoch, with what the worker threads found in it, into the live period, and lets
    /// time pass; false where a worker thread has not reached its end.
    fn publish(&mut self) -> bool {
        if !self.shared.epochs().are_reached() {
            return false;
        }
        let Some(pending) = self.pending.take() else { return true };
        {
            // One lock: nobody sees a part of it.
            let mut batch = self.agent.store.batch();
            batch.counted(&pending.counters, pending.lost);
            if let Some(heavy) = &pending.heavy {
                addresses::take_frequent(heavy, self.geo.as_mut(), batch.recorder());
            }
            if let Some(distinct) = &pending.distinct {
                addresses::take_distinct(distinct, batch.recorder());
            }
            batch.publish();
            batch.tick(pending.now_ns);
        }
        self.agent.unknown_ethertypes(&self.counted.ethertypes, self.counted.counters.packets.total());
        let driver_drops = self.driver.since_start(&self.agent.interface_names());
        self.agent.kernel_counts(&self.counted, self.lost_by_sockets, driver_drops);
        true
    }
}
