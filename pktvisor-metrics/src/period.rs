//! One period: everything that is remembered of up to 60 seconds, or of several merged.

use std::sync::Arc;

use pktvisor_analysis::Outcome;
use pktvisor_common::counters::Counters;

use super::Quantiles;
use super::dns::{DnsMetrics, ReassemblyMetrics};
use super::frequent::Limits;
use super::network::NetworkMetrics;
use super::transactions::TransactionMetrics;

/// A period, or several merged. Made by a [`Recorder`](super::Recorder), read through its report.
#[derive(Clone, Debug)]
pub struct Period {
    /// When it began, in seconds since 1970.
    pub start_s: u64,
    /// How long it lasted so far.
    pub length_s: u64,
    /// What was counted for every packet.
    pub counters: Counters,
    /// Packets older than the newest one before them.
    pub out_of_order: u64,
    /// Jumps of the packet clock.
    pub time_jumps: u64,
    pub(super) outcomes: Outcomes,
    pub(super) rates: Rates,
    pub(super) network: NetworkMetrics,
    pub(super) dns: DnsMetrics,
    pub(super) transactions: TransactionMetrics,
    pub(super) reassembly: ReassemblyMetrics,
}

/// What became of the DNS packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcomes {
    pub not_chosen: u64,
    pub analysed: u64,
    pub malformed: u64,
    pub without_message: u64,
    pub lost: u64,
}

impl Outcomes {
    pub(super) fn add(&mut self, outcome: Outcome, count: u64) {
        let counter = match outcome {
            Outcome::NotChosen => &mut self.not_chosen,
            Outcome::Analysed => &mut self.analysed,
            Outcome::Malformed => &mut self.malformed,
            Outcome::WithoutMessage => &mut self.without_message,
        };
        *counter += count;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.not_chosen += other.not_chosen;
        self.analysed += other.analysed;
        self.malformed += other.malformed;
        self.without_message += other.without_message;
        self.lost += other.lost;
    }

    /// DNS packets that reached analysis.
    pub(super) fn delivered(&self) -> u64 {
        self.analysed + self.malformed + self.without_message
    }
}

/// Packets per second, one value for each second that is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    pub received: Quantiles,
    pub sent: Quantiles,
}

impl Rates {
    pub(super) fn second(&mut self, received: u64, sent: u64) {
        self.received.record(received);
        self.sent.record(sent);
    }

    pub(super) fn quiet_seconds(&mut self, count: u64) {
        self.received.record_n(0, count);
        self.sent.record_n(0, count);
    }
}

impl Period {
    /// An empty period that begins at `start_s`.
    pub(super) fn new(start_s: u64) -> Self {
        Self {
            start_s,
            length_s: 0,
            counters: Counters::default(),
            out_of_order: 0,
            time_jumps: 0,
            outcomes: Outcomes::default(),
            rates: Rates::default(),
            network: NetworkMetrics::new(),
            dns: DnsMetrics::new(),
            transactions: TransactionMetrics::new(),
            reassembly: ReassemblyMetrics::default(),
        }
    }

    /// Adds what `other` remembers; it covers the time of both, gaps between them left out.
    pub(super) fn merge(&mut self, other: &Self) {
        self.start_s = self.start_s.min(other.start_s);
        self.length_s += other.length_s;
        self.counters.add(&other.counters);
        self.out_of_order += other.out_of_order;
        self.time_jumps += other.time_jumps;
        self.outcomes.merge(&other.outcomes);
        self.rates.received.merge(&other.rates.received);
        self.rates.sent.merge(&other.rates.sent);
        self.network.merge(&other.network);
        self.dns.merge(&other.dns);
        self.transactions.merge(&other.transactions);
        self.reassembly.merge(&other.reassembly);
    }

    /// Adds what worker threads remember of the same time, where the kernel counts: analysis is theirs alone.
    pub(super) fn merge_shares(&mut self, shares: impl IntoIterator<Item = Arc<Self>>) {
        let start_s = self.start_s;
        let mut shares = shares.into_iter();
        if let Some(first) = shares.next() {
            let first = Arc::unwrap_or_clone(first);
            self.counters.add(&first.counters);
            self.outcomes.merge(&first.outcomes);
            (self.dns, self.transactions, self.reassembly) =
                (first.dns, first.transactions, first.reassembly);
        }
        shares.for_each(|share| self.merge(&share));
        self.start_s = start_s;
    }

    /// DNS packets whose flow was not chosen, wherever that was decided.
    pub(super) fn not_chosen(&self) -> u64 {
        self.counters.packets.dns_not_chosen + self.outcomes.not_chosen
    }

    /// Keeps what `limits` allow of each list.
    pub(super) fn shrink(&mut self, limits: Limits) {
        if self.counters.packets.total() == 0 && self.dns.messages == 0 {
            return; // A quiet minute, of which there may be many at once, has no lists.
        }
        self.network.shrink(limits);
        self.dns.shrink(limits);
        self.transactions.shrink(limits);
        // What was cut down where it lay would stand, for a day perhaps, at the head of each of the large places that
        // the next live period wants again. A copy finds places of its size.
        *self = self.clone();
    }
}
