//! One interface that the user named: watched while it exists, and again when it comes back.
//!
//! Its index identifies it: if it is renamed, it stays watched. When it is gone, a successor takes
//! its place: the interface with the address of the target if that is an address, else the
//! interface of the same name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pktvisor_api::CaptureInterface;

use super::follow::Watch;
use super::host::HostFollower;
use crate::agent::Agent;
use crate::agent::interfaces::{LinkState, Topic};
use crate::interface_address::owner_of;
use pktvisor_capture::interfaces::Interface;

/// Puts a capture on an interface.
pub(super) trait Attach: Send + 'static {
    /// Detaches from the interface when it is dropped.
    type Attached: Send;

    /// Starts to capture, and returns the hooks to report as well.
    ///
    /// # Errors
    ///
    /// Why the agent would not see every packet. Nothing stays attached.
    fn attach(&mut self, interface: &Interface) -> anyhow::Result<(Self::Attached, Hooks)>;

    /// Whether the capture is still attached, and may stay. Another interface may own the name and
    /// the index by now.
    fn is_live(&self, attached: &Self::Attached, interface: &Interface) -> bool;

    /// Detaches from an interface that is gone. Packets captured before are still analysed.
    fn detach(&mut self, attached: Self::Attached);
}

/// The hooks that see the packets of an interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    pub(super) ingress: String,
    /// Why there, if there is a choice.
    pub(super) ingress_reason: Option<String>,
    pub(super) egress: Option<String>,
    /// Why better hooks are not used, one sentence each.
    pub(super) notes: Vec<String>,
}

/// The interface that the user named.
pub(super) struct NamedInterface<A: Attach> {
    // First, so that the programs are detached before they are unloaded.
    state: WatchState<A::Attached>,
    attach: A,
    agent: Arc<Agent>,
    host: HostFollower,
    target: NamedTarget,
    absences: u64,
}

enum WatchState<T> {
    Watched { interface: Interface, attached: T },
    Gone(Gone),
}

struct Gone {
    /// Its name when it was last seen.
    name: String,
    since: Instant,
    /// Why the successor is not watched, if one exists.
    refusal: Option<String>,
}

/// The target as the user named it.
struct NamedTarget {
    text: String,
    /// The interface's name at start.
    name: String,
    is_address: bool,
}

impl<A: Attach> NamedInterface<A> {
    /// An interface that `attach` is already [attached](Attach::attach) to.
    pub(super) fn new(
        target_text: &str,
        agent: &Arc<Agent>,
        attach: A,
        (attached, hooks): (A::Attached, Hooks),
        host: HostFollower,
        interface: &Interface,
    ) -> Self {
        let target = NamedTarget {
            text: target_text.to_owned(),
            name: interface.name.clone(),
            is_address: target_text != interface.name,
        };
        let agent = Arc::clone(agent);
        let state = WatchState::Watched { interface: interface.clone(), attached };
        let named = Self { state, attach, agent, host, target, absences: 0 };
        named.report_attached(interface, hooks);
        named
    }

    fn report_attached(&self, interface: &Interface, hooks: Hooks) {
        hooks.notes.iter().for_each(|note| tracing::info!("{note}"));
        if let Some(reason) = &hooks.ingress_reason {
            let Interface { name, .. } = interface;
            tracing::info!("{name}: received packets are counted at {}: {reason}", hooks.ingress);
        }
        let link = link_state(interface);
        let watched = CaptureInterface {
            name: interface.name.clone(),
            ingress: hooks.ingress,
            ingress_reason: hooks.ingress_reason,
            egress: hooks.egress,
            state: link.as_str().to_owned(),
        };
        self.agent.status.update_interfaces(|known| known.insert(watched, hooks.notes));
        self.report_link(interface);
    }

    /// Reports the state of the link, with a warning if no packet can arrive.
    fn report_link(&self, interface: &Interface) {
        let note = match (interface.is_up, interface.has_carrier) {
            (true, true) => None,
            (true, false) => {
                Some(format!("{} has no carrier: no packets until its link is up", interface.name))
            }
            (false, _) => Some(format!("{} is down: no packets until it is up", interface.name)),
        };
        if let Some(note) = &note {
            tracing::warn!("{note}");
        }
        self.agent.status.update_interfaces(|known| {
            known.set_state(&interface.name, link_state(interface));
            known.set_note(&interface.name, Topic::State, note);
        });
    }

