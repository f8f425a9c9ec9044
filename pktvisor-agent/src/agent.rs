//! The agent as its HTTP clients see it: what was counted, and the status of the capture.

pub(crate) mod interfaces;
mod stale;
pub(crate) mod status;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use metric_families::FamilySnapshot;
use parking_lot::Mutex;
use pktvisor_analysis::transactions::OpenQueries;
use pktvisor_api as api;
use pktvisor_archive::Archiver;
use pktvisor_metrics::watch::{MessageFilter, PacketSink, PacketWatch, TooManyWatches};
use pktvisor_metrics::{Clock, ListLength, NoPeriod, RollingSpan, Store};
use pktvisor_otlp::PushStatistics;

use crate::families::cost::CostMeter;
use crate::families::{self, Numbers, SinceStart, times_since_start};
use crate::serve::{AnswerSource, Moment, PacketsError, PeriodError, Window};
use status::CaptureStatus;

/// Everything that answers are made of.
#[derive(Debug)]
pub(crate) struct Agent {
    /// What was counted.
    pub store: Store,
    /// How the capture is doing.
    pub status: Arc<CaptureStatus>,
    deep_sample_rate_pct: u64,
    sandbox: api::SandboxInfo,
    started: Instant,
    started_at: SystemTime,
    cost: Mutex<CostMeter>,
    labels: BTreeMap<String, String>,
    packet_access: PacketAccess,
    /// Of the metrics that are pushed, if any are.
    push_statistics: Option<Arc<PushStatistics>>,
    archiver: OnceLock<Archiver>,
}

/// Whether clients may have packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PacketAccess {
    /// They may not.
    #[default]
    Denied,
    /// The operator allows it.
    Allowed,
}

impl Agent {
    /// An agent that has just started.
    pub(crate) fn new(store: Store, deep_sample_rate_pct: u64, capture: api::CaptureInfo) -> Self {
        let status = Arc::new(CaptureStatus::new(capture, deep_sample_rate_pct as f64));
        Self {
            store,
            status,
            deep_sample_rate_pct,
            sandbox: api::SandboxInfo::default(),
            started: Instant::now(),
            started_at: SystemTime::now(),
            cost: Mutex::default(),
            labels: BTreeMap::new(),
            packet_access: PacketAccess::default(),
            push_statistics: None,
            archiver: OnceLock::new(),
        }
    }

    /// The agent, in a process that is restricted in this way.
    pub(crate) fn with_sandbox(self, sandbox: api::SandboxInfo) -> Self {
        Self { sandbox, ..self }
    }

    /// The agent, with labels that the operator gave it.
    pub(crate) fn with_labels(self, labels: BTreeMap<String, String>) -> Self {
        Self { labels, ..self }
    }

    /// The agent, whose clients may or may not have packets.
    pub(crate) fn with_packet_access(self, packet_access: PacketAccess) -> Self {
        Self { packet_access, ..self }
    }

    /// The agent, which also reports what becomes of the metrics that it pushes.
    pub(crate) fn with_push_statistics(self, statistics: Arc<PushStatistics>) -> Self {
        Self { push_statistics: Some(statistics), ..self }
    }

    /// What becomes of the metrics that it pushes; `None` if it pushes none.
    pub(crate) fn push_statistics(&self) -> Option<&Arc<PushStatistics>> {
        self.push_statistics.as_ref()
    }

    /// The agent, which also finds what is wrong. Without a server or a collector nobody asks for it.
    #[must_use]
    pub(crate) fn with_findings(mut self) -> Self {
        let (status, max_pct) = (Arc::clone(&self.status), self.deep_sample_rate_pct as f64);
        self.store = self.store.with_findings(Box::new(move || status.observation(max_pct)));
        self
    }

    /// The archiver of its closed periods. Call it once.
    pub(crate) fn set_archiver(&self, archiver: Archiver) {
        // There is only one.
        let _ = self.archiver.set(archiver);
    }

    /// The archiver of its closed periods.
    pub(crate) fn archiver(&self) -> Option<&Archiver> {
        self.archiver.get()
    }

    fn archive_info(&self) -> Option<api::ArchiveInfo> {
        let status = self.archiver()?.status();
        Some(api::ArchiveInfo {
            written: status.written,
            written_bytes: status.written_bytes,
            waiting: status.waiting,
            given_up: status.given_up + self.store.unarchived_given_up(),
            failures: status.failures,
            last_failure: status.last_failure,
        })
    }

    /// Where every packet went.
    pub(crate) fn ledger(&self) -> api::Ledger {
        with_filtered(self.store.ledger(), self.status.snapshot().filtered)
    }

