//! The events of the loop, and the threads that send them: keys, signals, answers and saved packets.

use std::{io, sync::mpsc::Sender, thread};

use crossterm::event;
use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    iterator::Signals,
};

use super::Agents;
use crate::{
    app::UiState,
    client::{AgentEndpoint, PacketsUpdate, Permits, Poller, TrafficFilter, Update, save_packets},
    model::Union,
};

/// An event of the loop.
pub(super) enum LoopEvent {
    Input(event::Event),
    InputEnded,
    Signal(i32),
    Update(usize, Update),
    Packets(PacketsUpdate),
    Union(Box<Union>),
}

pub(super) fn start_pollers(
    agents: &Agents,
    app: &UiState,
    events: &Sender<LoopEvent>,
) -> io::Result<Vec<Poller>> {
    let permits = Permits::default();
    let start = |(index, endpoint): (usize, &AgentEndpoint)| {
        let events = events.clone();
        let http = agents.settings.client(endpoint);
        Poller::start(http, permits.clone(), app.wanted(index), move |update| {
            events.send(LoopEvent::Update(index, update)).is_ok()
        })
    };
    agents.endpoints.iter().enumerate().map(start).collect()
}

pub(super) fn listen_to_signals(events: Sender<LoopEvent>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            if events.send(LoopEvent::Signal(signal)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

pub(super) fn listen_to_keys(events: Sender<LoopEvent>) -> io::Result<()> {
    thread::Builder::new().name("keys".to_owned()).spawn(move || {
        while let Ok(input) = event::read() {
            if events.send(LoopEvent::Input(input)).is_err() {
                return;
            }
        }
        let _over = events.send(LoopEvent::InputEnded);
    })?;
    Ok(())
}

/// Where packets come from when they are saved.
pub(super) struct PacketsSource {
    pub(super) agents: Agents,
    pub(super) events: Sender<LoopEvent>,
}

impl PacketsSource {
    /// Saves packets of an agent on a thread of their own, which reports to the loop.
    pub(super) fn save(&self, agent: usize, filter: TrafficFilter) -> Result<(), String> {
        let endpoint = self.agents.endpoints.get(agent).ok_or("a saved agent has no packets")?;
        let http = self.agents.settings.client(endpoint);
        let events = self.events.clone();
        let report = move |update| {
            let _over = events.send(LoopEvent::Packets(update));
        };
        save_packets(http, filter, ".".into(), report).map_err(|error| error.to_string())
    }
}
