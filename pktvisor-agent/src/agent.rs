//! The agent as its HTTP clients see it: the store, and what the capture says of itself.

mod watched;

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_analysis::geo::{self, Geo};
use pktvisor_api as api;
use pktvisor_capture::TAGS_WARNING;
use pktvisor_capture::afpacket::Statistics;
use pktvisor_capture::kernel::KernelCounts;
use pktvisor_common::classify::UnknownEtherTypes;
use pktvisor_metrics::{NoPeriod, Store};

use crate::ethertype_notes::EtherTypeNotes;
use crate::pipeline::Intake;
use crate::replay::Progress;
use crate::serve::{Moment, PeriodError, Source, Window};
use watched::Watched;
pub use watched::{LinkState, Topic};

/// The mode of a live capture that has not begun.
pub const STARTING: &str = "starting";

/// Everything that answers are made of.
#[derive(Debug)]
pub struct Agent {
    /// What was counted.
    pub store: Store,
    deep_sample_rate_pct: u64,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// All but the interfaces.
    capture: api::CaptureInfo,
    watched: Watched,
    filtered: u64,
    open_transactions: u64,
    /// Of an interface.
    losses: Option<api::Losses>,
    deep_sample_rate_now_pct: f64,
    /// Why packets are no longer all counted; that stays so.
    trouble: Option<String>,
    /// Why no packet can be counted at the moment; that may pass.
    deafness: Option<String>,
    /// Of the geo databases; none without any.
    geo: Option<Arc<geo::Watch>>,
    has_warned_of_tags: bool,
    ethertypes: EtherTypeNotes,
}

/// What became of a request to open the geo databases again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reopening {
    /// The thread that uses them will do so.
    Asked,
    /// There are none.
    NoDatabases,
    /// The capture was read to its end, so nothing uses them any more.
    Finished,
}

impl State {
    /// Says once that packets were filtered that have a VLAN tag, which the expression does not expect.
    fn warn_of_tags(&mut self, filtered_tagged: u64) {
        if filtered_tagged > 0 && !self.has_warned_of_tags {
            self.has_warned_of_tags = true;
            tracing::warn!("{TAGS_WARNING}");
            self.capture.notes.push(TAGS_WARNING.to_owned());
        }
    }
}

impl Agent {
    /// An agent that has just started.
    pub fn new(store: Store, deep_sample_rate_pct: u64, capture: api::CaptureInfo) -> Self {
        let state = State {
            capture,
            watched: Watched::default(),
            filtered: 0,
            open_transactions: 0,
            losses: None,
            deep_sample_rate_now_pct: deep_sample_rate_pct as f64,
            geo: None,
            has_warned_of_tags: false,
            trouble: None,
            deafness: None,
            ethertypes: EtherTypeNotes::default(),
        };
        Self { store, deep_sample_rate_pct, started: Instant::now(), state: Mutex::new(state) }
    }

    /// Takes over how far the replay is.
    pub fn progress(&self, progress: &Progress<'_>) {
        let mut state = self.state.lock();
        state.filtered = progress.intake.filtered;
        state.warn_of_tags(progress.intake.filtered_tagged);
        state.open_transactions = progress.open_transactions;
        let link_types = &progress.intake.link_types;
        if state.capture.link_types.len() != link_types.len() {
            state.capture.link_types = link_types.iter().map(|link_type| link_type.0).collect();
        }
    }

    /// Takes over what the kernel counted since start, and what the sockets lost after it and the drivers before it.
    pub fn kernel_counts(&self, counts: &KernelCounts, lost_by_sockets: u64, driver_drops: u64) {
        let mut state = self.state.lock();
        state.filtered = counts.filtered;
        state.warn_of_tags(counts.filtered_tagged);
        let losses = state.losses.get_or_insert_default();
        losses.ring_full = counts.handed_up.lost_ring_full;
        losses.no_socket = counts.handed_up.lost_no_socket;
        losses.unreadable = counts.handed_up.lost_unreadable;
        losses.xsk_full = lost_by_sockets;
        losses.driver = driver_drops;
    }

    /// Takes over how far a capture by packet socket is.
    pub fn packet_socket(&self, intake: &Intake, socket: &Statistics, open_transactions: u64) {
        let mut state = self.state.lock();
        state.filtered = intake.filtered;
        state.warn_of_tags(intake.filtered_tagged);
        state.open_transactions = open_transactions;
        state.losses.get_or_insert_default().packet_socket = socket.lost;
    }

    /// What the drivers lost since start.
    pub fn driver_drops(&self, packets: u64) {
        self.state.lock().losses.get_or_insert_default().driver = packets;
    }

    /// The way packets are taken, from now on.
    pub fn set_mode(&self, mode: &str) {
        mode.clone_into(&mut self.state.lock().capture.mode);
    }

    /// Whether AF_XDP runs without copying.
    pub fn set_zero_copy(&self, is_zero_copy: bool) {
        self.state.lock().capture.zero_copy = Some(is_zero_copy);
    }

    /// An interface is watched from now on, at these hooks; `notes` say what was fallen back from.
    pub fn attached(&self, interface: api::CaptureInterface, notes: Vec<String>) {
        let mut state = self.state.lock();
        state.watched.set_notes(&interface.name, Topic::Hooks, notes);
        state.watched.insert(interface);
        state.capture.hook = Some(state.watched.hooks());
    }

    /// An interface is gone and will not be waited for.
    pub fn detached(&self, interface: &str) {
        self.state.lock().watched.remove(interface);
    }

    /// An interface that is watched has another name now.
    pub fn renamed(&self, from: &str, to: &str) {
        self.state.lock().watched.rename(from, to);
    }

