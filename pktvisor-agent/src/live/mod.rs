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
//! The wall clock rotates the periods. The threads share the store's live period, each for moments. One more thread follows the
//! interfaces (`follow`), attaches to those that come or come back, and is the only one that keeps privileges for that.

mod addresses;
mod any;
mod changes;
pub mod clock;
mod configuration;
mod deep;
mod drain;
mod epochs;
mod follow;
mod host;
mod inline;
mod losses;
mod named;
pub mod packet_loop;
mod packet_socket;
mod pause;
mod placement;
mod prepare;
mod programs;
mod rate;
mod shared;
mod successors;
mod tap;

use std::io;
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
    // Its words first, without what is added to it.
    for filter in options.filter.as_deref().map(Filter::new).into_iter().chain(options.filter()) {
        filter.check()?;
        if let Target::Interface(interface) = &options.target {
            filter.check_for(link_type(interface))?;
        }
    }
    Ok(())
}

fn inline(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    privileges::check(Work::Inline, &Kernel::running())?;
    inline::start(options, agent).map_err(explain_refusal)
}

fn tap(options: &Options, agent: &Arc<Agent>) -> anyhow::Result<Programs> {
    privileges::check(Work::Tap, &Kernel::running())?;
    tap::start(options, agent).map_err(explain_refusal)
}

/// The capabilities are there, and still the kernel refuses: in a container that is the engine's seccomp profile.
fn explain_refusal(error: anyhow::Error) -> anyhow::Error {
    let refusal = io::Error::from_raw_os_error(libc::EPERM).to_string();
    let is_refused = error.chain().any(|cause| cause.to_string().contains(&refusal));
    match (is_refused, privileges::Place::detect()) {
        (false, _) | (_, privileges::Place::Host) => error,
        (true, _) => anyhow::anyhow!(
            "{error:#}; the container engine forbids it: run the container with {}",
            privileges::container_flags(&privileges::needed(Work::Tap, &Kernel::running()))
        ),
    }
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

/// Starts a thread. Should it break down, the agent is not healthy any more.
fn spawn<T: Send + 'static>(
    agent: &Arc<Agent>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    let sentinel = Sentinel { agent: Arc::clone(agent), name: name.to_owned() };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let _sentinel = sentinel;
            work()
        })
        .with_context(|| format!("cannot start the {name} thread"))
}

/// Reports a thread that panics.
struct Sentinel {
    agent: Arc<Agent>,
    name: String,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if thread::panicking() {
            self.agent.trouble(format!("the {} thread broke down: start the agent again", self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::Source;
    use pktvisor_analysis::public_suffix::NameCut;
    use pktvisor_metrics::{Clock, Store, StoreSettings};

    #[test]
    fn an_agent_one_of_whose_threads_broke_down_is_not_healthy() {
        let (name_cut, clock) = (NameCut::default(), Clock::Wall);
        let store = Store::new(StoreSettings { periods: 5, summary: false, name_cut, clock });
        let agent = Arc::new(Agent::new(store, 100, Default::default()));
        spawn(&agent, "first", || ()).unwrap().join().unwrap();
        assert_eq!(agent.health(), Ok(()));
        spawn(&agent, "second", || panic!("as the test wants it")).unwrap().join().unwrap_err();
        assert!(agent.health().unwrap_err().starts_with("the second thread broke down"));
    }
}
