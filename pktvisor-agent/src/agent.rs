//! The agent as its HTTP clients see it: the store, and what the capture says of itself.

use std::time::Instant;

use parking_lot::Mutex;
use pktvisor_common::api;

use crate::metrics::{NoPeriod, Store};
use crate::replay::Progress;
use crate::serve::{PeriodError, Source, Window};

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
}

impl Agent {
    /// An agent that has just started.
    pub fn new(store: Store, deep_sample_rate_pct: u64, capture: api::CaptureInfo) -> Self {
        let state = State { capture, filtered: 0, open_transactions: 0 };
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
        let mut ledger = self.store.ledger();
        let state = self.state.lock();
        ledger.filtered = state.filtered;
        ledger.seen = ledger.counted + ledger.filtered;
        api::App {
            app: api::AppInfo {
                version: env!("CARGO_PKG_VERSION").into(),
                deep_sample_rate_pct: self.deep_sample_rate_pct,
                periods: settings.periods as u64,
                single_summary: settings.summary,
                up_time_min: self.started.elapsed().as_secs_f64() / 60.0,
                capture: Some(state.capture.clone()),
                ledger: Some(ledger),
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
        // A capture that breaks off ends the agent: whoever asks is asked of a good one.
        true
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