    /// An interface that is watched has come up, gone down or vanished.
    pub fn set_link_state(&self, interface: &str, link: LinkState) {
        self.state.lock().watched.set_state(interface, link);
    }

    /// Replaces what an operator should know of an interface on this topic: one sentence, or nothing.
    pub fn set_interface_note(&self, interface: &str, topic: Topic, note: Option<String>) {
        self.state.lock().watched.set_notes(interface, topic, note.into_iter().collect());
    }

    /// Why no packet can be counted from now on; `None`: packets are counted again.
    pub fn set_deafness(&self, reason: Option<String>) {
        self.state.lock().deafness = reason;
    }

    /// The interfaces that packets can come from.
    pub fn interface_names(&self) -> Vec<String> {
        self.state.lock().watched.present()
    }

    /// Of the queries that wait for their response, one thread has so many now, after so many `before`.
    pub fn open_transactions(&self, before: u64, now: u64) {
        let mut state = self.state.lock();
        state.open_transactions = state.open_transactions.saturating_sub(before) + now;
    }

    /// The share of the DNS flows that is analysed at the moment, in percent.
    pub fn deep_sample_rate_now(&self, percent: f64) {
        self.state.lock().deep_sample_rate_now_pct = percent;
    }

    /// Packets are no longer all counted, for the reason given.
    pub fn trouble(&self, reason: String) {
        let mut state = self.state.lock();
        if state.trouble.is_none() {
            tracing::error!("{reason}");
            state.capture.notes.push(reason.clone());
            state.trouble = Some(reason);
        }
    }

    /// Where every packet went.
    pub fn ledger(&self) -> api::Ledger {
        let mut ledger = self.store.ledger();
        ledger.filtered = self.state.lock().filtered;
        ledger.seen = ledger.counted + ledger.filtered;
        ledger
    }

    /// Something that an operator should know of the capture, one sentence.
    pub fn note(&self, note: String) {
        let notes = &mut self.state.lock().capture.notes;
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// The databases in which addresses are looked up from now on.
    pub fn set_geo(&self, geo: Option<&Geo>) {
        self.state.lock().geo = geo.map(Geo::watch);
    }

    /// Asks for the geo databases to be opened again.
    pub fn reopen_geo(&self) -> Reopening {
        let state = self.state.lock();
        match &state.geo {
            None => Reopening::NoDatabases,
            Some(_) if state.capture.finished => Reopening::Finished,
            Some(geo) => {
                geo.ask_to_reopen();
                Reopening::Asked
            }
        }
    }

    /// Warns of EtherTypes that are not understood, of each once. `packets` is how many were counted so far.
    pub fn unknown_ethertypes(&self, seen: &UnknownEtherTypes, packets: u64) {
        if seen.counts().next().is_none() {
            return;
        }
        let mut state = self.state.lock();
        for note in state.ethertypes.news(seen, packets) {
            tracing::warn!("{note}");
            state.capture.notes.push(note);
        }
    }

    /// The whole capture was read.
    pub fn finished(&self) {
        self.state.lock().capture.finished = true;
    }

    /// Whether any packet was counted.
    pub fn has_counted(&self) -> bool {
        self.store.ledger().counted > 0
    }
}

impl Source for Agent {
    fn app(&self) -> api::App {
        let settings = self.store.settings();
        let ledger = self.ledger();
        let state = self.state.lock();
        let mut capture = state.capture();
        capture.notes.extend(state.geo.iter().flat_map(|geo| geo.notes()));
        api::App {
            app: api::AppInfo {
                version: env!("CARGO_PKG_VERSION").into(),
                deep_sample_rate_pct: self.deep_sample_rate_pct,
                periods: settings.periods as u64,
                single_summary: settings.summary,
                up_time_min: self.started.elapsed().as_secs_f64() / 60.0,
                capture: Some(capture),
                ledger: Some(ledger),
                deep_sample_rate_now_pct: Some(state.deep_sample_rate_now_pct),
                losses: state.losses,
            },
            dns: api::AppDns { xact: api::AppXact { open: state.open_transactions } },
        }
    }

    fn rates(&self) -> api::Rates {
        self.store.rates()
    }

    fn bucket(&self, n: usize) -> Result<api::Period, PeriodError> {
        self.store.bucket(n).map_err(PeriodError::from)
    }

    fn window(&self, n: usize) -> Result<Window, PeriodError> {
        let period = self.store.window(n)?;
        Ok(Window { minutes: n, period })
    }

    fn moment(&self) -> Moment {
        Moment { turns: self.store.rotations(), published: self.store.moments() }
    }

    fn health(&self) -> Result<(), String> {
        // A capture file that breaks off ends the agent: whoever asks is asked of a good one.
        let state = self.state.lock();
        match state.trouble.as_ref().or(state.deafness.as_ref()) {
            Some(reason) => Err(reason.clone()),
            None if state.capture.mode == STARTING => Err("the agent is starting".to_owned()),
            None => Ok(()),
        }
    }
}

impl State {
    fn capture(&self) -> api::CaptureInfo {
        let mut capture = self.capture.clone();
        capture.interfaces = self.watched.interfaces.clone();
        capture.notes.extend(self.watched.notes().cloned());
        capture
    }
}

impl From<NoPeriod> for PeriodError {
    fn from(reason: NoPeriod) -> Self {
        match reason {
            NoPeriod::OutOfRange { first, last } => Self::OutOfRange { first, last },
            NoPeriod::NotYet { last } => Self::NotYet { last },
        }
    }
}
