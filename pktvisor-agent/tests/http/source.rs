//! A source of known numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use metric_families::{CumulativeBucket, ExponentialBuckets, FamilySnapshot, Histogram};
use pktvisor_agent::families::cost::AgentCost;
use pktvisor_agent::families::{self, Numbers, SinceStart};
use pktvisor_agent::serve::{AnswerSource, Moment, PacketsError, PeriodError, Window};
use pktvisor_api as api;
use pktvisor_metrics::watch::{MessageFilter, PacketSink, PacketWatch, TooManyWatches, Watches};
use pktvisor_metrics::{ListLength, RollingSpan};

/// Periods kept by the source.
pub(crate) const PERIODS: usize = 5;

/// Filled periods: bucket 0 is full of numbers, the others are empty.
pub(crate) const FILLED: usize = 3;

/// A window number whose merge panics, outside the range in error messages.
pub(crate) const PANICS: usize = 666;

/// The response code of a focus that is one too many.
pub(crate) const TOO_MANY: u16 = 4000;

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) unhealthy: AtomicBool,
    pub(crate) rotations: AtomicU64,
    pub(crate) merges: AtomicUsize,
    pub(crate) packets_denied: AtomicBool,
    pub(crate) watches: Arc<Watches>,
    /// The sink of the last stream of packets.
    pub(crate) sink: Mutex<Option<Arc<dyn PacketSink>>>,
    /// The filter of the last focus.
    pub(crate) focused: Mutex<String>,
    /// While true, merges wait.
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Fake {
    pub(crate) fn close_gate(&self) {
        *self.closed.lock().unwrap() = true;
    }

    pub(crate) fn open_gate(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    /// Waits until `count` merges have begun.
    pub(crate) async fn until_merges(&self, count: usize) {
        while self.merges.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl AnswerSource for Fake {
    fn app(&self) -> api::App {
        api::App {
            app: api::AppInfo {
                version: "4.0.0".to_owned(),
                deep_sample_rate_pct: 100,
                periods: PERIODS as u64,
                single_summary: false,
                up_time_min: 1.5,
                capture: Some(api::CaptureInfo {
                    target: "a \"quoted\"\ntarget".to_owned(),
                    mode: api::CaptureMode::Live(api::Mode::Inline),
                    hook: Some("xdp".to_owned()),
                    zero_copy: Some(false),
                    interfaces: vec![api::CaptureInterface {
                        name: "eth0".to_owned(),
                        ingress: "xdp".to_owned(),
                        ingress_reason: Some("as --hook says".to_owned()),
                        egress: Some("tcx".to_owned()),
                        state: "up".to_owned(),
                    }],
                    link_types: vec![1],
                    finished: false,
                    likely_host: vec!["192.0.2.53".to_owned()],
                    notes: vec!["zero-copy is not available".to_owned()],
                }),
                ledger: Some(api::Ledger { seen: 10, counted: 9, filtered: 1, ..Default::default() }),
                deep_sample_rate_now_pct: Some(50.0),
                losses: Some(api::Losses { ring_full: 2, ..Default::default() }),
                archive: Some(api::ArchiveInfo {
                    written: 3,
                    written_bytes: 120_000,
                    waiting: 1,
                    given_up: 2,
                    failures: 4,
                    last_failure: Some("the disk is full".to_owned()),
                }),
                sandbox: Some(api::SandboxInfo {
                    files: api::SandboxState::Enforced,
                    connections: api::SandboxState::Unavailable,
                    system_calls: api::SandboxState::Enforced,
                }),
                http: None,
                labels: [("site".to_owned(), "quoted \"one\"".to_owned())].into(),
            },
            dns: api::AppDns { xact: api::AppXact { open: 3, waiting: 2 } },
        }
    }

    fn rates(&self) -> api::Rates {
        api::Rates { packets: api::DirectionRates { received: 7, sent: 5, ..Default::default() } }
    }

    fn series(&self) -> api::SeriesDocument {
        let direction = api::DirectionSeries {
            total: vec![1, 0],
            p50_us: vec![Some(1500), None],
            p95_us: vec![Some(3000), None],
        };
        api::SeriesDocument {
            series: api::SecondSeries {
                start_ts: 1_600_000_000,
                step_s: 1,
                packets: api::PacketSeries { received: vec![7, 5], ..Default::default() },
                dns: api::DnsSeries { queries: vec![3, 4], ..Default::default() },
                xact: api::TransactionSeries {
                    timed_out: vec![0, 1],
                    inbound: direction.clone(),
                    outbound: direction,
                },
            },
        }
    }

    fn findings(&self) -> api::FindingsDocument {
        let finding = api::Finding {
            kind: "random_subdomains".to_owned(),
            severity: api::Severity::Warning,
            subject: api::Subject { kind: "zone".to_owned(), name: "odd\"name.example".to_owned() },
            since_ts: 1_600_000_010,
            text: "odd\"name.example gets 500/s queries for random names".to_owned(),
            measures: vec![api::Measure { name: "queries_per_second".to_owned(), value: 500.5 }],
            who: full_period(ListLength::DEFAULT).dns.top_qname2,
        };
        api::FindingsDocument { at_ts: 1_600_000_020, findings: vec![finding] }
    }

    fn families(&self) -> FamilySnapshot {
        let mut classic = vec![CumulativeBucket { bound: 0.000_064, count: 0 }];
        classic.push(CumulativeBucket { bound: 0.000_128, count: 2 });
        let counts = vec![(-840, 2), (-780, 1), (-779, 1)];
        let exponential = Some(ExponentialBuckets { scale: 6, zero: 0, counts });
        let times = Histogram { count: 4, sum: 20.0, classic, exponential };
        let mut period = full_period(ListLength::DEFAULT);
        period.packets.total = 5000;
        families::snapshot(&Numbers {
            since: SystemTime::UNIX_EPOCH,
            at: SystemTime::UNIX_EPOCH,
            app: &self.app(),
            rates: &self.rates(),
            findings: &self.findings(),
            sums: &SinceStart { period, inbound: times.clone(), outbound: times },
            period: self.bucket(1, ListLength::DEFAULT).ok().as_ref(),
            cost: &AgentCost {
                cpu_s: 1.5,
                cpu_s_by_role: vec![("worker", 1.0), ("other", 0.5)],
                resident_bytes: Some(5_000_000),
            },
        })
    }

    fn bucket(&self, n: usize, lists: ListLength) -> Result<api::Period, PeriodError> {
        match n {
            0 => Ok(full_period(lists)),
            1..FILLED => Ok(api::Period::default()),
            FILLED..PERIODS => Err(PeriodError::NotYet { last: FILLED - 1 }),
            _ => Err(PeriodError::OutOfRange { first: 0, last: PERIODS - 1 }),
        }
    }

    fn window(&self, n: usize, lists: ListLength) -> Result<Window, PeriodError> {
        assert_ne!(n, PANICS, "a merge that panics");
        if !(2..=PERIODS).contains(&n) {
            return Err(PeriodError::OutOfRange { first: 2, last: PERIODS });
        }
        self.merges.fetch_add(1, Ordering::SeqCst);
        let closed = self.closed.lock().unwrap();
        // A test that fails leaves the gate closed; it must not hang as well.
        drop(self.opened.wait_timeout_while(closed, Duration::from_secs(60), |closed| *closed).unwrap());
        Ok(Window { minutes: n, period: full_period(lists) })
    }

    fn sketches(&self, n: usize, lists: ListLength) -> Result<api::SketchDocument, PeriodError> {
        let Window { minutes, period } = self.window(n, lists)?;
        let bucket = api::ExponentialBucket { index: 700, count: 3 };
        Ok(api::SketchDocument {
            format: api::SKETCHES_FORMAT,
            periods: minutes as u32,
            period,
            distinct: [("dns.in.clients".to_owned(), api::HllImage(vec![10, 1, 7]))].into(),
            histograms: [(
                "dns.xact.in.quantiles_us".to_owned(),
                api::ExponentialHistogram { scale: 8, zero: 1, count: 4, sum: 20.0, buckets: vec![bucket] },
            )]
            .into(),
            lists: [("dns.top_qname2".to_owned(), api::ListTotals { absent_upper: 2 })].into(),
        })
    }

    fn rolling(&self, span: RollingSpan, lists: ListLength) -> api::Period {
        let mut period = full_period(lists);
        period.period.length = span.seconds() as i64 + 9;
        period
    }

    fn focus(&self, filter: &MessageFilter, lists: ListLength) -> Result<api::Period, TooManyWatches> {
        *self.focused.lock().unwrap() = filter.to_string();
        match filter.rcode {
            Some(TOO_MANY) => Err(TooManyWatches),
            _ => Ok(full_period(lists)),
        }
    }

    fn packets(&self, filter: MessageFilter, sink: Arc<dyn PacketSink>) -> Result<PacketWatch, PacketsError> {
        if self.packets_denied.load(Ordering::SeqCst) {
            return Err(PacketsError::NotAllowed);
        }
        *self.sink.lock().unwrap() = Some(sink.clone());
        Ok(self.watches.packets(filter, sink)?)
    }

    fn moment(&self) -> Moment {
        Moment { rotations: self.rotations.load(Ordering::SeqCst), published: None }
    }

    fn health(&self) -> Result<(), String> {
        match self.unhealthy.load(Ordering::SeqCst) {
            true => Err("eth0 is gone".to_owned()),
            false => Ok(()),
        }
    }
}

/// A period in which every key that may be absent is present.
fn full_period(lists: ListLength) -> api::Period {
    let quantiles = Some(api::Quantiles { p50: 1500, p90: 2000, p95: 3000, p99: 4000 });
    let list = vec![
        api::TopEntry {
            name: "\\.odd\"näme.example".to_owned(),
            estimate: 5,
            lower: Some(4),
            upper: Some(6),
            scaled: Some(50),
        };
        lists.entries()
    ];
    let direction = api::TransactionDirection { total: 2, quantiles_us: quantiles, top_slow: list.clone() };
    let span = api::PeriodSpan { start_ts: 1_600_000_000, length: 60 };
    let mut period = api::Period { period: span, ..Default::default() };
    period.packets.total = 1000;
    period.packets.rates = api::PacketRates { pps_in: quantiles, pps_out: quantiles };
    period.packets.top_ipv4.clone_from(&list);
    period.dns.top_qname2 = list;
    period.dns.edns.udp_size_bytes = quantiles;
    let (inbound, outbound) = (&mut period.dns.inbound, &mut period.dns.outbound);
    (inbound.query_size_bytes, outbound.query_size_bytes) = (quantiles, quantiles);
    (inbound.response_size_bytes, outbound.response_size_bytes) = (quantiles, quantiles);
    (inbound.size_ratio_pct, outbound.size_ratio_pct) = (quantiles, quantiles);
    period.dns.xact = api::Transactions {
        counts: api::TransactionCounts { total: 5, ..Default::default() },
        inbound: direction.clone(),
        outbound: direction.clone(),
        unknown: direction,
    };
    period
}
