//! A live capture: which way packets are taken, and the threads that take over what there is.
//!
//! ```text
//! inline     interface ─ programs ─┬─ maps ── drain thread (at every second) ─┬─ store
//!                                  └─ rings ─ deep thread (DNS analysis) ─────┘
//! tap        mirror port ─ program ─┬─ maps ── drain thread ────────────────────┬─ store
//!                                   └─ AF_XDP sockets ─ deep threads ───────────┘
//! afpacket   interface ─ packet socket ─ capture thread (pipeline) ── ticker ── store
//! ```
//!
//! The wall clock turns the periods. The threads share the store's live period, each for moments.

mod addresses;
mod any;
mod changes;
pub mod clock;
mod configuration;
mod deep;
mod drain;
mod host;
mod inline;
mod losses;
pub mod packet_loop;
mod packet_socket;
mod pause;
mod placement;
mod prepare;
mod programs;
mod rate;
mod shared;
mod tap;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context;
use pktvisor_api as api;
use pktvisor_capture::Filter;
use pktvisor_capture::attach::link_type;
use pktvisor_capture::privileges::{self, Kernel, Work};

use self::packet_socket::PacketSocket;
use self::programs::Programs;
use crate::agent::Agent;
use crate::cli::{Mode, Options, Target};
use crate::pipeline::Pipeline;

/// A capture that runs.
pub struct Live {
    agent: Arc<Agent>,
    capture: Running,
}

enum Running {
    Programs(Box<Programs>),
    PacketSocket(PacketSocket),
}

impl Live {
    /// Begins to capture from the target, in the mode that the options name or else the best that works, and gives away
    /// the privileges that were needed for it. `pipeline` makes what packets pass that are counted by us.
    ///
    /// # Errors
    ///
    /// Whatever keeps us from seeing every packet, for each mode that was tried.
    pub fn start(
        options: &Options,
        agent: &Arc<Agent>,
        pipeline: impl FnOnce() -> anyhow::Result<Pipeline>,
    ) -> anyhow::Result<Self> {
        let capture = match options.mode {
            Some(Mode::Inline) => Running::Programs(Box::new(inline(options, agent)?)),
            Some(Mode::Afpacket) => Running::PacketSocket(packet_socket(options, agent, pipeline()?)?),
            Some(Mode::Tap) => Running::Programs(Box::new(tap(options, agent)?)),
            None => match inline(options, agent) {
                Ok(programs) => Running::Programs(Box::new(programs)),
                Err(reason) => Running::PacketSocket(fall_back(options, agent, pipeline, reason)?),
            },
        };
        Ok(Self { agent: Arc::clone(agent), capture })
    }

    /// Ends the capture, takes in what is still on its way, and closes the ledger. Returns it.
    ///
    /// # Errors
    ///
    /// The last packets cannot be accounted for.
    pub fn stop(self) -> anyhow::Result<api::Ledger> {
        match self.capture {
            Running::Programs(programs) => programs.stop()?,
            Running::PacketSocket(socket) => socket.stop()?,
        }
        Ok(self.agent.ledger())
    }
}

/// Looks for mistakes in the options that would be ones in every mode.
///
/// # Errors
///
/// The filter is none, or none for the interface.
pub fn check(options: &Options) -> anyhow::Result<()> {
    let Some(expression) = &options.filter else { return Ok(()) };
    let filter = Filter::new(expression.as_str());
    filter.check()?;
    if let Target::Interface(interface) = &options.target {
        filter.check_for(link_type(interface))?;
    }
    Ok(())
}

fn inline(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    privileges::check(Work::Inline, &Kernel::running())?;
    inline::start(options, agent)
}

fn tap(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    privileges::check(Work::Tap, &Kernel::running())?;
    tap::start(options, agent)
}

fn packet_socket(options: &Options, agent: &Arc<Agent>, pipeline: Pipeline) -> anyhow::Result<PacketSocket> {
    privileges::check(Work::AfPacket, &Kernel::running())?;
    PacketSocket::start(options, agent, pipeline)
}

/// A packet socket where programs are not to be had. If that fails too, both reasons are told.
fn fall_back(
    options: &Options,
    agent: &Arc<Agent>,
    pipeline: impl FnOnce() -> anyhow::Result<Pipeline>,
    reason: anyhow::Error,
) -> anyhow::Result<PacketSocket> {
    let socket = match pipeline().and_then(|pipeline| packet_socket(options, agent, pipeline)) {
        Ok(socket) => socket,
        Err(_) => return Err(reason),
    };
    let note = format!("{reason:#}; packets are counted by a packet socket instead (afpacket)");
    tracing::warn!("{note}");
    agent.note(note);
    Ok(socket)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .with_context(|| format!("cannot start the {name} thread"))
}
