//! The agent as its HTTP clients see it: the store, and what the capture says of itself.

use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_api as api;
use pktvisor_capture::afpacket::Statistics;
use pktvisor_capture::kernel::KernelCounts;
use pktvisor_metrics::{NoPeriod, Store};

use crate::pipeline::Intake;
use crate::replay::Progress;
use crate::serve::{PeriodError, Source, Window};

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
    capture: api::CaptureInfo,
    filtered: u64,
    open_transactions: u64,
    /// Of an interface.
    losses: Option<api::Losses>,
    deep_sample_rate_now_pct: f64,
    is_in_trouble: bool,
}

impl Agent {
    /// An agent that has just started.
    pub fn new(store: Store, deep_sample_rate_pct: u64, capture: api::CaptureInfo) -> Self {
        let state = State {
            capture,
            filtered: 0,
            open_transactions: 0,
            losses: None,
            deep_sample_rate_now_pct: deep_sample_rate_pct as f64,
            is_in_trouble: false,
        };
        Self { store, deep_sample_rate_pct, started: Instant::now(), state: Mutex::new(state) }
    }

    /// Takes over how far the replay is.
    pub fn progress(&self, progress: &Progress<'_>) {
        let mut state = self.state.lock();
        state.filtered = progress.intake.filtered;
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

    /// An interface is watched from now on.
    pub fn attached(&self, interface: api::CaptureInterface) {
        let mut state = self.state.lock();
        let interfaces = &mut state.capture.interfaces;
        interfaces.retain(|known| known.name != interface.name);
        interfaces.push(interface);
        let mut hooks: Vec<&str> = Vec::new();
        for hook in interfaces.iter().flat_map(|interface| {
            [Some(interface.ingress.as_str()), interface.egress.as_deref()].into_iter().flatten()
        }) {
            if !hooks.contains(&hook) {
                hooks.push(hook);
            }
        }
        let hooks = hooks.join("+");
        state.capture.hook = Some(hooks);
    }

    /// An interface is gone.
    pub fn detached(&self, interface: &str) {
        self.state.lock().capture.interfaces.retain(|known| known.name != interface);
    }

    /// The interfaces that are watched.
    pub fn interface_names(&self) -> Vec<String> {
        self.state.lock().capture.interfaces.iter().map(|interface| interface.name.clone()).collect()
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
        if !std::mem::replace(&mut state.is_in_trouble, true) {
            tracing::error!("{reason}");
            state.capture.notes.push(reason);
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
        self.state.lock().capture.notes.push(note);
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
        api::App {
            app: api::AppInfo {
                version: env!("CARGO_PKG_VERSION").into(),
                deep_sample_rate_pct: self.deep_sample_rate_pct,
                periods: settings.periods as u64,
                single_summary: settings.summary,
                up_time_min: self.started.elapsed().as_secs_f64() / 60.0,
                capture: Some(state.capture.clone()),
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

    fn turns(&self) -> u64 {
        self.store.turns()
    }

    fn healthy(&self) -> bool {
        // A capture file that breaks off ends the agent: whoever asks is asked of a good one.
        let state = self.state.lock();
        !state.is_in_trouble && state.capture.mode != STARTING
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
