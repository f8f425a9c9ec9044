//! The interfaces that are watched: their state, and what an operator should know of each.
//!
//! What is said of an interface is said once for each [`Topic`] and replaced when it changes: an interface that comes and goes
//! for months leaves one sentence.

use std::collections::BTreeMap;

use pktvisor_api::CaptureInterface;

/// What can be seen of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Packets can come.
    Up,
    /// The interface is there, but no packet can come.
    Down,
    /// There is no such interface, or it cannot be watched.
    Gone,
}

impl LinkState {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Gone => "gone",
        }
    }
}

/// What a note on an interface is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// What was fallen back from.
    Hooks,
    /// It is called otherwise now.
    Name,
    /// The link is down, or the interface gone.
    State,
    /// It had been gone.
    Absence,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) interfaces: Vec<CaptureInterface>,
    notes: BTreeMap<(String, Topic), Vec<String>>,
}

impl Watched {
    /// Takes an interface in; one of the same name is replaced.
    pub(super) fn insert(&mut self, interface: CaptureInterface) {
        match self.find(&interface.name) {
            Some(known) => *known = interface,
            None => self.interfaces.push(interface),
        }
    }

    /// Forgets an interface.
    pub(super) fn remove(&mut self, name: &str) {
        self.interfaces.retain(|known| known.name != name);
        self.notes.retain(|(of, _), _| of != name);
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
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

    pub(super) fn set_state(&mut self, name: &str, state: LinkState) {
        if let Some(known) = self.find(name) {
            state.as_str().clone_into(&mut known.state);
        }
    }

    /// Replaces what is said of an interface on this topic; nothing is said with no notes.
    pub(super) fn set_notes(&mut self, name: &str, topic: Topic, notes: Vec<String>) {
        let key = (name.to_owned(), topic);
        match notes.is_empty() {
            true => self.notes.remove(&key),
            false => self.notes.insert(key, notes),
        };
    }

    /// What is to be said of all interfaces.
    pub(super) fn notes(&self) -> impl Iterator<Item = &String> {
        self.notes.values().flatten()
    }

    /// The names of the hooks that are in use, each once.
    pub(super) fn hooks(&self) -> String {
        let mut hooks: Vec<&str> = Vec::new();
        for interface in &self.interfaces {
            for hook in std::iter::once(&interface.ingress).chain(&interface.egress) {
                if !hooks.contains(&hook.as_str()) {
                    hooks.push(hook);
                }
            }
        }
        hooks.join("+")
    }

    /// The names of those that packets can come from.
    pub(super) fn present(&self) -> Vec<String> {
        let is_present = |interface: &&CaptureInterface| interface.state != LinkState::Gone.as_str();
        self.interfaces.iter().filter(is_present).map(|interface| interface.name.clone()).collect()
    }

    fn find(&mut self, name: &str) -> Option<&mut CaptureInterface> {
        self.interfaces.iter_mut().find(|known| known.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str) -> CaptureInterface {
        let state = LinkState::Up.as_str().to_owned();
        CaptureInterface { name: name.to_owned(), ingress: "tcx".to_owned(), egress: None, state }
    }

    #[test]
    fn an_interface_that_comes_and_goes_leaves_one_note() {
        let mut watched = Watched::default();
        watched.insert(interface("eth0"));
        for n in 0..1000 {
            watched.set_state("eth0", LinkState::Gone);
            watched.set_notes("eth0", Topic::State, vec![format!("gone {n}")]);
            assert!(watched.present().is_empty());
            watched.insert(interface("eth0"));
            watched.set_notes("eth0", Topic::State, Vec::new());
            watched.set_notes("eth0", Topic::Absence, vec![format!("was gone {n}")]);
        }
        assert_eq!((watched.interfaces.len(), watched.present()), (1, vec!["eth0".to_owned()]));
        assert_eq!(watched.notes().collect::<Vec<_>>(), ["was gone 999"]);
    }

    #[test]
    fn what_is_known_of_an_interface_follows_its_name() {
        let mut watched = Watched::default();
        watched.insert(interface("eth0"));
        watched.set_notes("eth0", Topic::Hooks, vec!["no XDP".to_owned()]);
        watched.insert(interface("wan0"));
        watched.rename("eth0", "wan0");
        assert_eq!(watched.interfaces, [interface("wan0")]);
        watched.set_notes("wan0", Topic::Hooks, Vec::new());
        assert_eq!(watched.notes().count(), 0);
    }
}
