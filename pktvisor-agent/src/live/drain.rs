//! The thread that reads, at every whole second of the wall clock, what the kernel counted, and turns the periods.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use pktvisor_analysis::geo::Geo;
use pktvisor_capture::kernel::{Collected, Drain, KernelCounts, KernelError, ProgramLog};
use pktvisor_capture::tap::StatisticsHandle;

use super::addresses;
use super::clock::{until_next_second, wall_ns};
use super::losses::DriverDrops;
use super::rate::RateControl;
use super::shared::Shared;
use crate::agent::Agent;

/// The drain thread's own.
pub(super) struct DrainThread {
    pub(super) agent: Arc<Agent>,
    pub(super) shared: Arc<Shared>,
    pub(super) drain: Drain,
    pub(super) geo: Option<Geo>,
    pub(super) rate: RateControl,
    pub(super) driver: DriverDrops,
    pub(super) counted: KernelCounts,
    /// What the programs say, where they say something.
    pub(super) log: Option<ProgramLog>,
    /// Of the sockets that packets are handed to, where there are any.
    pub(super) sockets: Vec<StatisticsHandle>,
    /// What these had lost.
    pub(super) lost_by_sockets: u64,
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

    /// Everything up to now: the programs are off, the rings empty.
    pub(super) fn finish(mut self) -> Result<(), KernelError> {
        let drained = self.drain(true);
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
        let now_ns = wall_ns();
        let period_ends = self.agent.store.batch().turns_at(now_ns);
        let drained = self.drain(period_ends);
        self.agent.store.batch().tick(now_ns);
        self.rate.adjust(&self.agent, &self.shared);
        if let Some(geo) = &mut self.geo {
            geo.refresh(Instant::now());
        }
        self.flush_log();
        drained
    }

    /// Brings what was counted since the last time into the live period.
    fn drain(&mut self, period_ends: bool) -> Result<(), KernelError> {
        // First: what was delivered or lost by now was counted before.
        let outcomes = self.agent.store.outcomes();
        let lost_by_sockets: u64 = self.sockets.iter().map(|socket| socket.read().lost()).sum();
        let quiet = self.drain.flip(period_ends);
        let counted = self.drain.counts()?;
        let mut counters = counted.counters;
        counters.subtract(&self.counted.counters);
        let lost = (counted.handed_up.lost() + lost_by_sockets)
            .saturating_sub(self.counted.handed_up.lost() + self.lost_by_sockets);
        self.counted = counted;
        self.lost_by_sockets = lost_by_sockets;
        let collected = self.drain.collect(quiet);
        let distinct = match &collected {
            Ok(Collected { cardinality: Some(registers), .. }) => Ok(registers.clone()),
            _ => self.drain.live_cardinality(),
        };
        {
            // Also where the sketches cannot be read: what was counted is not to be lost.
            let mut batch = self.agent.store.batch();
            batch.counted(&counters, lost);
            batch.balance(outcomes);
            if let Ok(collected) = &collected {
                addresses::take_frequent(&collected.heavy, self.geo.as_mut(), batch.recorder());
            }
            if let Ok(distinct) = &distinct {
                addresses::take_distinct(distinct, batch.recorder());
            }
        }
        let driver_drops = self.driver.since_start(&self.agent.interface_names());
        self.agent.kernel_counts(&counted, lost_by_sockets, driver_drops);
        collected.and(distinct).map(drop)
    }
}
