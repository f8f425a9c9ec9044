//! The worker threads. Each analyses the packets of its shard that the kernel handed to userspace,
//! in the order of time.

use std::io;
use std::mem::take;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use pktvisor_analysis::transactions::OpenQueries;
use pktvisor_analysis::{self as analysis, Analysis};
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::kernel::{Deep, RecordSource, monotonic_ns};
use pktvisor_common::classify::{Class, DnsPorts, classify};
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_metrics::watch::{AnalysedPacket, MessageWatch, WatchingObserver};
use pktvisor_metrics::{Cut, Recorder};

use super::clock::WallClock;
use super::coordination::Coordination;
use super::epochs::{CutOrder, held_back};
use super::pause::Pause;
use super::placement::Placement;
use super::spawn;
use super::successors::Successors;
use crate::agent::Agent;

/// Records after which a thread releases the store for readers.
const BATCH_RECORDS: usize = 512;

/// Records that programs wrote before they were detached arrive within this time.
const LAST_WAIT: Duration = Duration::from_millis(2);

/// How often time-outs are handled and the wall clock is read again.
const UPKEEP: Duration = Duration::from_millis(100);

/// The settings of all worker threads.
pub(super) struct WorkerSettings {
    pub(super) analysis: analysis::AnalysisSettings<HostSet>,
    /// The pause between two polls.
    pub(super) pause: Pause,
}

/// Starts a thread for each shard, which analyses the records of its sources.
///
/// # Errors
///
/// The system cannot start so many threads.
pub(super) fn start<S: RecordSource + Send + 'static>(
    agent: &Arc<Agent>,
    coordination: &Arc<Coordination>,
    sources: Vec<Deep<S>>,
    settings: &WorkerSettings,
    placement: &Placement,
    successors: &Successors<S>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let start = |(shard, sources)| {
        let worker = Worker::new(agent, coordination, shard, sources, settings, successors.clone());
        let placement = placement.clone();
        spawn(agent, &format!("worker {shard}"), move || {
            if let Some(processor) = placement.pin(shard) {
                tracing::debug!("worker {shard} stays on processor {processor}");
            }
            worker.run();
        })
    };
    (0..).zip(sources).map(start).collect()
}

/// The state of a worker thread.
struct Worker<S> {
    agent: Arc<Agent>,
    coordination: Arc<Coordination>,
    /// The number of the thread.
    shard: u32,
    sources: Deep<S>,
    successors: Successors<S>,
    pause: Pause,
    dns_ports: DnsPorts,
    analysis: Analysis<HostSet>,
    /// The number of epochs that it has cut.
    epochs: u64,
    /// Its open queries at the last report.
    open_reported: OpenQueries,
}

impl<S: RecordSource> Worker<S> {
    fn new(
        agent: &Arc<Agent>,
        coordination: &Arc<Coordination>,
        shard: u32,
        mut sources: Deep<S>,
        settings: &WorkerSettings,
        successors: Successors<S>,
    ) -> Self {
        sources.hold(Some(held_back(0)));
        Self {
            agent: Arc::clone(agent),
            coordination: Arc::clone(coordination),
            shard,
            sources,
            successors,
            pause: settings.pause.clone(),
            dns_ports: settings.analysis.dns_ports,
            analysis: Analysis::new(settings.analysis.clone()),
            epochs: 0,
            open_reported: OpenQueries::default(),
        }
    }

    /// Runs until it is to stop, and then until its sources are empty.
    fn run(mut self) {
        let mut clock = WallClock::now();
        let mut upkeep = Instant::now();
        let mut found = 0;
        let mut is_last = false;
        loop {
            // Read before the rings: every packet from before the stop is then in them.
            let stopping = self.coordination.is_stopping();
            if stopping {
                // There is no next epoch whose records would have to wait.
                self.sources.hold(None);
            }
            let taken = self.round(&clock);
            found += taken;
            if taken < BATCH_RECORDS {
                if is_last && taken == 0 {
                    break;
                }
                let pause = self.pause.after(take(&mut found));
                sleep(if stopping { LAST_WAIT } else { pause });
                is_last = stopping;
            }
            if upkeep.elapsed() >= UPKEEP {
                upkeep = Instant::now();
                clock = WallClock::now();
                self.replace_sources(&clock);
                self.run_upkeep(&clock);
            }
        }
        self.run_upkeep(&clock);
        self.analysis.finish(&mut *self.agent.store.recorder(self.shard));
        self.agent.store.cut(self.shard, Cut::Whole);
        self.coordination.epochs().leave(self.shard);
        self.report_open_queries();
    }

