//! `any`: every interface that is up, also those that come up later.

use std::collections::HashMap;
use std::sync::Arc;

use pktvisor_capture::attach::{AttachError, Attached, Attacher};
use pktvisor_capture::interfaces::{Interface, Interfaces};

use super::changes::Changes;
use super::host::{HostFollower, PATIENCE};
use super::programs::tell_attached;
use super::shared::Shared;
use crate::agent::Agent;

/// The hooks on every interface that is up.
pub(super) struct AnyInterface {
    agent: Arc<Agent>,
    attacher: Attacher,
    /// By index.
    attached: HashMap<u32, Attached>,
    /// Interfaces that did not take our programs, by index: not tried again as long as they are there.
    refused: HashMap<u32, String>,
}

impl AnyInterface {
    pub(super) fn new(agent: Arc<Agent>, attacher: Attacher) -> Self {
        Self { agent, attacher, attached: HashMap::new(), refused: HashMap::new() }
    }

    /// Attaches to what came up and lets go of what is gone.
    pub(super) fn update(&mut self, interfaces: &[Interface]) {
        let is_there = |index: &u32| interfaces.iter().any(|interface| interface.index == *index);
        self.refused.retain(|index, _| is_there(index));
        let gone: Vec<u32> = self.attached.keys().copied().filter(|index| !is_there(index)).collect();
        for attached in gone.iter().filter_map(|index| self.attached.remove(index)) {
            tracing::info!("{} is gone", attached.interface);
            self.agent.detached(&attached.interface);
        }
        for interface in interfaces.iter().filter(|interface| interface.is_up) {
            let index = interface.index;
            if self.attached.contains_key(&index) || self.refused.contains_key(&index) {
                continue;
            }
            match self.attacher.attach(interface) {
                Ok(attached) => self.take(attached),
                Err(error) => self.refuse(interface, &error),
            }
        }
    }

    /// Whether anything is captured from.
    pub(super) fn is_attached(&self) -> bool {
        !self.attached.is_empty()
    }

    /// Why nothing is.
    pub(super) fn refusals(&self) -> String {
        self.refused.values().cloned().collect::<Vec<_>>().join("; ")
    }

    fn take(&mut self, attached: Attached) {
        tracing::info!("watching {}", attached.interface);
        tell_attached(&self.agent, &attached);
        self.attached.insert(attached.index, attached);
    }

    fn refuse(&mut self, interface: &Interface, error: &AttachError) {
        tracing::warn!("{error}; its packets are not seen");
        self.agent.note(error.to_string());
        self.refused.insert(interface.index, error.to_string());
    }
}

/// Follows the interfaces until told to stop; then takes all programs off.
pub(super) fn follow(
    mut any: AnyInterface,
    mut host: HostFollower,
    system: &dyn Interfaces,
    changes: &Changes,
    shared: &Shared,
) {
    while !shared.is_detaching() {
        let looked = changes.wait(PATIENCE).and_then(|_| system.list());
        let interfaces = match looked {
            Ok(interfaces) => interfaces,
            Err(error) => {
                any.agent.trouble(format!("interfaces that come up are no longer seen: {error}"));
                break;
            }
        };
        any.update(&interfaces);
        host.update(&interfaces);
    }
}
