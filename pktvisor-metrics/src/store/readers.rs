//! What readers get of the store: periods, windows, the last seconds, and sums since start.

use std::sync::Arc;

use parking_lot::Mutex;
use pktvisor_api as api;

use super::{NoPeriod, Store, SumsSinceStart};
use crate::listed::ListLength;
use crate::period::PeriodRecord;
use crate::prefixes::Prefixes;
use crate::rolling::{Recent, RollingSpan};
use crate::settings::RecorderSettings;
use crate::unarchived::Unarchived;
use crate::watch::{FocusSettings, MessageFilter, TooManyWatches, Watches};

/// The closed periods that the last minute can reach into: the last one, and one before a first
/// period that was short.
const CLOSED_IN_ROLLING: usize = 2;

/// Periods that are to be merged.
struct Unmerged {
    /// A copy of the live period.
    live: PeriodRecord,
    /// Closed periods, newest first.
    closed: Vec<Arc<PeriodRecord>>,
    prefixes: Arc<Mutex<Prefixes>>,
    /// Number of periods closed so far.
    rotations: u64,
}

impl Store {
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
        Ok(self.period(n)?.report(length, self.geo()))
    }

    fn period(&self, n: usize) -> Result<Arc<PeriodRecord>, NoPeriod> {
        let last = self.settings.periods - 1;
        if n > last {
            return Err(NoPeriod::OutOfRange { first: 0, last });
        }
        if n == 0 {
            return Ok(Arc::new(self.merged(1)));
        }
        let live = self.live.lock();
        live.closed.get(n - 1).cloned().ok_or(NoPeriod::NotYet { last: live.closed.len() })
    }

    /// A [bucket](Self::bucket) with its sketches, which merge with those of other agents.
    pub fn sketches_of_bucket(&self, n: usize, length: ListLength) -> Result<api::SketchDocument, NoPeriod> {
        Ok(self.period(n)?.sketches(length, self.geo(), 1))
    }

    /// The oldest closed period that has not been archived, with its sketches.
    pub fn take_unarchived(&self, length: ListLength) -> Option<api::SketchDocument> {
        let period = self.live.lock().unarchived.as_mut()?.take()?;
        Some(period.sketches(length, self.geo(), 1))
    }

    /// Whether so many periods wait for the archive that a capture that can wait should.
    pub fn is_archive_due(&self) -> bool {
        self.live.lock().unarchived.as_ref().is_some_and(Unarchived::is_due)
    }

    /// Closed periods that were given up because the archive did not take them.
    pub fn unarchived_given_up(&self) -> u64 {
        self.live.lock().unarchived.as_ref().map_or(0, Unarchived::given_up)
    }

    /// The newest `n` periods merged, or as many as there are.
    pub fn window(&self, n: usize) -> Result<api::Period, NoPeriod> {
        self.window_listing(ListLength::DEFAULT, n)
    }

    /// A [window](Self::window) with lists of this length.
    pub fn window_listing(&self, length: ListLength, n: usize) -> Result<api::Period, NoPeriod> {
        self.check_window(n, 2)?;
        Ok(self.merged(n).report(length, self.geo()))
    }

    /// A [window](Self::window) with its sketches, which merge with those of other agents; 1 is the
    /// live period.
    pub fn sketches(&self, n: usize, length: ListLength) -> Result<api::SketchDocument, NoPeriod> {
        self.check_window(n, 1)?;
        let filled = self.filled();
        Ok(self.merged(n).sketches(length, self.geo(), n.min(filled)))
    }

    fn check_window(&self, n: usize, first: usize) -> Result<(), NoPeriod> {
        // With one period for everything, 3.0 clients still ask for window/5.
        let last = if self.settings.summary { self.settings.periods.max(5) } else { self.settings.periods };
        if n < first || n > last { Err(NoPeriod::OutOfRange { first, last }) } else { Ok(()) }
    }

    /// The newest `n` periods merged. Keeps parts of the merge for the next ones.
    fn merged(&self, n: usize) -> PeriodRecord {
        let Unmerged { live: mut merged, closed, prefixes, rotations } = self.unmerged(n);
        prefixes.lock().merge_into(&mut merged, &closed, rotations);
        merged
    }

    /// As [`merged`](Self::merged), and keeps nothing.
    fn merged_once(&self, n: usize) -> PeriodRecord {
        let Unmerged { live: mut merged, closed, .. } = self.unmerged(n);
        closed.iter().for_each(|period| merged.merge(period));
        merged
    }

    /// The newest `n` periods.
    fn unmerged(&self, n: usize) -> Unmerged {
        let mut live = self.live.lock();
        self.list_readers.wait(&mut live);
        let mut merged = live.measured().clone();
        let closed: Vec<_> = live.closed.iter().take(n.saturating_sub(1)).cloned().collect();
        let published = live.has_lists().then(|| live.published().to_vec());
        let (prefixes, rotations) = (Arc::clone(&live.prefixes), live.rotations);
        drop(live);
        // Lists of slightly different moments are better than none.
        merged.merge_shares(published.unwrap_or_else(|| self.shares.copies()));
        Unmerged { live: merged, closed, prefixes, rotations }
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
                self.merged_once(self.settings.periods).report(ListLength::DEFAULT, self.geo()),
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
