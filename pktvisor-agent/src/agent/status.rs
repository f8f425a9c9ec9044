//! How the capture is doing: its mode and interfaces, losses, progress, notes for the operator, and
//! whether it works.
//!
//! The threads of the capture record what happens to them; the web server reads one [`Snapshot`].

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_analysis::geo::{self, Geo};
use pktvisor_analysis::transactions::OpenQueries;
use pktvisor_api as api;
use pktvisor_capture::TAGS_WARNING;
use pktvisor_capture::afpacket::SocketStatistics;
use pktvisor_capture::kernel::KernelCounts;
use pktvisor_common::classify::UnknownEtherTypes;
use pktvisor_findings::AgentObservation;

use super::interfaces::WatchedInterfaces;
use crate::ethertype_notes::EtherTypeNotes;
use crate::pipeline::Intake;
use crate::replay::ReplayProgress;

/// The status of the capture. All threads share it.
#[derive(Debug)]
pub(crate) struct CaptureStatus {
    state: Mutex<State>,
}

/// The status at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Where packets come from, with all notes.
    pub capture: api::CaptureInfo,
    /// Packets that the filter took out.
    pub filtered: u64,
    /// Queries that wait for their response.
    pub open_queries: OpenQueries,
    /// Packets lost, by cause; `None` for files.
    pub losses: Option<api::Losses>,
    /// The share of the DNS flows that is analysed now, in percent.
    pub deep_sample_rate_now_pct: f64,
}

/// The outcome of a request to open the geo databases again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reopening {
    /// The thread that uses them will open them.
    Requested,
    /// The agent has no databases.
    NoDatabases,
    /// The capture file was read to its end, so that no thread uses them.
    Finished,
}

#[derive(Debug)]
struct State {
    /// Without interfaces, their notes and the notes on databases.
    capture: api::CaptureInfo,
    interfaces: WatchedInterfaces,
    filtered: u64,
    open_queries: OpenQueries,
    losses: Option<api::Losses>,
    deep_sample_rate_now_pct: f64,
    /// Why packets are missing from the counters; lasts until the agent ends.
    failure: Option<String>,
    /// Why no packet can be counted at the moment; may pass.
    outage: Option<String>,
    geo: Option<Arc<geo::GeoHandle>>,
    has_warned_of_tags: bool,
    ethertypes: EtherTypeNotes,
}

impl State {
    /// Warns once that the filter took out packets with a VLAN tag, which its expression does not
    /// mention.
    fn warn_of_tags(&mut self, filtered_tagged: u64) {
        if filtered_tagged > 0 && !self.has_warned_of_tags {
            self.has_warned_of_tags = true;
            tracing::warn!("{TAGS_WARNING}");
            self.capture.notes.push(TAGS_WARNING.to_owned());
        }
    }

    /// Warns once of each EtherType that the classifier does not know. `packets` have been counted
    /// so far.
    fn warn_of_ethertypes(&mut self, seen: &UnknownEtherTypes, packets: u64) {
        if seen.counts().next().is_none() {
            return;
        }
        for note in self.ethertypes.take_new(seen, packets) {
            tracing::warn!("{note}");
            self.capture.notes.push(note);
        }
    }

    fn losses(&mut self) -> &mut api::Losses {
        self.losses.get_or_insert_default()
    }
}

impl CaptureStatus {
    /// The status of a capture that has just started.
    pub(crate) fn new(capture: api::CaptureInfo, deep_sample_rate_now_pct: f64) -> Self {
        let state = State {
            capture,
            interfaces: WatchedInterfaces::default(),
            filtered: 0,
            open_queries: OpenQueries::default(),
            losses: None,
            deep_sample_rate_now_pct,
            failure: None,
            outage: None,
            geo: None,
            has_warned_of_tags: false,
            ethertypes: EtherTypeNotes::default(),
        };
        Self { state: Mutex::new(state) }
    }

