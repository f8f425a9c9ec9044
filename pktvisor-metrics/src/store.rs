//! The live period and the closed ones, for writers and readers.
//!
//! A capture thread locks the live period, or its share of it if the kernel counts, once per batch
//! of packets, never per packet. A reader merges outside the lock, so that it delays the capture
//! only for the time of a copy. Closed periods never change and are shared. If the kernel counts,
//! readers see the last published moment: counters and analysis of the same packets.

mod readers;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use pktvisor_analysis::geo::Geo;
use pktvisor_analysis::transactions::TIMEOUT_NS_DEFAULT;
use pktvisor_api as api;

use crate::batch::Batch;
use crate::distribution::Distribution;
use crate::evidence::{AgentSource, EvidenceHistory};
use crate::list_readers::ListReaders;
use crate::live_period::LivePeriod;
use crate::recorder::Recorder;
use crate::seconds::SecondRecorder;
use crate::settings::{ClientPrefix, RecorderSettings, StoreSettings};
use crate::shares::{Cut, Inspection, Shares};
use crate::unarchived::Unarchived;
use crate::watch::Watches;

/// Why there is no such period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPeriod {
    /// The number is outside what the settings allow.
    OutOfRange {
        /// Smallest number allowed.
        first: usize,
        /// Largest number allowed.
        last: usize,
    },
    /// The period has not been filled yet.
    NotYet {
        /// Largest number filled.
        last: usize,
    },
}

/// What was counted since start, in all periods.
#[derive(Clone, Debug)]
pub struct SumsSinceStart {
    /// The counters, in the shape of a period.
    pub period: api::Period,
    /// Times from query to response in microseconds, for queries to HOST.
    pub inbound: Distribution,
    /// The same for queries from HOST.
    pub outbound: Distribution,
}

/// The memory of the agent.
#[derive(Debug)]
pub struct Store {
    settings: StoreSettings,
    live: Mutex<LivePeriod>,
    shares: Arc<Shares>,
    list_readers: Arc<ListReaders>,
    watches: Arc<Watches>,
    transaction_timeout_ns: u64,
    client_prefix: Option<ClientPrefix>,
    /// The databases in which reports look up addresses.
    geo: Option<Mutex<Geo>>,
}

impl Store {
    /// An empty store.
    pub fn new(settings: StoreSettings) -> Self {
        let shares = Arc::<Shares>::default();
        Self {
            settings,
            live: Mutex::new(LivePeriod::new(settings, Arc::clone(&shares))),
            shares,
            list_readers: Arc::default(),
            watches: Arc::default(),
            transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
            client_prefix: None,
            geo: None,
        }
    }

    /// The store, which also lists the networks of clients, cut at these lengths.
    #[must_use]
    pub fn with_client_prefix(mut self, prefix: ClientPrefix) -> Self {
        self.client_prefix = Some(prefix);
        self.live.get_mut().recorder.set_client_prefix(prefix);
        self
    }

    /// The store, which also lists the places of clients, servers and client subnets.
    #[must_use]
    pub fn with_geo(mut self, geo: Geo) -> Self {
        self.geo = Some(Mutex::new(geo));
        self
    }

    fn geo(&self) -> Option<&Mutex<Geo>> {
        self.geo.as_ref()
    }

    /// The store, which also keeps the last seconds for [`series`](Self::series). Without a server
    /// nobody asks for them, and a replay is faster without.
    #[must_use]
    pub fn with_series(mut self) -> Self {
        self.live.get_mut().seconds = Some(SecondRecorder::default());
        self
    }

    /// The store, which also keeps each closed period until the archive
    /// [takes](Self::take_unarchived) it.
    #[must_use]
    pub fn with_archive(mut self) -> Self {
        self.live.get_mut().unarchived = Some(Unarchived::default());
        self
    }

    /// The store, whose focuses wait this long for the response to a query.
    #[must_use]
    pub fn with_transaction_timeout(mut self, timeout: Duration) -> Self {
        self.transaction_timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        self
    }

    /// The store, which also keeps evidence of zones, servers and clients, and finds what is
    /// [wrong](Self::findings). It asks `agent` for the state of the agent once a second, while it
    /// is locked.
    #[must_use]
    pub fn with_findings(mut self, agent: AgentSource) -> Self {
        let live = self.live.get_mut();
        live.recorder.begin_evidence();
        live.history = Some(Box::new(EvidenceHistory::new(agent)));
        self
    }

    /// What is wrong; nothing if the store does not [look](Self::with_findings) for it.
    pub fn findings(&self) -> api::FindingsDocument {
        self.live.lock().history.as_ref().map(|history| history.findings()).unwrap_or_default()
    }

    /// The settings it was made with.
    pub fn settings(&self) -> StoreSettings {
        self.settings
    }

    /// Locks the live period for a batch of packets. Waiting readers read it between batches.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self.live.lock(), &self.list_readers, &self.watches)
    }

    /// A recorder for the messages of the live period, for
    /// [`exchange_messages`](Recorder::exchange_messages).
    pub fn message_recorder(&self) -> Recorder {
        Recorder::new(RecorderSettings { client_prefix: self.client_prefix, ..self.settings.recorder() })
    }

    /// Prepares for counting in the kernel and analysis by this number of threads, each with a
    /// [recorder](Self::recorder) of its own. Call it once, before they start.
    pub fn share_among(&self, threads: u32) {
        let inspection = if self.live.lock().history.is_some() { Inspection::On } else { Inspection::Off };
        let settings = RecorderSettings { client_prefix: self.client_prefix, ..self.settings.recorder() };
        self.shares.make(threads, settings, inspection);
    }

    /// The recorder of one thread's analysis, locked for a batch of packets.
    pub fn recorder(&self, thread: u32) -> MappedMutexGuard<'_, Recorder> {
        match self.shares.get(thread) {
            Some(share) => MutexGuard::map(share, |recorder| recorder),
            None => MutexGuard::map(self.live.lock(), |live| &mut live.recorder),
        }
    }

    /// Keeps the findings of a thread for [`Batch::publish`]. The thread must have analysed all
    /// packets of an epoch and none of the next.
    pub fn cut(&self, thread: u32, cut: Cut) {
        self.shares.cut(thread, cut);
    }

    /// Sets how the store requests a moment with lists, which somebody wants to read at once.
    pub fn request_lists_by(&self, request: impl Fn() + Send + Sync + 'static) {
        self.list_readers.request_by(Box::new(request));
    }

    /// What the threads should leave at the end of an epoch within a period.
    pub fn wanted_cut(&self) -> Cut {
        if self.list_readers.are_reading() || self.live.lock().is_slot_due() {
            Cut::Whole
        } else {
            Cut::Numbers
        }
    }
}

#[cfg(test)]
mod tests;
