//! A recorder of what a filter lets through, kept while somebody reads it.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pktvisor_analysis::message::Message;
use pktvisor_analysis::transactions::{
    Exchange, MessageTime, QuestionKey, ResponseOutcome, TransactionCounts, Transactions,
};
use pktvisor_analysis::{Flow, Observer, Outcome, Transaction};
use pktvisor_common::classify::Captured;

use super::filter::MessageFilter;
use super::packet::{AnalysedPacket, CompletedTransaction};
use crate::frequent::ListLimits;
use crate::keys::{MessageKeys, PacketKeys};
use crate::period::PeriodRecord;
use crate::recorder::Recorder;
use crate::settings::RecorderSettings;

/// How long a focus stays open after it was last read.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// Queries that may wait for their response in one thread's share of a focus.
const QUERIES_MAX: usize = 1 << 13;

/// The recorder of one focus: a share for each thread that analyses.
#[derive(Debug)]
pub(super) struct Focus {
    /// The second in which it was opened, since 1970, by the clock of the capture; `None` before
    /// the first packet of the capture.
    begun_s: Option<u64>,
    read_at: Mutex<Instant>,
    shares: Box<[Mutex<FocusRecorder>]>,
}

impl Focus {
    pub(super) fn new(now: CaptureTime, settings: FocusSettings, filter: &MessageFilter) -> Self {
        let shares = (0..settings.threads.max(1)).map(|_| Mutex::new(FocusRecorder::new(settings, filter)));
        Self { begun_s: now.second, read_at: Mutex::new(Instant::now()), shares: shares.collect() }
    }

    pub(super) fn is_read(&self, now: Instant) -> bool {
        now.saturating_duration_since(*self.read_at.lock()) < READ_WITHIN
    }

    pub(super) fn share(&self, thread: u32) -> Option<&Mutex<FocusRecorder>> {
        self.shares.get(thread as usize)
    }

    /// All that was recorded until now, and keeps it open.
    pub(super) fn read(&self, now: CaptureTime) -> PeriodRecord {
        *self.read_at.lock() = Instant::now();
        let mut sum = PeriodRecord::new(0);
        let mut first_s = self.begun_s;
        for share in &self.shares {
            let mut share = share.lock();
            share.advance(now.ns);
            first_s = first_s.or(share.first_s);
            // Copied, so that the thread waits only for that.
            let copy = share.recorder.period().clone();
            drop(share);
            sum.merge(&copy);
        }
        sum.start_s = first_s.or(now.second).unwrap_or(0);
        sum.length_s = now.end_s.saturating_sub(sum.start_s);
        sum
    }
}

/// The time by the clock of the capture.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CaptureTime {
    /// In nanoseconds since 1970; 0 before the first packet.
    pub(crate) ns: u64,
    /// Its second; `None` before the first packet.
    pub(crate) second: Option<u64>,
    /// The end of the time that is covered, in seconds since 1970.
    pub(crate) end_s: u64,
}

/// What a focus needs to know of the agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FocusSettings {
    pub(crate) recorder: RecorderSettings,
    /// Threads that analyse.
    pub(crate) threads: usize,
    /// How long a query waits for its response.
    pub(crate) transaction_timeout_ns: u64,
}

/// One thread's share of a focus.
#[derive(Debug)]
pub(super) struct FocusRecorder {
    pub(super) recorder: Recorder,
    /// The queries and responses of the focus alone, because analysis reports time-outs only as
    /// numbers of all. `None` if only responses match.
    transactions: Option<Transactions>,
    /// The second of its first packet, since 1970.
    first_s: Option<u64>,
}

impl FocusRecorder {
    fn new(settings: FocusSettings, filter: &MessageFilter) -> Self {
        let transactions = || Transactions::new(settings.transaction_timeout_ns, QUERIES_MAX);
        Self {
            recorder: Recorder::with_limits(settings.recorder, ListLimits::FOCUS),
            transactions: filter.rcode.is_none().then(transactions),
            first_s: None,
        }
    }

    /// Counts a packet that has a message of the focus, once.
    pub(super) fn packet(&mut self, seen: &AnalysedPacket<'_, '_>) {
        self.first_s.get_or_insert(seen.packet.timestamp_ns / 1_000_000_000);
        let keys = PacketKeys::of(seen.class, seen.direction);
        self.recorder.packet(seen.class, &keys, seen.packet.wire_len);
    }

    /// Counts a message that reassembly completed; others are counted with their packet.
    pub(super) fn reassembled(&mut self, flow: &Flow, header_flags: u16, captured: Captured) {
        self.recorder.reassembled(flow, header_flags, captured);
    }

    /// Records a message.
    pub(super) fn message(
        &mut self,
        flow: &Flow,
        message: &Message<'_>,
        keys: &MessageKeys<'_>,
        answered: Option<CompletedTransaction>,
        at: MessageTime,
    ) {
        if let Some(CompletedTransaction { client, query_bytes, response_bytes, duration_ns }) = answered {
            let question = message.question.as_ref();
            let transaction = Transaction { client, query_bytes, response_bytes, duration_ns, question };
            self.recorder.transaction(&transaction, keys);
        }
        self.count_transaction(flow, message, answered, at);
        self.recorder.message(flow, message, keys);
    }

    /// Analysis knows whether a response was answered, also where the focus opened after its query.
    /// All other outcomes are those among the messages of the focus.
    fn count_transaction(
        &mut self,
        flow: &Flow,
        message: &Message<'_>,
        answered: Option<CompletedTransaction>,
        at: MessageTime,
    ) {
        let key = message.question.as_ref().map(|question| QuestionKey {
            name_hash: question.name_hash,
            qtype: question.qtype,
            qclass: question.qclass,
        });
        let mut counts = TransactionCounts::default();
        if let Some(transactions) = &mut self.transactions {
            if !message.is_response() {
                transactions.query(&Exchange::of_query(flow, message.id()), key, at);
                return;
            }
            let outcome = transactions.response(&Exchange::of_response(flow, message.id()), key, at);
            counts = transactions.take_counts();
            let is_known = answered.is_some() && outcome == ResponseOutcome::Orphan;
            counts.orphans = counts.orphans.saturating_sub(u64::from(is_known));
        }
        counts.answered = u64::from(answered.is_some());
        counts.negative_times = u64::from(answered.is_some_and(|answered| answered.duration_ns.is_none()));
        self.recorder.transaction_counts(&counts);
    }

    pub(super) fn outcome(&mut self, outcome: Outcome, count: u64) {
        self.recorder.outcome(outcome, count);
    }

    fn advance(&mut self, now_ns: u64) {
        let Some(transactions) = &mut self.transactions else { return };
        transactions.advance(now_ns);
        let counts = TransactionCounts { answered: 0, negative_times: 0, ..transactions.take_counts() };
        self.recorder.transaction_counts(&counts);
    }
}