    /// The status now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let state = self.state.lock();
        let mut capture = state.capture.clone();
        capture.hook = state.interfaces.hook().cloned();
        capture.interfaces = state.interfaces.list().to_vec();
        capture.notes.extend(state.interfaces.notes().cloned());
        capture.notes.extend(state.geo.iter().flat_map(|geo| geo.notes()));
        Snapshot {
            capture,
            filtered: state.filtered,
            open_queries: state.open_queries,
            losses: state.losses,
            deep_sample_rate_now_pct: state.deep_sample_rate_now_pct,
        }
    }

    /// The agent itself, for the rules of findings. `max_pct` is the share of the DNS flows that
    /// the user allows to analyse.
    pub(crate) fn observation(&self, max_pct: f64) -> AgentObservation {
        let state = self.state.lock();
        let losses = state.losses.unwrap_or_default();
        let api::Losses { ring_full, no_socket, unreadable, xsk_full, packet_socket, driver } = losses;
        AgentObservation {
            interfaces: state.interfaces.observations(),
            packets: 0,
            lost: ring_full + no_socket + unreadable + xsk_full + packet_socket,
            driver_drops: driver,
            sample_rate_now_pct: state.deep_sample_rate_now_pct,
            sample_rate_max_pct: max_pct,
        }
    }

    /// Whether packets are being captured, or a file was; if not, why not.
    ///
    /// # Errors
    ///
    /// One sentence for the client.
    pub(crate) fn health(&self) -> Result<(), String> {
        // A damaged capture file ends the agent, so an agent that answers has a good one.
        let state = self.state.lock();
        match state.failure.as_ref().or(state.outage.as_ref()) {
            Some(reason) => Err(reason.clone()),
            None if state.capture.mode == api::CaptureMode::Starting => {
                Err("the agent is starting".to_owned())
            }
            None => Ok(()),
        }
    }

    /// The names of the interfaces that packets can come from.
    pub(crate) fn present_interfaces(&self) -> Vec<String> {
        self.state.lock().interfaces.present()
    }

    /// Changes the interfaces and their notes, in one step for readers.
    pub(crate) fn update_interfaces(&self, update: impl FnOnce(&mut WatchedInterfaces)) {
        update(&mut self.state.lock().interfaces);
    }

    /// Sets the mode of a live capture that has started.
    pub(crate) fn set_mode(&self, mode: api::Mode) {
        self.state.lock().capture.mode = api::CaptureMode::Live(mode);
    }

    /// Sets whether AF_XDP runs without copying.
    pub(crate) fn set_zero_copy(&self, is_zero_copy: bool) {
        self.state.lock().capture.zero_copy = Some(is_zero_copy);
    }

    /// Sets why no packet can be counted now; `None` when packets are counted again.
    pub(crate) fn set_outage(&self, reason: Option<String>) {
        self.state.lock().outage = reason;
    }

    /// Sets the share of the DNS flows that is analysed now, in percent.
    pub(crate) fn set_deep_sample_rate_now(&self, percent: f64) {
        self.state.lock().deep_sample_rate_now_pct = percent;
    }

    /// Sets the databases in which addresses are looked up.
    pub(crate) fn set_geo(&self, geo: Option<&Geo>) {
        self.state.lock().geo = geo.map(Geo::handle);
    }

    /// Marks the capture file as read to its end.
    pub(crate) fn set_finished(&self) {
        self.state.lock().capture.finished = true;
    }

    /// Logs and keeps why packets are missing from the counters from now on. Only the first failure
    /// counts.
    pub(crate) fn report_failure(&self, reason: String) {
        let mut state = self.state.lock();
        if state.failure.is_none() {
            tracing::error!("{reason}");
            state.capture.notes.push(reason.clone());
            state.failure = Some(reason);
        }
    }

    /// Adds a sentence for the operator, unless it is already there.
    pub(crate) fn add_note(&self, note: String) {
        let notes = &mut self.state.lock().capture.notes;
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Requests that the thread that uses the geo databases opens them again.
    pub(crate) fn reopen_geo(&self) -> Reopening {
        let state = self.state.lock();
        match &state.geo {
            None => Reopening::NoDatabases,
            Some(_) if state.capture.finished => Reopening::Finished,
            Some(geo) => {
                geo.ask_to_reopen();
                Reopening::Requested
            }
        }
    }

    /// Records the progress of a replay.
    pub(crate) fn record_replay(&self, progress: &ReplayProgress<'_>) {
        let mut state = self.state.lock();
        state.filtered = progress.intake.filtered;
        state.warn_of_tags(progress.intake.filtered_tagged);
        state.open_queries = progress.open_queries;
        let link_types = &progress.intake.link_types;
        if state.capture.link_types.len() != link_types.len() {
            state.capture.link_types = link_types.iter().map(|link_type| link_type.0).collect();
        }
    }

    /// Records the EtherTypes of a capture file, once they have their final counts.
    pub(crate) fn record_ethertypes(&self, intake: &Intake) {
        self.state.lock().warn_of_ethertypes(&intake.ethertypes, intake.counted());
    }

    /// Records what the kernel counted since start, what sockets lost after that, and what drivers
    /// lost before.
    pub(crate) fn record_kernel_counts(
        &self,
        counts: &KernelCounts,
        lost_by_sockets: u64,
        driver_drops: u64,
    ) {
        let mut state = self.state.lock();
        state.warn_of_ethertypes(&counts.ethertypes, counts.counters.packets.total());
        state.filtered = counts.filtered;
        state.warn_of_tags(counts.filtered_tagged);
        let losses = state.losses();
        losses.ring_full = counts.punted.lost_ring_full;
        losses.no_socket = counts.punted.lost_no_socket;
        losses.unreadable = counts.punted.lost_unreadable;
        losses.xsk_full = lost_by_sockets;
        losses.driver = driver_drops;
    }

    /// Records the progress of a capture by packet socket.
    pub(crate) fn record_packet_socket(
        &self,
        intake: &Intake,
        socket: &SocketStatistics,
        open_queries: OpenQueries,
    ) {
        let mut state = self.state.lock();
        state.filtered = intake.filtered;
        state.warn_of_tags(intake.filtered_tagged);
        state.open_queries = open_queries;
        state.losses().packet_socket = socket.lost;
        state.warn_of_ethertypes(&intake.ethertypes, intake.counted());
    }

    /// Records the packets that drivers lost since start.
    pub(crate) fn record_driver_drops(&self, packets: u64) {
        self.state.lock().losses().driver = packets;
    }

    /// Replaces one thread's share of the queries that wait for their response.
    pub(crate) fn replace_open_queries(&self, before: OpenQueries, now: OpenQueries) {
        let all = &mut self.state.lock().open_queries;
        all.open = all.open.saturating_sub(before.open) + now.open;
        all.waiting = all.waiting.saturating_sub(before.waiting) + now.waiting;
    }
}
