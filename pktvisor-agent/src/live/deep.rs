//! The threads that analyse what the kernel handed up, each its shard, in the order of time.

use std::io;
use std::mem::take;
use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use pktvisor_analysis::{self as analysis, Analysis};
use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::kernel::{Deep, Source, monotonic_ns};
use pktvisor_common::classify::{Class, DnsPorts, classify};
use pktvisor_common::kernel::record::RecordHeader;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_metrics::{Cut, Recorder};

use super::clock::WallClock;
use super::epochs::{Order, held_back};
use super::pause::Pause;
use super::placement::Placement;
use super::shared::Shared;
use super::spawn;
use super::successors::Successors;
use crate::agent::Agent;

/// Records between two looks at whoever waits for the store.
const BATCH_RECORDS: usize = 512;

/// What programs handed over before they were taken off arrives within so long.
const LAST_WAIT: Duration = Duration::from_millis(2);

/// How often time-outs are looked after and the wall clock is taken anew.
const UPKEEP: Duration = Duration::from_millis(100);

/// What all deep threads are told.
pub(super) struct DeepSettings {
    pub(super) analysis: analysis::AnalysisSettings<HostSet>,
    /// How long records may be left alone.
    pub(super) pause: Pause,
}

/// Starts a thread for each shard, which takes what comes from its sources.
///
/// # Errors
///
/// There are too many threads.
pub(super) fn start<S: Source + Send + 'static>(
    agent: &Arc<Agent>,
    shared: &Arc<Shared>,
    sources: Vec<Deep<S>>,
    settings: &DeepSettings,
    placement: &Placement,
    successors: &Successors<S>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let start = |(shard, sources)| {
        let deep = DeepThread::new(agent, shared, shard, sources, settings, successors.clone());
        let placement = placement.clone();
        spawn(agent, &format!("deep {shard}"), move || {
            if let Some(processor) = placement.pin(shard) {
                tracing::debug!("deep {shard} stays on processor {processor}");
            }
            deep.run();
        })
    };
    (0..).zip(sources).map(start).collect()
}

/// A deep thread's own.
struct DeepThread<S> {
    agent: Arc<Agent>,
    shared: Arc<Shared>,
    /// Which of the threads it is.
    shard: u32,
    sources: Deep<S>,
    successors: Successors<S>,
    pause: Pause,
    dns_ports: DnsPorts,
    analysis: Analysis<HostSet>,
    /// Epochs that it has cut.
    epochs: u64,
    /// Its open transactions when it last told of them.
    open_told: u64,
}

impl<S: Source> DeepThread<S> {
    fn new(
        agent: &Arc<Agent>,
        shared: &Arc<Shared>,
        shard: u32,
        mut sources: Deep<S>,
        settings: &DeepSettings,
        successors: Successors<S>,
    ) -> Self {
        sources.hold(Some(held_back(0)));
        Self {
            agent: Arc::clone(agent),
            shared: Arc::clone(shared),
            shard,
            sources,
            successors,
            pause: settings.pause.clone(),
            dns_ports: settings.analysis.dns_ports,
            analysis: Analysis::new(settings.analysis.clone()),
            epochs: 0,
            open_told: 0,
        }
    }

    /// Runs until told to stop, then takes all that is left.
    fn run(mut self) {
        let mut clock = WallClock::now();
        let mut upkeep = Instant::now();
        let mut found = 0;
        let mut is_last = false;
        loop {
            // Asked before anything is looked at: what was seen before the sign came is then there.
            let stopping = self.shared.is_stopping();
            if stopping {
                // The last moment is the end.
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
                self.look_after(&clock);
            }
        }
        self.look_after(&clock);
        self.analysis.finish(&mut *self.agent.store.recorder(self.shard));
        self.agent.store.cut(self.shard, Cut::Epoch);
        self.shared.epochs().leave(self.shard);
        self.report();
    }

    /// Analyses what there is, at most a batch of it; returns how much that was.
    fn round(&mut self, clock: &WallClock) -> usize {
        // Asked before the time: by then all of an epoch that is over is there.
        let order = self.shared.epochs().order_after(self.epochs);
        let until_ns = monotonic_ns();
        let taken = self.analyse_until(until_ns, clock);
        if let Some(order) = order
            && taken < BATCH_RECORDS
        {
            self.cut(order, until_ns);
        }
        taken
    }

    /// Ends the epoch if all of its records have been analysed: there was nothing more to take at `until_ns`.
    fn cut(&mut self, order: Order, until_ns: u64) {
        if until_ns < order.sealed_ns.saturating_add(S::DELAY_NS) {
            return;
        }
        self.agent.store.cut(self.shard, order.cut);
        self.epochs += 1;
        self.sources.hold(Some(held_back(self.epochs)));
        self.shared.epochs().reach(self.shard, self.epochs);
    }

    fn analyse_until(&mut self, until_ns: u64, clock: &WallClock) -> usize {
        let fill = self.sources.fill();
        if let Some(shared) = self.shared.deep().get(self.shard as usize) {
            shared.note_ring_fill(fill);
        }
        if fill == 0.0 {
            // A driver may have run out of room for packets meanwhile, and wait to be told that there is some.
            self.sources.release();
            return 0;
        }
        let (analysis, dns_ports) = (&mut self.analysis, &self.dns_ports);
        let mut recorder = self.agent.store.recorder(self.shard);
        let taken = self.sources.drain(until_ns, BATCH_RECORDS, |header, bytes| {
            analyse(analysis, dns_ports, clock, header, bytes, &mut recorder);
        });
        // Whoever looks next sees of all metrics the same messages.
        analysis.report_transactions(&mut *recorder);
        taken
    }

    /// Goes on with the sockets of an interface that has come back, once all that came by the old ones is analysed.
    fn replace_sources(&mut self, clock: &WallClock) {
        if let Some(mut sources) = self.successors.take(self.shard) {
            // Nothing more comes by the old ones, so the records of the next epoch do not wait for it.
            self.sources.hold(None);
            while self.round(clock) > 0 {}
            // What they lost is final now; that they have ended is known.
            drop(self.sources.upkeep());
            sources.hold(Some(held_back(self.epochs)));
            self.sources = sources;
        }
    }

    /// Lets time pass where no packet does.
    fn look_after(&mut self, clock: &WallClock) {
        if let Some(shared) = self.shared.deep().get(self.shard as usize) {
            shared.take_new_rate().into_iter().for_each(|rate| self.analysis.set_sample_rate(rate));
            shared.take_new_host().into_iter().for_each(|host| self.analysis.set_host(host));
        }
        let now_ns = clock.wall_ns(monotonic_ns());
        self.analysis.advance(now_ns, &mut *self.agent.store.recorder(self.shard));
        // That the interface is gone is seen, and told, by the thread that follows the interfaces.
        let is_gone = |error: &io::Error| error.raw_os_error() == Some(libc::ENETDOWN);
        for error in self.sources.upkeep().into_iter().filter(|error| !is_gone(error)) {
            self.agent.trouble(format!("the capture of a receive queue has ended: {error}"));
        }
        self.report();
    }

    fn report(&mut self) {
        let open = self.analysis.open_transactions() as u64;
        self.agent.open_transactions(std::mem::replace(&mut self.open_told, open), open);
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
    analysis.sampled_packet(&packet, &class, recorder);
}

#[cfg(test)]
#[path = "deep_tests.rs"]
mod tests;
