//! Live capture: the modes, and their threads.
//!
//! ```text
//! inline     interface ─ programs ─┬─ maps ── collector thread (every second) ──┬─ store
//!                                  └─ rings ─ worker threads (DNS analysis) ────┘
//! tap        mirror port ─ program ─┬─ maps ── collector thread ────────────────┬─ store
//!                                   └─ AF_XDP sockets ─ worker threads ─────────┘
//! afpacket   interface ─ packet socket ─ capture thread (pipeline) ── ticker ── store
//! ```
//!
//! The wall clock rotates the periods. Each thread locks the store's live period only for moments.
//! One more thread follows the interfaces (`follow`) and attaches to those that appear or come
//! back. It alone keeps the privileges for that.

mod addresses;
mod any;
mod changes;
mod clock;
mod collector;
pub(crate) mod config;
mod coordination;
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
mod program_config;
mod programs;
mod rate;
mod refusal;
mod running;
mod successors;
mod tap;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::Context;
use pktvisor_api as api;
use pktvisor_capture::privileges::{self, KernelFeatures};
use pktvisor_definitions::Mode;

use self::config::LiveConfig;
use self::refusal::{both_reasons, explain_refusal};
use self::running::RunningCapture;
use crate::agent::Agent;

/// A capture that runs.
pub(crate) struct LiveCapture {
    agent: Arc<Agent>,
    capture: Box<dyn RunningCapture>,
}

impl LiveCapture {
    /// Starts to capture from the target in the given mode, or else in the best mode that works,
    /// and gives away the privileges that only starting needed.
    ///
    /// # Errors
    ///
    /// Why the agent would not see every packet, for each mode that was tried.
    pub(crate) fn start(config: &LiveConfig, agent: &Arc<Agent>) -> anyhow::Result<Self> {
        let capture = match config.mode {
            Some(mode) => start_mode(mode, config, agent)?,
            None => start_best_mode(config, agent)?,
        };
        Ok(Self { agent: Arc::clone(agent), capture })
    }

    /// Ends the capture, counts and analyses the packets that came before, and returns the closed
    /// ledger.
    ///
    /// # Errors
    ///
    /// The last packets cannot be accounted for.
    pub(crate) fn stop(self) -> anyhow::Result<api::Ledger> {
        self.capture.stop()?;
        Ok(self.agent.ledger())
    }
}

fn start_mode(
    mode: Mode,
    config: &LiveConfig,
    agent: &Arc<Agent>,
) -> anyhow::Result<Box<dyn RunningCapture>> {
    privileges::check(mode, &KernelFeatures::running())?;
    let capture = match mode {
        Mode::Inline => inline::start(config, agent).map_err(explain_refusal)?,
        Mode::Tap => tap::start(config, agent).map_err(explain_refusal)?,
        Mode::AfPacket => packet_socket::start(config, agent)?,
    };
    agent.status.set_mode(mode);
    Ok(capture)
}

/// Inline, or a packet socket where BPF programs are unavailable.
fn start_best_mode(config: &LiveConfig, agent: &Arc<Agent>) -> anyhow::Result<Box<dyn RunningCapture>> {
    let reason = match start_mode(Mode::Inline, config, agent) {
        Ok(capture) => return Ok(capture),
        Err(reason) => reason,
    };
    let capture = match start_mode(Mode::AfPacket, config, agent) {
        Ok(capture) => capture,
        Err(second) => return Err(both_reasons(reason, &second)),
    };
    let note = format!("{reason:#}; packets are counted by a packet socket instead (afpacket)");
    tracing::warn!("{note}");
    agent.status.add_note(note);
    Ok(capture)
}

/// Starts a thread. If it panics, the agent reports that it is not healthy.
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
            self.agent
                .status
                .report_failure(format!("the {} thread panicked: start the agent again", self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::AnswerSource;
    use pktvisor_analysis::public_suffix::NameCut;
    use pktvisor_metrics::{Clock, Store, StoreSettings};

    #[test]
    fn an_agent_with_a_thread_that_panicked_is_not_healthy() {
        let (name_cut, clock) = (NameCut::default(), Clock::Wall);
        let store = Store::new(StoreSettings { periods: 5, summary: false, name_cut, clock });
        let agent = Arc::new(Agent::new(store, 100, Default::default()));
        spawn(&agent, "first", || ()).unwrap().join().unwrap();
        assert_eq!(agent.health(), Ok(()));
        spawn(&agent, "second", || panic!("as the test wants it")).unwrap().join().unwrap_err();
        assert!(agent.health().unwrap_err().starts_with("the second thread panicked"));
    }
}
