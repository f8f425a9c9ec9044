//! `tap`: a program takes every packet of a mirror port off it and hands DNS to sockets, for threads to analyse in the order
//! of time.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use anyhow::bail;
use pktvisor_capture::kernel::Deep;
use pktvisor_capture::privileges::{self, Work};
use pktvisor_capture::tap::{Queue, Tap, check_unused, receive_queues};
use pktvisor_common::sharding::Shards;

use super::clock;
use super::deep::{self, DeepSettings};
use super::pause::Pause;
use super::placement::Placement;
use super::prepare::Prepared;
use super::programs::{Attachments, Programs, tell_attached};
use crate::agent::Agent;
use crate::cli::{Options, Target};

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
    let placement = Placement::of_queues(receive_queues(&interface.name)?, options.threads);
    let interfaces = std::slice::from_ref(interface);
    let Prepared { shared, mut attacher, mut drain, analysis, .. } =
        Prepared::new(options, agent, interfaces, placement.shards)?;
    agent.store.batch().tick(clock::wall_ns());
    let mut sockets = attacher.sockets()?;
    let insert = |place, socket: BorrowedFd<'_>| sockets.set(place, socket, 0);
    let tap = Tap::open(&interface.name, interface.index, placement.shards, insert)?;
    let attached = attacher.attach_tap(interface)?;
    tell_attached(agent, &attached);
    tell_sockets(agent, &tap, placement.shards);
    agent.set_mode("tap");
    drain.sockets = tap.queues.iter().map(Queue::statistics).collect();
    privileges::give_up(&privileges::keep(Work::Tap, &privileges::Kernel::running(), false, false))?;
    let Tap { queues, promiscuous, .. } = tap;
    // All of them have as much room.
    let Some(pause) = queues.first().map(|queue| Pause::with_room(queue.room())) else {
        bail!("{} has no receive queue to tap", interface.name);
    };
    let pause = if options.busy_drain { Pause::none() } else { pause };
    let settings = DeepSettings { analysis, pause };
    let sources = Deep::by_shard(queues, placement.shards);
    let threads = deep::start(agent, &shared, sources, &settings, &placement)?;
    Programs::run(shared, Attachments::Tap(Box::new((attached, attacher, promiscuous))), drain, threads)
}

fn tell_sockets(agent: &Agent, tap: &Tap, shards: Shards) {
    let how =
        if tap.is_zero_copy() { "without copying" } else { "by copying, as the driver cannot do without" };
    let (sockets, threads) = (tap.queues.len(), shards.count());
    let queues = sockets / threads as usize;
    tracing::info!("AF_XDP: receive queues {queues}, sockets {sockets}, threads {threads}; {how}");
    agent.set_zero_copy(tap.is_zero_copy());
    for note in &tap.notes {
        tracing::warn!("{note}");
        agent.note(note.clone());
    }
}
