//! HOST of a live capture, which changes with the addresses of the interfaces.

use std::sync::Arc;

use pktvisor_capture::hosts::HostSet;
use pktvisor_capture::interfaces::Interface;

use super::config::HostConfig;
use super::follow::Watch;
use crate::agent::Agent;

/// Sets HOST in all parts of the capture, or in none; fails if a part has no room for so many
/// networks.
pub(super) type SetHost = Box<dyn FnMut(&HostSet) -> anyhow::Result<()> + Send>;

/// Watches the addresses of the interfaces and sets HOST when they change.
pub(super) struct HostFollower {
    config: HostConfig,
    agent: Arc<Agent>,
    set_host: SetHost,
    /// The last HOST that was seen.
    host: HostSet,
}

impl HostFollower {
    /// HOST of these interfaces is already set.
    pub(super) fn new(
        config: &HostConfig,
        agent: &Arc<Agent>,
        interfaces: &[Interface],
        set_host: SetHost,
    ) -> Self {
        let host = config.host_set(interfaces);
        Self { config: config.clone(), agent: Arc::clone(agent), set_host, host }
    }

    /// Changes the interface whose addresses are HOST.
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
        match (self.set_host)(&now) {
            Ok(()) => {
                let networks: Vec<String> = now.networks().iter().map(ToString::to_string).collect();
                let networks = if networks.is_empty() { "empty".to_owned() } else { networks.join(", ") };
                tracing::info!("addresses have changed: HOST is now {networks}");
            }
            Err(error) => self
                .agent
                .status
                .add_note(format!("addresses have changed, but HOST stays the same: {error}")),
        }
        self.host = now;
    }
}
