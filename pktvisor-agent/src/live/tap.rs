//! `tap`: a program takes every packet of a mirror port and hands DNS to AF_XDP sockets. Worker
//! threads analyse it in the order of time.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use pktvisor_capture::attach::{Attached, Attacher};
use pktvisor_capture::interfaces::Interface;
use pktvisor_capture::kernel::Deep;
use pktvisor_capture::privileges;
use pktvisor_capture::promiscuous::Promiscuous;
use pktvisor_capture::tap::{Tap, TapQueue, check_unused, receive_queues};
use pktvisor_common::sharding::Shards;
use pktvisor_definitions::Mode;

use super::changes::Changes;
use super::clock;
use super::collector::Sockets;
use super::config::{LiveConfig, LiveTarget, TapSafety};
use super::follow;
use super::host::HostFollower;
use super::inline::host_setter;
use super::named::{Attach, Hooks, NamedInterface};
use super::pause::Pause;
use super::placement::Placement;
use super::prepare::{DnsPath, Prepared};
use super::programs::Programs;
use super::running::RunningCapture;
use super::successors::Successors;
use super::worker::{self, WorkerSettings};
use crate::agent::Agent;

/// Opens the sockets of the target's interface, attaches the program, gives away the privileges and
/// starts the threads.
///
/// # Errors
///
/// Why the agent would not see every packet, or would take packets that the host needs. Nothing
/// stays attached.
pub(super) fn start(config: &LiveConfig, agent: &Arc<Agent>) -> anyhow::Result<Box<dyn RunningCapture>> {
    let LiveTarget::Interface(interface) = &config.target else {
        bail!("cannot capture from {} in tap mode: give one interface", config.target_text);
    };
    let placement = Placement::of_queues(receive_queues(&interface.name)?, config.threads);
    let shards = placement.shards;
    let interfaces = std::slice::from_ref(interface);
    let Prepared { coordination, attacher, configuration, collector, analysis, .. } =
        Prepared::new(config, agent, interfaces, shards, DnsPath::Sockets)?;
    agent.store.batch().tick(clock::wall_ns());
    let changes = Changes::subscribe().context("cannot watch for interfaces that come and go")?;
    let successors = Successors::new(shards);
    let mut port = MirrorPort {
        attacher,
        agent: Arc::clone(agent),
        safety: config.tap_safety,
        shards,
        successors: successors.clone(),
        sockets: Arc::clone(&collector.sockets),
    };
    let (queues, attached) = port.open(interface)?;
    // All queues have the same room.
    let Some(room_packets) = queues.first().map(TapQueue::room) else {
        bail!("{} has no receive queue to tap", interface.name);
    };
    let set_host = host_setter(configuration, Arc::clone(&coordination));
    let host = HostFollower::new(&config.host, agent, interfaces, set_host);
    let named = NamedInterface::new(&config.target_text, agent, port, attached, host, interface);
    let keep = privileges::keep(Mode::Tap, &privileges::KernelFeatures::running());
    let is_over = Arc::clone(&coordination);
    let interfaces = follow::start(agent, named, changes, keep, move || is_over.is_detaching())?;
    let settings = WorkerSettings { analysis, pause: Pause::new(config.polling, room_packets) };
    let sources = Deep::by_shard(queues, shards);
    let threads = worker::start(agent, &coordination, sources, &settings, &placement, &successors)?;
    Ok(Box::new(Programs::run(coordination, interfaces, collector, threads)?))
}

/// Taps one interface after the other: first the one that the user named, then its successors.
struct MirrorPort {
    attacher: Attacher,
    agent: Arc<Agent>,
    safety: TapSafety,
    shards: Shards,
    successors: Successors<TapQueue>,
    sockets: Arc<Mutex<Sockets>>,
}

/// How long the worker threads may take to close the sockets of an interface that is gone.
const RELEASE_PATIENCE: Duration = Duration::from_secs(1);

/// The program on a mirror port.
struct Tapped {
    attached: Attached,
    _promiscuous: Promiscuous,
    /// Whether the interface replaced the one that was tapped at start.
    is_successor: bool,
}

impl MirrorPort {
    /// Opens the sockets of the interface and attaches the program.
    fn open(&mut self, interface: &Interface) -> anyhow::Result<(Vec<TapQueue>, (Tapped, Hooks))> {
        if self.safety == TapSafety::UnusedOnly {
            check_unused(&interface.name, &interface.addresses)?;
        }
        let mut map = self.attacher.sockets()?;
        let insert = |place, socket: BorrowedFd<'_>| map.set(place, socket, 0);
        let tap = Tap::open(&interface.name, interface.index, self.shards, insert)?;
        let attached = self.attacher.attach_tap(interface)?;
        report_sockets(&self.agent, &tap, self.shards);
        let Tap { queues, promiscuous, notes } = tap;
        self.sockets.lock().replace(queues.iter().map(TapQueue::statistics));
        let hooks = Hooks { ingress: attached.ingress.to_string(), notes, ..Hooks::default() };
        let tapped = Tapped { attached, _promiscuous: promiscuous, is_successor: false };
        Ok((queues, (tapped, hooks)))
    }

    /// Waits until the old sockets are closed: their locked memory counts until then.
    fn wait_for_release(&self) {
        let began = Instant::now();
        while !self.successors.are_taken() && began.elapsed() < RELEASE_PATIENCE {
            sleep(Duration::from_millis(10));
        }
    }
}

impl Attach for MirrorPort {
    type Attached = Tapped;

    fn attach(&mut self, interface: &Interface) -> anyhow::Result<(Tapped, Hooks)> {
        self.wait_for_release();
        let (queues, (tapped, hooks)) = self.open(interface)?;
        self.successors.put(Deep::by_shard(queues, self.shards));
        Ok((Tapped { is_successor: true, ..tapped }, hooks))
    }

    /// A successor gets its addresses only after it appears. With addresses it is no mirror port:
    /// the host needs its traffic.
    fn is_live(&self, tapped: &Tapped, interface: &Interface) -> bool {
        let is_unused = || check_unused(&interface.name, &interface.addresses).is_ok();
        tapped.attached.is_live() && (self.safety == TapSafety::Forced || !tapped.is_successor || is_unused())
    }

    fn detach(&mut self, tapped: Tapped) {
        drop(tapped);
        self.successors.put(Deep::by_shard(Vec::new(), self.shards));
    }
}

fn report_sockets(agent: &Agent, tap: &Tap, shards: Shards) {
    let how = if tap.is_zero_copy() {
        "without copying"
    } else {
        "with copying, because the driver does not support zero copy"
    };
    let (sockets, threads) = (tap.queues.len(), shards.count());
    let queues = sockets / threads as usize;
    tracing::info!("AF_XDP: receive queues {queues}, sockets {sockets}, threads {threads}; {how}");
    agent.status.set_zero_copy(tap.is_zero_copy());
}