    /// All numbers of one moment as metric families, although its parts are read one after the other.
    pub(crate) fn snapshot(&self) -> FamilySnapshot {
        /// More than enough, because a moment lasts for a second.
        const ATTEMPTS: usize = 3;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let moment = self.moment();
            let snapshot = self.read_snapshot();
            if self.moment() == moment {
                return snapshot;
            }
            last = Some(snapshot);
        }
        last.unwrap_or_else(|| self.read_snapshot())
    }

    fn read_snapshot(&self) -> FamilySnapshot {
        let usual = ListLength::DEFAULT;
        let period = self.bucket(1, usual).or_else(|_| self.bucket(0, usual)).ok();
        let sums = self.store.since_start();
        let sums = SinceStart {
            inbound: times_since_start(&sums.inbound),
            outbound: times_since_start(&sums.outbound),
            period: sums.period,
        };
        let mut snapshot = families::snapshot(&Numbers {
            since: self.started_at,
            at: SystemTime::now(),
            app: &self.app(),
            rates: &self.rates(),
            findings: &self.findings(),
            sums: &sums,
            period: period.as_ref(),
            cost: &self.cost.lock().read(),
        });
        snapshot.families.extend(self.push_statistics.iter().flat_map(|pushes| pushes.families()));
        snapshot
    }

    /// Whether any packet was counted.
    pub(crate) fn has_counted(&self) -> bool {
        self.store.ledger().counted > 0
    }
}

/// The ledger of the store with the packets that the filter took out before.
fn with_filtered(counted: api::Ledger, filtered: u64) -> api::Ledger {
    api::Ledger { filtered, seen: counted.counted + filtered, ..counted }
}

impl AnswerSource for Agent {
    fn app(&self) -> api::App {
        let settings = self.store.settings();
        let counted = self.store.ledger();
        let status = self.status.snapshot();
        let OpenQueries { open, waiting } = status.open_queries;
        api::App {
            app: api::AppInfo {
                version: env!("CARGO_PKG_VERSION").into(),
                deep_sample_rate_pct: self.deep_sample_rate_pct,
                periods: settings.periods as u64,
                single_summary: settings.summary,
                up_time_min: self.started.elapsed().as_secs_f64() / 60.0,
                capture: Some(status.capture),
                ledger: Some(with_filtered(counted, status.filtered)),
                deep_sample_rate_now_pct: Some(status.deep_sample_rate_now_pct),
                losses: status.losses,
                sandbox: Some(self.sandbox),
                labels: self.labels.clone(),
                archive: self.archive_info(),
                // The web server adds its own.
                http: None,
            },
            dns: api::AppDns { xact: api::AppXact { open, waiting } },
        }
    }

    fn rates(&self) -> api::Rates {
        self.store.rates()
    }

    fn series(&self) -> api::SeriesDocument {
        self.store.series()
    }

    fn findings(&self) -> api::FindingsDocument {
        let mut document = self.store.findings();
        if self.store.settings().clock == Clock::Wall {
            stale::add(&mut document, SystemTime::now());
        }
        document
    }

    fn families(&self) -> FamilySnapshot {
        self.snapshot()
    }

    fn bucket(&self, n: usize, lists: ListLength) -> Result<api::Period, PeriodError> {
        self.store.bucket_listing(lists, n).map_err(PeriodError::from)
    }

    fn window(&self, n: usize, lists: ListLength) -> Result<Window, PeriodError> {
        let period = self.store.window_listing(lists, n)?;
        Ok(Window { minutes: n, period })
    }

    fn sketches(&self, n: usize, lists: ListLength) -> Result<api::SketchDocument, PeriodError> {
        self.store.sketches(n, lists).map_err(PeriodError::from)
    }

    fn rolling(&self, span: RollingSpan, lists: ListLength) -> api::Period {
        self.store.rolling(lists, span)
    }

    fn focus(&self, filter: &MessageFilter, lists: ListLength) -> Result<api::Period, TooManyWatches> {
        self.store.focus(lists, filter)
    }

    fn packets(&self, filter: MessageFilter, sink: Arc<dyn PacketSink>) -> Result<PacketWatch, PacketsError> {
        match self.packet_access {
            PacketAccess::Denied => Err(PacketsError::NotAllowed),
            PacketAccess::Allowed => Ok(self.store.watches().packets(filter, sink)?),
        }
    }

    fn moment(&self) -> Moment {
        Moment { rotations: self.store.rotations(), published: self.store.moments() }
    }

    fn health(&self) -> Result<(), String> {
        self.status.health()
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
