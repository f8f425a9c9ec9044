//! HOST of a live capture: its interfaces' own addresses come and go while it runs.

use std::sync::Arc;

use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::Interface;

use super::config::HostConfig;
use super::follow::Watch;
use crate::agent::Agent;

/// Tells whoever counts, all or none, which networks are HOST; fails where one has no room for so many.
pub(super) type Tell = Box<dyn FnMut(&HostSet) -> anyhow::Result<()> + Send>;

/// Tells whoever must know which networks are HOST.
pub(super) struct HostFollower {
    config: HostConfig,
    agent: Arc<Agent>,
    tell: Tell,
    /// As last seen.
    host: HostSet,
}

impl HostFollower {
    /// HOST is that of `interfaces`, and everybody knows.
    pub(super) fn new(config: &HostConfig, agent: &Arc<Agent>, interfaces: &[Interface], tell: Tell) -> Self {
        let host = config.host_set(interfaces);
        Self { config: config.clone(), agent: Arc::clone(agent), tell, host }
    }

    /// From now on it is the addresses of this interface that are HOST.
    pub(super) fn watch(&mut self, interface: &Interface, interfaces: &[Interface]) {
        self.config.interface = Some(interface.index);
        self.update(interfaces);
    }
}

impl Watch for HostFollower {
    fn update(&mut self, interfaces: &[Interface]) {
        let now = self.config.host_set(interfaces);
        if now == self.host {
            return;
        }
        match (self.tell)(&now) {
            Ok(()) => {
                let networks: Vec<String> = now.networks().iter().map(ToString::to_string).collect();
                let networks = if networks.is_empty() { "empty".to_owned() } else { networks.join(", ") };
                tracing::info!("addresses have changed: HOST is now {networks}");
            }
            Err(error) => {
                self.agent.status.add_note(format!("addresses have changed, HOST has not: {error}"))
            }
        }
        self.host = now;
    }
}
