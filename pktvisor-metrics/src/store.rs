//! The live period and the closed ones, for writers and readers.
//!
//! A capture thread locks the live period, or its share of it if the kernel counts, once per batch
//! of packets, never per packet. A reader merges outside the lock, so that it delays the capture
//! only for the time of a copy. Closed periods never change and are shared. If the kernel counts,
//! readers see the last published moment: counters and analysis of the same packets.

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
use crate::listed::ListLength;
use crate::live_period::LivePeriod;
use crate::period::PeriodRecord;
use crate::recorder::Recorder;
use crate::rolling::{Recent, RollingSpan};
use crate::seconds::SecondRecorder;
use crate::settings::{ClientPrefix, RecorderSettings, StoreSettings};
use crate::shares::{Cut, Inspection, Shares};
use crate::watch::{FocusSettings, MessageFilter, TooManyWatches, Watches};

/// The closed periods that the last minute can reach into: the last one, and one before a first
/// period that was short.
const CLOSED_IN_ROLLING: usize = 2;

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

    /// Number of periods with data, the live one included.
    pub fn filled(&self) -> usize {
        self.live.lock().closed.len() + 1
    }

    /// Number of periods closed since start.
    pub fn rotations(&self) -> u64 {
        self.live.lock().rotations
    }

    /// Number of moments published since start; `None` if every batch of packets is one.
    pub fn moments(&self) -> Option<u64> {
        self.live.lock().moments
    }

    /// One period: 0 is the live one, 1 the last closed one.
    pub fn bucket(&self, n: usize) -> Result<api::Period, NoPeriod> {
        self.bucket_listing(ListLength::DEFAULT, n)
    }

    /// A [bucket](Self::bucket) with lists of this length.
    pub fn bucket_listing(&self, length: ListLength, n: usize) -> Result<api::Period, NoPeriod> {
        let last = self.settings.periods - 1;
        if n > last {
            return Err(NoPeriod::OutOfRange { first: 0, last });
        }
        let live = self.live.lock();
        if n == 0 {
            drop(live);
            return Ok(self.merged(1).report(length, self.geo()));
        }
        let period = live.closed.get(n - 1).cloned();
        let filled = live.closed.len();
        drop(live);
        period.map(|period| period.report(length, self.geo())).ok_or(NoPeriod::NotYet { last: filled })
    }

    /// The newest `n` periods merged, or as many as there are.
    pub fn window(&self, n: usize) -> Result<api::Period, NoPeriod> {
        self.window_listing(ListLength::DEFAULT, n)
    }

    /// A [window](Self::window) with lists of this length.
    pub fn window_listing(&self, length: ListLength, n: usize) -> Result<api::Period, NoPeriod> {
        // With one period for everything, 3.0 clients still ask for window/5.
        let last = if self.settings.summary { self.settings.periods.max(5) } else { self.settings.periods };
        if n < 2 || n > last {
            return Err(NoPeriod::OutOfRange { first: 2, last });
        }
        Ok(self.merged(n).report(length, self.geo()))
    }

    /// The newest `n` periods merged.
    fn merged(&self, n: usize) -> PeriodRecord {
        let mut live = self.live.lock();
        self.list_readers.wait(&mut live);
        let mut merged = live.measured().clone();
        let closed: Vec<_> = live.closed.iter().take(n.saturating_sub(1)).cloned().collect();
        let published = live.has_lists().then(|| live.published().to_vec());
        drop(live);
        // Lists of slightly different moments are better than none.
        merged.merge_shares(published.unwrap_or_else(|| self.shares.copies()));
        for period in closed {
            merged.merge(&period);
        }
        merged
    }

    /// The last seconds, with lists of this length: at least `span`, and up to 9 more if somebody has
    /// read them for a while; else those since a period began. If the capture is younger, all.
    pub fn rolling(&self, length: ListLength, span: RollingSpan) -> api::Period {
        let mut live = self.live.lock();
        self.list_readers.wait(&mut live);
        let slots = live.rolling.read();
        let record = live.measured().clone();
        let closed = live.closed.iter().take(CLOSED_IN_ROLLING).cloned().collect();
        let published = live.has_lists().then(|| live.published().to_vec());
        drop(live);
        let shares = published.unwrap_or_else(|| self.shares.copies());
        Recent { live: record, shares, closed, slots }.last(span).report(length, self.geo())
    }

    /// What the focus of this filter has recorded, with lists of this length. Opens it if there is
    /// none; it closes a minute after it was last read.
    pub fn focus(&self, length: ListLength, filter: &MessageFilter) -> Result<api::Period, TooManyWatches> {
        let now = self.live.lock().time();
        let settings = FocusSettings {
            recorder: RecorderSettings { client_prefix: self.client_prefix, ..self.settings.recorder() },
            threads: self.shares.len(),
            transaction_timeout_ns: self.transaction_timeout_ns,
        };
        Ok(self.watches.focus(filter, now, settings)?.report(length, self.geo()))
    }

    /// The watches. Threads that analyse report to them.
    pub fn watches(&self) -> &Arc<Watches> {
        &self.watches
    }

    /// The document that a finished capture prints: its one period, or all kept periods.
    pub fn document(&self) -> api::PeriodDocument {
        let single = self.settings.summary || self.settings.periods == 1;
        let (minutes, period) = match single {
            // One thread reads a file, and nobody else waits for the lock. So no copy is needed.
            true => (1, self.live.lock().measured().report(ListLength::DEFAULT, self.geo())),
            false => (
                self.settings.periods,
                self.merged(self.settings.periods).report(ListLength::DEFAULT, self.geo()),
            ),
        };
        [(format!("{minutes}m"), period)].into()
    }

    /// The counters since start, and how long transactions took. Lists and distinct counts are those of no traffic.
    pub fn since_start(&self) -> SumsSinceStart {
        let sum = self.live.lock().since_start();
        let [inbound, outbound] = sum.transaction_times();
        SumsSinceStart {
            inbound: inbound.clone(),
            outbound: outbound.clone(),
            period: sum.report(ListLength::DEFAULT, None),
        }
    }

    /// The last full second.
    pub fn rates(&self) -> api::Rates {
        let last = self.live.lock().last_second;
        api::Rates {
            packets: api::DirectionRates {
                received: last.packets.received,
                sent: last.packets.sent,
                unknown: last.packets.unknown,
                bytes_in: last.packets.bytes_in,
                bytes_out: last.packets.bytes_out,
                dns_queries: last.dns.queries,
                dns_replies: last.dns.replies,
            },
        }
    }

    /// The last 300 full seconds; none if the store does not [keep](Self::with_series) them.
    pub fn series(&self) -> api::SeriesDocument {
        // Copied, so that the capture waits only for that.
        let ring = self.live.lock().seconds.as_ref().map(|seconds| seconds.ring().clone());
        api::SeriesDocument { series: ring.unwrap_or_default().report() }
    }

    /// The ledger since start, without the filtered packets, which only the capture knows.
    pub fn ledger(&self) -> api::Ledger {
        self.live.lock().ledger()
    }
}

#[cfg(test)]
mod tests;
