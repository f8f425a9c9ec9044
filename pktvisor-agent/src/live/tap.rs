//! `tap`: a program takes every packet of a mirror port off it and hands DNS to sockets, one thread a receive queue.
//!
//! The threads share one analysis, since the two halves of a transaction may come by different queues; each has it for a
//! burst of packets at a time.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use pktvisor_common::classify::DnsPorts;

use super::clock::{self, WallClock};
use super::deep::analyse;
use super::prepare::Prepared;
use super::programs::{Attachments, Programs, tell_attached};
use super::shared::Shared;
use super::spawn;
use crate::agent::Agent;
use crate::analysis::Analysis;
use crate::capture::hosts::HostSet;
use crate::capture::kernel::monotonic_ns;
use crate::capture::tap::{Burst, Queue, Sink, Tap, check_unused, pin, run};
use crate::cli::{Options, Target};
use crate::privileges::{self, Work};

/// Opens the sockets of the target's interface, puts the program before them, gives away the privileges and starts the
/// threads.
///
/// # Errors
///
/// Whatever keeps us from seeing every packet, or the host from what is its own; nothing stays attached.
pub(super) fn start(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    let Target::Interface(interface) = &options.target else {
        bail!("cannot capture from {} in tap mode: give one interface", options.target_text);
    };
    if !options.force {
        check_unused(&interface.name, &interface.addresses)?;
    }
    let interfaces = std::slice::from_ref(interface);
    let Prepared { shared, mut attacher, mut drain, analysis, .. } =
        Prepared::new(options, agent, interfaces)?;
    agent.store.batch().tick(clock::wall_ns());
    let mut sockets = attacher.sockets()?;
    let insert = |queue, socket: BorrowedFd<'_>| sockets.set(queue, socket, 0);
    let tap = Tap::open(&interface.name, interface.index, insert)?;
    let attached = attacher.attach_tap(interface)?;
    tell_attached(agent, &attached);
    tell_sockets(agent, &tap);
    agent.set_mode("tap");
    drain.sockets = tap.queues.iter().map(Queue::statistics).collect();
    privileges::give_up(&privileges::keep(Work::Tap, &privileges::Kernel::running(), false, false))?;
    let Tap { queues, promiscuous, .. } = tap;
    let common = Arc::new(Common {
        agent: Arc::clone(agent),
        shared: Arc::clone(&shared),
        dns_ports: options.dns_ports,
        analysis: Mutex::new(analysis),
        fills: queues.iter().map(|_| AtomicU32::new(0)).collect(),
        running: AtomicUsize::new(queues.len()),
    });
    let count = queues.len();
    let threads =
        queues.into_iter().map(|queue| start_thread(queue, count, &common)).collect::<Result<_, _>>();
    Programs::run(shared, Attachments::Tap(Box::new((attached, attacher, promiscuous))), drain, threads?)
}

fn tell_sockets(agent: &Agent, tap: &Tap) {
    let how =
        if tap.is_zero_copy() { "without copying" } else { "by copying, as the driver cannot do without" };
    tracing::info!("AF_XDP sockets on {} receive queues, {how}", tap.queues.len());
    agent.set_zero_copy(tap.is_zero_copy());
    for note in &tap.notes {
        tracing::warn!("{note}");
        agent.note(note.clone());
    }
}

fn start_thread(
    mut queue: Queue,
    threads: usize,
    common: &Arc<Common>,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let number = queue.number();
    let mut worker = Worker { number, common: Arc::clone(common), clock: WallClock::now() };
    let work = move || {
        if let Some(processor) = pin(number as usize, threads) {
            tracing::debug!("queue {number} has processor {processor} to itself");
        }
        let common = Arc::clone(&worker.common);
        if let Err(error) = run(&mut queue, || common.shared.is_stopping(), &mut worker) {
            common.agent.trouble(format!("the capture of queue {number} has ended: {error}"));
        }
        common.finish();
    };
    spawn(&format!("tap {number}"), work).context("not every receive queue is watched")
}

/// What the threads share.
struct Common {
    agent: Arc<Agent>,
    shared: Arc<Shared>,
    dns_ports: DnsPorts,
    analysis: Mutex<Analysis<HostSet>>,
    /// How full each queue is, in thousandths.
    fills: Vec<AtomicU32>,
    /// Threads that have not ended.
    running: AtomicUsize,
}

impl Common {
    /// A thread ends; the last one ends the analysis.
    fn finish(&self) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.analysis.lock().finish(self.agent.store.batch().recorder());
        }
    }
}

/// The thread of one queue.
struct Worker {
    number: u32,
    common: Arc<Common>,
    clock: WallClock,
}

impl Sink for Worker {
    fn burst(&mut self, burst: &mut Burst<'_>) {
        let mut analysis = self.common.analysis.lock();
        let mut batch = self.common.agent.store.batch();
        let recorder = batch.recorder();
        while let Some((header, bytes)) = burst.next_record() {
            analyse(&mut analysis, &self.common.dns_ports, &self.clock, &header, bytes, recorder);
        }
    }

    fn upkeep(&mut self, fill: f64) {
        self.clock = WallClock::now();
        let Common { agent, shared, analysis, fills, .. } = &*self.common;
        if let Some(own) = fills.get(self.number as usize) {
            own.store((fill * 1000.0) as u32, Ordering::Relaxed);
        }
        let fullest = fills.iter().map(|fill| fill.load(Ordering::Relaxed)).max().unwrap_or(0);
        shared.note_ring_fill(f64::from(fullest) / 1000.0);
        // Once for all.
        if self.number != 0 {
            return;
        }
        let mut analysis = analysis.lock();
        if let Some(rate) = shared.take_new_rate() {
            analysis.set_sample_rate(rate);
        }
        analysis.advance(self.clock.wall_ns(monotonic_ns()), agent.store.batch().recorder());
        agent.open_transactions(analysis.open_transactions() as u64);
    }
}
