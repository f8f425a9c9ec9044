//! HOST of a live capture: its interfaces' own addresses come and go while it runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::changes::Changes;
use super::configuration::Configuration;
use super::prepare::host_table;
use super::shared::Shared;
use crate::agent::Agent;
use crate::capture::hosts::HostSet;
use crate::capture::interfaces::{Interface, Interfaces};
use crate::cli::Options;

/// How often the stop sign is looked at; changes are seen at once.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// Tells whoever must know which networks are HOST.
pub(super) struct HostFollower {
    options: Options,
    agent: Arc<Agent>,
    configuration: Configuration,
    shared: Arc<Shared>,
    /// As last seen.
    host: HostSet,
}

impl HostFollower {
    /// HOST is that of `interfaces`, and everybody knows.
    pub(super) fn new(
        options: &Options,
        agent: &Arc<Agent>,
        configuration: &Configuration,
        shared: &Arc<Shared>,
        interfaces: &[Interface],
    ) -> Self {
        Self {
            options: options.clone(),
            agent: Arc::clone(agent),
            configuration: configuration.clone(),
            shared: Arc::clone(shared),
            host: options.host_set(interfaces),
        }
    }

    /// The interfaces are these now.
    pub(super) fn update(&mut self, interfaces: &[Interface]) {
        let now = self.options.host_set(interfaces);
        if now == self.host {
            return;
        }
        // Programs and analysis must agree: where the programs have no room, both keep what they know.
        match host_table(&now) {
            Ok(table) => {
                self.configuration.change(|config| config.host = table);
                self.shared.set_host(now.clone());
                let networks: Vec<String> = now.networks().iter().map(ToString::to_string).collect();
                tracing::info!("addresses have changed: HOST is now {}", networks.join(", "));
            }
            Err(error) => self.agent.note(format!("addresses have changed, HOST has not: {error}")),
        }
        self.host = now;
    }

    /// Follows the addresses until told to stop.
    pub(super) fn follow(mut self, system: &dyn Interfaces, changes: &Changes) {
        if let Err(error) = self.until_stopped(system, changes) {
            self.agent.note(format!("addresses that the interface gets are not HOST any more: {error}"));
        }
    }

    fn until_stopped(&mut self, system: &dyn Interfaces, changes: &Changes) -> io::Result<()> {
        // They may have changed before anybody subscribed.
        let mut is_changed = true;
        while !self.shared.is_detaching() {
            if is_changed {
                self.update(&system.list()?);
            }
            is_changed = changes.wait(PATIENCE)?;
        }
        Ok(())
    }
}
