//! The interfaces that are watched: their state, and notes for the operator.
//!
//! An interface has one note for each [`Topic`], which is replaced when it changes. So an interface
//! that comes and goes for months leaves one sentence.

use std::collections::BTreeMap;

use pktvisor_api::CaptureInterface;
use pktvisor_findings::{InterfaceObservation, LinkCondition};

/// The state of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Packets can arrive.
    Up,
    /// The interface exists, but no packet can arrive.
    Down,
    /// The interface does not exist, or cannot be watched.
    Gone,
}

impl LinkState {
    /// The name in the JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Gone => "gone",
        }
    }
}

/// The subject of a note on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// A better hook that was unavailable.
    Hooks,
    /// A change of its name.
    Name,
    /// Its link is down, or it is gone.
    State,
    /// It was gone, and is watched again.
    Absence,
}

/// The interfaces that are watched, and the notes on them.
#[derive(Debug, Default)]
pub(crate) struct WatchedInterfaces {
    list: Vec<CaptureInterface>,
    notes: BTreeMap<(String, Topic), Vec<String>>,
    /// The hooks at the last change.
    hook: Option<String>,
}

impl WatchedInterfaces {
    /// Adds an interface, or replaces the one of its name. `notes` say which better hooks were
    /// unavailable.
    pub(crate) fn insert(&mut self, interface: CaptureInterface, notes: Vec<String>) {
        self.set_notes(&interface.name, Topic::Hooks, notes);
        match self.find(&interface.name) {
            Some(known) => *known = interface,
            None => self.list.push(interface),
        }
        self.hook = Some(self.hooks());
    }

    /// Removes an interface and its notes.
    pub(crate) fn remove(&mut self, name: &str) {
        self.list.retain(|known| known.name != name);
        self.notes.retain(|(of, _), _| of != name);
    }

    /// Changes the name of an interface.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        // The name belonged to another interface before.
        self.remove(to);
        if let Some(known) = self.find(from) {
            to.clone_into(&mut known.name);
        }
        let (moved, others) =
            std::mem::take(&mut self.notes).into_iter().partition(|((of, _), _)| of == from);
        self.notes = others;
        let moved: BTreeMap<(String, Topic), Vec<String>> = moved;
        self.notes.extend(moved.into_iter().map(|((_, topic), notes)| ((to.to_owned(), topic), notes)));
    }

    /// Changes the state of an interface.
    pub(crate) fn set_state(&mut self, name: &str, state: LinkState) {
        if let Some(known) = self.find(name) {
            state.as_str().clone_into(&mut known.state);
        }
    }

    /// Replaces the note on an interface and topic; `None` removes it.
    pub(crate) fn set_note(&mut self, name: &str, topic: Topic, note: Option<String>) {
        self.set_notes(name, topic, note.into_iter().collect());
    }

    fn set_notes(&mut self, name: &str, topic: Topic, notes: Vec<String>) {
        let key = (name.to_owned(), topic);
        match notes.is_empty() {
            true => self.notes.remove(&key),
            false => self.notes.insert(key, notes),
        };
    }

    /// The interfaces.
    pub(super) fn list(&self) -> &[CaptureInterface] {
        &self.list
    }

    /// The interfaces, for the rules of findings.
    pub(super) fn observations(&self) -> Vec<InterfaceObservation> {
        let condition = |state: &str| match state {
            state if state == LinkState::Down.as_str() => LinkCondition::Down,
            state if state == LinkState::Gone.as_str() => LinkCondition::Gone,
            _ => LinkCondition::Up,
        };
        let observation = |interface: &CaptureInterface| InterfaceObservation {
            name: interface.name.clone(),
            condition: condition(&interface.state),
        };
        self.list.iter().map(observation).collect()
    }

    /// The notes on all interfaces.
    pub(super) fn notes(&self) -> impl Iterator<Item = &String> {
        self.notes.values().flatten()
    }

    /// The names of the hooks in use when the last interface was added, joined by `+`; `None`
    /// before the first one.
    pub(super) fn hook(&self) -> Option<&String> {
        self.hook.as_ref()
    }

    /// The names of the interfaces that packets can come from.
    pub(super) fn present(&self) -> Vec<String> {
        let is_present = |interface: &&CaptureInterface| interface.state != LinkState::Gone.as_str();
        self.list.iter().filter(is_present).map(|interface| interface.name.clone()).collect()
    }

    fn hooks(&self) -> String {
        let mut hooks: Vec<&str> = Vec::new();
        for interface in &self.list {
            for hook in std::iter::once(&interface.ingress).chain(&interface.egress) {
                if !hooks.contains(&hook.as_str()) {
                    hooks.push(hook);
                }
            }
        }
        hooks.join("+")
    }

    fn find(&mut self, name: &str) -> Option<&mut CaptureInterface> {
        self.list.iter_mut().find(|known| known.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str) -> CaptureInterface {
        let state = LinkState::Up.as_str().to_owned();
        CaptureInterface {
            name: name.to_owned(),
            ingress: "tcx".to_owned(),
            state,
            ..CaptureInterface::default()
        }
    }

    #[test]
    fn an_interface_that_comes_and_goes_leaves_one_note() {
        let mut watched = WatchedInterfaces::default();
        watched.insert(interface("eth0"), Vec::new());
        for n in 0..1000 {
            watched.set_state("eth0", LinkState::Gone);
            watched.set_note("eth0", Topic::State, Some(format!("gone {n}")));
            assert!(watched.present().is_empty());
            watched.insert(interface("eth0"), Vec::new());
            watched.set_note("eth0", Topic::State, None);
            watched.set_note("eth0", Topic::Absence, Some(format!("was gone {n}")));
        }
        assert_eq!((watched.list.len(), watched.present()), (1, vec!["eth0".to_owned()]));
        assert_eq!(watched.notes().collect::<Vec<_>>(), ["was gone 999"]);
    }

    #[test]
    fn a_renamed_interface_keeps_its_state_and_notes() {
        let mut watched = WatchedInterfaces::default();
        watched.insert(interface("eth0"), Vec::new());
        watched.set_note("eth0", Topic::Hooks, Some("no XDP".to_owned()));
        watched.insert(interface("wan0"), Vec::new());
        watched.rename("eth0", "wan0");
        assert_eq!(watched.list, [interface("wan0")]);
        watched.set_note("wan0", Topic::Hooks, None);
        assert_eq!(watched.notes().count(), 0);
    }
}
