//! `any`: every interface that is up, including those that come up later.

use std::collections::HashMap;
use std::sync::Arc;

use pktvisor_api::CaptureInterface;
use pktvisor_capture::attach::{AttachError, Attached, Attacher};
use pktvisor_capture::interfaces::Interface;

use super::follow::Watch;
use super::host::HostFollower;
use super::named::link_state;
use crate::agent::Agent;
use crate::agent::interfaces::{LinkState, Topic};

/// The hooks on every interface that is up.
pub(super) struct AnyInterface {
    /// By index. First, so that the programs are detached before they are unloaded.
    attached: HashMap<u32, AttachedInterface>,
    attacher: Attacher,
    agent: Arc<Agent>,
    host: HostFollower,
    /// Interfaces that refused the programs, by index. They are not tried again while they exist.
    refused: HashMap<u32, Refused>,
}

struct AttachedInterface {
    attached: Attached,
    link: LinkState,
}

struct Refused {
    name: String,
    reason: String,
}

impl AnyInterface {
    pub(super) fn new(agent: &Arc<Agent>, attacher: Attacher, host: HostFollower) -> Self {
        let (attached, refused) = Default::default();
        Self { attached, attacher, agent: Arc::clone(agent), host, refused }
    }

    /// Whether any interface is attached.
    pub(super) fn is_attached(&self) -> bool {
        !self.attached.is_empty()
    }

    /// Why the interfaces refused the programs.
    pub(super) fn refusals(&self) -> String {
        self.refused.values().map(|refused| refused.reason.clone()).collect::<Vec<_>>().join("; ")
    }

    /// Forgets the interfaces that are gone.
    fn release(&mut self, interfaces: &[Interface]) {
        let is_there = |index: &u32| interfaces.iter().any(|interface| interface.index == *index);
        let (agent, refused) = (&self.agent, &mut self.refused);
        refused.retain(|index, refused| {
            let is_kept = is_there(index);
            if !is_kept {
                agent.status.update_interfaces(|known| known.remove(&refused.name));
            }
            is_kept
        });
        self.attached.retain(|index, watched| {
            let is_kept = is_there(index) && watched.attached.is_live();
            if !is_kept {
                tracing::info!("{} is gone", watched.attached.interface);
                agent.status.update_interfaces(|known| known.remove(&watched.attached.interface));
            }
            is_kept
        });
    }

    /// Updates the name and the state of an interface.
    fn refresh(&mut self, interface: &Interface) {
        let Some(watched) = self.attached.get_mut(&interface.index) else { return };
        let name = &mut watched.attached.interface;
        if *name != interface.name {
            tracing::info!("{name} is called {} now", interface.name);
            self.agent.status.update_interfaces(|known| known.rename(name, &interface.name));
            interface.name.clone_into(name);
        }
        let link = link_state(interface);
        if std::mem::replace(&mut watched.link, link) != link {
            self.agent.status.update_interfaces(|known| known.set_state(&interface.name, link));
        }
    }

    fn add(&mut self, attached: Attached, interface: &Interface) {
        let (ingress, reason) = (attached.ingress.to_string(), attached.ingress_reason.clone());
        tracing::info!(
            "watching {}; received packets are counted at {ingress}: {reason}",
            attached.interface
        );
        attached.notes.iter().for_each(|note| tracing::info!("{note}"));
        let link = link_state(interface);
        let watched = CaptureInterface {
            name: attached.interface.clone(),
            ingress,
            ingress_reason: Some(reason),
            egress: attached.egress.map(|hook| hook.to_string()),
            state: link.as_str().to_owned(),
        };
        self.agent.status.update_interfaces(|known| known.insert(watched, attached.notes.clone()));
        self.attached.insert(attached.index, AttachedInterface { attached, link });
    }

    fn refuse(&mut self, interface: &Interface, error: &AttachError) {
        tracing::warn!("{error}; its packets are not counted");
        let (name, reason) = (interface.name.clone(), error.to_string());
        let note = Some(reason.clone());
        self.agent.status.update_interfaces(|known| known.set_note(&name, Topic::State, note));
        self.refused.insert(interface.index, Refused { name, reason });
    }
}

impl Watch for AnyInterface {
    /// Attaches to interfaces that came up and forgets those that are gone.
    fn update(&mut self, interfaces: &[Interface]) {
        self.release(interfaces);
        for interface in interfaces {
            self.refresh(interface);
            let index = interface.index;
            let is_known = self.attached.contains_key(&index) || self.refused.contains_key(&index);
            if is_known || !interface.is_up {
                continue;
            }
            match self.attacher.attach(interface) {
                Ok(attached) => self.add(attached, interface),
                Err(error) => self.refuse(interface, &error),
            }
        }
        let is_out = !self.is_attached();
        self.agent.status.set_outage(is_out.then(|| "no interface is up that can be watched".to_owned()));
        self.host.update(interfaces);
    }
}
