//! Follows the interfaces of the machine while the capture runs: they appear, change and go.

use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::Context;
use std::sync::mpsc::sync_channel;

use super::changes::Changes;
use super::spawn;
use crate::agent::Agent;
use pktvisor_capture::interfaces::{Interface, Interfaces, SystemInterfaces};
use pktvisor_capture::privileges::{self, Keep};

/// How often the thread checks whether it is to stop. It sees changes at once.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often the interfaces are listed without a change, to try again what failed.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Acts on changes of the interfaces. Detaches all programs when it is dropped.
pub(super) trait Watch: Send + 'static {
    /// Acts on the current interfaces.
    fn update(&mut self, interfaces: &[Interface]);
}

/// Starts the thread that follows the interfaces until `is_over`, and gives away all privileges
/// except those in `keep`. `changes` must be older than the list of interfaces that `watch` began
/// with.
///
/// # Errors
///
/// The privileges cannot be given away.
pub(super) fn start(
    agent: &Arc<Agent>,
    watch: impl Watch,
    changes: Changes,
    keep: Keep,
    is_over: impl Fn() -> bool + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    let agent_of_thread = Arc::clone(agent);
    let (report, given_up) = sync_channel(1);
    let thread = spawn(agent, "interfaces", move || {
        // This thread alone keeps the privileges to attach.
        let result = privileges::give_up(&keep);
        let is_safe = result.is_ok();
        let _ = report.send(result);
        if is_safe {
            follow(&agent_of_thread, watch, &SystemInterfaces, &changes, is_over);
        }
    })?;
    given_up.recv().context("the interfaces thread panicked")??;
    Ok(thread)
}

fn follow(
    agent: &Agent,
    mut watch: impl Watch,
    system: &dyn Interfaces,
    changes: &Changes,
    is_over: impl Fn() -> bool,
) {
    // At once, because the interfaces may have changed before.
    let mut looked: Option<Instant> = None;
    while !is_over() {
        let is_due = looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL);
        let interfaces = match changes.wait(if is_due { Duration::ZERO } else { PATIENCE }) {
            Ok(false) if !is_due => continue,
            Ok(_) => system.list(),
            Err(error) => Err(error),
        };
        match interfaces {
            Ok(interfaces) => watch.update(&interfaces),
            Err(error) => {
                let note = format!("the network interfaces cannot be listed: {error}; trying again");
                tracing::warn!("{note}");
                agent.status.add_note(note);
                sleep(PATIENCE);
            }
        }
        looked = Some(Instant::now());
    }
}