    /// Reports what changed on an interface that is still there.
    fn refresh(&mut self, now: &Interface) {
        let WatchState::Watched { interface, .. } = &mut self.state else { return };
        let before = std::mem::replace(interface, now.clone());
        if before.name != now.name {
            let note = format!("{} is called {} now and is still watched", before.name, now.name);
            tracing::warn!("{note}");
            self.agent.status.update_interfaces(|known| {
                known.rename(&before.name, &now.name);
                known.set_note(&now.name, Topic::Name, Some(note));
            });
        }
        if link_state(&before) != link_state(now) || before.is_up != now.is_up {
            if link_state(now) == LinkState::Up {
                tracing::info!("{} is up", now.name);
            }
            self.report_link(now);
        }
    }

    /// Reports that the interface is gone, or that another program detached ours.
    fn lose(&mut self) {
        let WatchState::Watched { interface, .. } = &self.state else { return };
        let name = interface.name.clone();
        let gone = WatchState::Gone(Gone { name: name.clone(), since: Instant::now(), refusal: None });
        if let WatchState::Watched { attached, .. } = std::mem::replace(&mut self.state, gone) {
            self.attach.detach(attached);
        }
        self.absences += 1;
        let reason = match self.target.is_address {
            true => format!(
                "{name} is gone: nothing is counted until an interface has the address {}",
                self.target.text
            ),
            false => {
                format!("{name} is gone: nothing is counted until there is an interface of that name again")
            }
        };
        self.report_outage(&name, reason);
    }

    fn report_outage(&self, name: &str, reason: String) {
        tracing::error!("{reason}");
        self.agent.status.update_interfaces(|known| {
            known.set_state(name, LinkState::Gone);
            known.set_note(name, Topic::State, Some(reason.clone()));
            known.set_note(name, Topic::Absence, None);
        });
        self.agent.status.set_outage(Some(reason));
    }

    /// Attaches to the successor.
    fn regain(&mut self, interface: &Interface, interfaces: &[Interface]) {
        let WatchState::Gone(gone) = &mut self.state else { return };
        // Before the first packet, which must be counted with the new HOST.
        self.host.watch(interface, interfaces);
        let (attached, hooks) = match self.attach.attach(interface) {
            Ok(attached) => attached,
            Err(error) => {
                let refusal = format!(
                    "{} is there again but cannot be watched: {error:#}; trying again",
                    interface.name
                );
                if gone.refusal.as_ref() != Some(&refusal) {
                    gone.refusal = Some(refusal.clone());
                    let name = gone.name.clone();
                    self.report_outage(&name, refusal);
                }
                return;
            }
        };
        if gone.name != interface.name {
            self.agent.status.update_interfaces(|known| known.rename(&gone.name, &interface.name));
        }
        let note = absence(&interface.name, gone.since.elapsed(), self.absences);
        tracing::warn!("{note}");
        self.state = WatchState::Watched { interface: interface.clone(), attached };
        self.report_attached(interface, hooks);
        self.agent.status.update_interfaces(|known| {
            known.set_note(&interface.name, Topic::Name, None);
            known.set_note(&interface.name, Topic::Absence, Some(note));
        });
        self.agent.status.set_outage(None);
    }
}

impl<A: Attach> Watch for NamedInterface<A> {
    fn update(&mut self, interfaces: &[Interface]) {
        if let WatchState::Watched { interface, attached } = &self.state {
            let now = interfaces.iter().find(|now| now.index == interface.index);
            match now.filter(|now| self.attach.is_live(attached, now)) {
                Some(now) => {
                    self.refresh(now);
                    self.host.update(interfaces);
                }
                None => self.lose(),
            }
        }
        if let WatchState::Gone(gone) = &self.state
            && let Some(successor) = self.target.find(&gone.name, interfaces)
        {
            self.regain(successor, interfaces);
        }
    }
}

impl NamedTarget {
    /// The successor of an interface that was last called `name`.
    fn find<'a>(&self, name: &str, interfaces: &'a [Interface]) -> Option<&'a Interface> {
        if self.is_address {
            return owner_of(&self.text, interfaces);
        }
        let named =
            |name: &str| interfaces.iter().find(|interface| interface.name == name && interface.index != 0);
        named(&self.name).or_else(|| named(name))
    }
}

fn absence(name: &str, lasted: Duration, absences: u64) -> String {
    let often = match absences {
        1 => String::new(),
        n => format!(" ({n} times so far)"),
    };
    format!(
        "{name} was gone for {} s{often} and is watched again; its packets in between were not counted",
        lasted.as_secs().max(1)
    )
}

/// Whether packets can arrive.
pub(super) fn link_state(interface: &Interface) -> LinkState {
    if interface.is_up && interface.has_carrier { LinkState::Up } else { LinkState::Down }
}
