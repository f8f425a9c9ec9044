//! HOST of a live capture: its interfaces' own addresses come and go while it runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::{Interface, Interfaces};

use super::changes::Changes;
use crate::agent::Agent;
use crate::cli::Options;

/// How often the stop sign is looked at; changes are seen at once.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// Tells whoever counts, all or none, which networks are HOST; fails where one has no room for so many.
pub(super) type Tell = Box<dyn FnMut(&HostSet) -> anyhow::Result<()> + Send>;

/// Tells whoever must know which networks are HOST.
pub(super) struct HostFollower {
    options: Options,
    agent: Arc<Agent>,
    tell: Tell,
    /// As last seen.
    host: HostSet,
}

impl HostFollower {
    /// HOST is that of `interfaces`, and everybody knows.
    pub(super) fn new(options: &Options, agent: &Arc<Agent>, interfaces: &[Interface], tell: Tell) -> Self {
        let host = options.host_set(interfaces);
        Self { options: options.clone(), agent: Arc::clone(agent), tell, host }
    }

    /// The interfaces are these now.
    pub(super) fn update(&mut self, interfaces: &[Interface]) {
        let now = self.options.host_set(interfaces);
        if now == self.host {
            return;
        }
        match (self.tell)(&now) {
            Ok(()) => {
                let networks: Vec<String> = now.networks().iter().map(ToString::to_string).collect();
                tracing::info!("addresses have changed: HOST is now {}", networks.join(", "));
            }
            Err(error) => self.agent.note(format!("addresses have changed, HOST has not: {error}")),
        }
        self.host = now;
    }

    /// Follows the addresses until told to stop.
    pub(super) fn follow(mut self, system: &dyn Interfaces, is_over: impl Fn() -> bool) {
        if let Err(error) = self.until_over(system, is_over) {
            self.agent.note(format!("addresses that the interface gets are not HOST any more: {error}"));
        }
    }

    fn until_over(&mut self, system: &dyn Interfaces, is_over: impl Fn() -> bool) -> io::Result<()> {
        let changes = Changes::subscribe()?;
        // They may have changed before.
        let mut is_changed = true;
        while !is_over() {
            if is_changed {
                self.update(&system.list()?);
            }
            is_changed = changes.wait(PATIENCE)?;
        }
        Ok(())
    }
}