    /// Analyses the waiting records, at most a batch of them, and returns how many there were.
    fn round(&mut self, clock: &WallClock) -> usize {
        // Read before the time: all records of an epoch that is over are then in the rings.
        let order = self.coordination.epochs().order_after(self.epochs);
        let until_ns = monotonic_ns();
        let taken = self.analyse_until(until_ns, clock);
        if let Some(order) = order
            && taken < BATCH_RECORDS
        {
            self.cut(order, until_ns);
        }
        taken
    }

    /// Ends the epoch if all of its records have been analysed: none was left at `until_ns`.
    fn cut(&mut self, order: CutOrder, until_ns: u64) {
        if until_ns < order.sealed_ns.saturating_add(S::DELAY_NS) {
            return;
        }
        self.agent.store.cut(self.shard, order.cut);
        self.epochs += 1;
        self.sources.hold(Some(held_back(self.epochs)));
        self.coordination.epochs().reach(self.shard, self.epochs);
    }

    fn analyse_until(&mut self, until_ns: u64, clock: &WallClock) -> usize {
        let fill = self.sources.fill();
        if let Some(slot) = self.coordination.workers().get(self.shard as usize) {
            slot.record_ring_fill(fill);
        }
        if fill == 0.0 {
            // A driver that ran out of buffers waits until it is told that there are some.
            self.sources.release();
            return 0;
        }
        let (analysis, dns_ports) = (&mut self.analysis, &self.dns_ports);
        let watches = self.agent.store.watches().current();
        let watched = watches.as_deref().map(|watches| (watches, self.shard));
        let mut recorder = self.agent.store.recorder(self.shard);
        let taken = self.sources.poll(until_ns, BATCH_RECORDS, |header, bytes| {
            analyse(analysis, dns_ports, clock, header, bytes, &mut recorder, watched);
        });
        // Before the store is released, so that readers see the same messages in all metrics.
        analysis.report_transactions(&mut *recorder);
        taken
    }

    /// Changes to the sockets of an interface that came back, after all packets of the old ones are
    /// analysed.
    fn replace_sources(&mut self, clock: &WallClock) {
        if let Some(mut sources) = self.successors.take(self.shard) {
            // The old sockets get no more packets, so the records of the next epoch need not wait.
            self.sources.hold(None);
            while self.round(clock) > 0 {}
            // Reads their final losses. The error, that the interface is gone, is known.
            drop(self.sources.upkeep());
            sources.hold(Some(held_back(self.epochs)));
            self.sources = sources;
        }
    }

    /// Applies new settings, handles time-outs, and reports failed sources.
    fn run_upkeep(&mut self, clock: &WallClock) {
        if let Some(slot) = self.coordination.workers().get(self.shard as usize) {
            slot.take_new_rate().into_iter().for_each(|rate| self.analysis.set_sample_rate(rate));
            slot.take_new_host().into_iter().for_each(|host| self.analysis.set_host(host));
        }
        let now_ns = clock.wall_ns(monotonic_ns());
        self.analysis.advance(now_ns, &mut *self.agent.store.recorder(self.shard));
        // The thread that follows the interfaces reports those that are gone.
        let is_gone = |error: &io::Error| error.raw_os_error() == Some(libc::ENETDOWN);
        for error in self.sources.upkeep().into_iter().filter(|error| !is_gone(error)) {
            self.agent.status.report_failure(format!("the capture of a receive queue has ended: {error}"));
        }
        self.report_open_queries();
    }

    fn report_open_queries(&mut self) {
        let open = self.analysis.open_queries();
        self.agent.status.replace_open_queries(std::mem::replace(&mut self.open_reported, open), open);
    }
}

/// Analyses one record.
#[inline]
fn analyse(
    analysis: &mut Analysis<HostSet>,
    dns_ports: &DnsPorts,
    clock: &WallClock,
    header: &RecordHeader,
    bytes: &[u8],
    recorder: &mut Recorder,
    watched: Option<(&[Arc<MessageWatch>], u32)>,
) {
    let packet = Packet {
        timestamp_ns: clock.wall_ns(header.timestamp_ns),
        stamp: Stamp::Own,
        data: bytes,
        wire_len: header.wire_len,
        link_type: header.link_type(),
        segments: header.packets,
    };
    let mut class = Class::default();
    classify(bytes, packet.link_type, dns_ports, &mut class);
    match watched {
        None => analysis.sampled_packet(&packet, &class, recorder),
        Some((watches, shard)) => {
            let direction = analysis.direction(&class);
            let seen = AnalysedPacket { packet: &packet, class: &class, direction };
            analyse_watched(analysis, seen, WatchingObserver::new(recorder, watches, shard, seen));
        }
    }
}

/// Analyses a packet while there are watches.
#[cold]
fn analyse_watched(
    analysis: &mut Analysis<HostSet>,
    seen: AnalysedPacket<'_, '_>,
    mut observer: WatchingObserver<'_, '_>,
) {
    analysis.sampled_packet(seen.packet, seen.class, &mut observer);
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
