//! The source of an agent's packets, and its state.

use pktvisor_api::{CaptureInfo, CaptureInterface, CaptureMode};

use super::printable::Printable;

/// Most notes of an agent about its capture.
const NOTES_MAX: usize = 16;

/// The source of packets, safe to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureState {
    /// The target as the user wrote it.
    pub target: Printable,
    /// `file`, `inline`, `tap`, `afpacket`.
    pub mode: Printable,
    /// Whether packets come from a file.
    pub is_file: bool,
    /// The kernel hook.
    pub hook: Option<Printable>,
    /// Whether AF_XDP runs without copying.
    pub zero_copy: Option<bool>,
    /// The interfaces watched, those that are not up in front.
    pub interfaces: Vec<WatchedInterface>,
    /// Link types seen.
    pub link_types: Vec<u16>,
    /// Whether the whole file has been read.
    pub finished: bool,
    /// Problems, and fallbacks to another mode.
    pub notes: Vec<Printable>,
}

/// A watched interface, safe to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatchedInterface {
    /// Its name.
    pub name: Printable,
    /// The hook for received packets, and the one for sent packets if it differs.
    pub hooks: Printable,
    /// Why received packets are seen there; empty from agents that do not say.
    pub reason: Printable,
    /// `up`, `down` or `gone`; empty from agents that do not say.
    pub state: Printable,
}

impl WatchedInterface {
    fn new(interface: &CaptureInterface) -> Self {
        let hooks = match &interface.egress {
            Some(egress) if *egress != interface.ingress => format!("{}/{egress}", interface.ingress),
            _ => interface.ingress.clone(),
        };
        Self {
            name: Printable::new(&interface.name),
            hooks: Printable::new(&hooks),
            reason: Printable::new(interface.ingress_reason.as_deref().unwrap_or_default()),
            state: Printable::new(&interface.state),
        }
    }

    /// Whether nothing can be captured from it now.
    pub fn is_away(&self) -> bool {
        matches!(self.state.as_str(), "down" | "gone")
    }
}

impl CaptureState {
    pub(super) fn new(capture: &CaptureInfo) -> Self {
        let mut interfaces: Vec<WatchedInterface> =
            capture.interfaces.iter().map(WatchedInterface::new).collect();
        interfaces.sort_by_key(|interface| !interface.is_away());
        Self {
            interfaces,
            target: Printable::new(&capture.target),
            mode: Printable::new(capture.mode.name()),
            is_file: capture.mode == CaptureMode::File,
            hook: capture.hook.as_deref().map(Printable::new),
            zero_copy: capture.zero_copy,
            link_types: capture.link_types.iter().copied().take(NOTES_MAX).collect(),
            finished: capture.finished,
            notes: capture.notes.iter().take(NOTES_MAX).map(|note| Printable::new(note)).collect(),
        }
    }

    /// The interfaces that are not up, in words: `eth0 is down`. `None` if all are, or the agent
    /// does not report it.
    pub fn interface_trouble(&self) -> Option<String> {
        let interfaces = &self.interfaces;
        let away: Vec<&WatchedInterface> =
            interfaces.iter().filter(|interface| interface.is_away()).collect();
        match away.as_slice() {
            [] => None,
            [only] => Some(format!("{} is {}", only.name, only.state)),
            many => Some(format!("{} of {} interfaces are not up", many.len(), interfaces.len())),
        }
    }
}
