//! One period: all metrics of up to 60 seconds, or of several merged periods.

use std::sync::Arc;

use pktvisor_analysis::Outcome;
use pktvisor_common::counters::Counters;

use crate::distribution::Distribution;
use crate::dns::DnsRecord;
use crate::frequent::ListLimits;
use crate::network::PacketRecord;
use crate::remember::Remember;

/// A period, or several merged ones. A [`Recorder`](super::Recorder) fills it, and its report reads
/// it.
#[derive(Clone, Debug)]
pub(crate) struct PeriodRecord {
    /// When it began, in seconds since 1970.
    pub start_s: u64,
    /// Its length so far, in seconds.
    pub length_s: u64,
    /// The counters of packets and messages.
    pub counters: Counters,
    /// Analysed DNS messages: those that the lists count.
    pub messages: u64,
    pub(super) outcomes: Outcomes,
    pub(super) packets: PacketRecord,
    pub(super) dns: DnsRecord,
}

/// DNS packets by outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcomes {
    pub not_sampled: u64,
    pub analysed: u64,
    pub malformed: u64,
    pub without_message: u64,
    pub lost: u64,
}

impl Outcomes {
    pub(super) fn add(&mut self, outcome: Outcome, count: u64) {
        let counter = match outcome {
            Outcome::NotSampled => &mut self.not_sampled,
            Outcome::Analysed => &mut self.analysed,
            Outcome::Malformed => &mut self.malformed,
            Outcome::WithoutMessage => &mut self.without_message,
        };
        *counter += count;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.not_sampled += other.not_sampled;
        self.analysed += other.analysed;
        self.malformed += other.malformed;
        self.without_message += other.without_message;
        self.lost += other.lost;
    }

    fn subtract(&mut self, earlier: &Self) {
        self.not_sampled = self.not_sampled.saturating_sub(earlier.not_sampled);
        self.analysed = self.analysed.saturating_sub(earlier.analysed);
        self.malformed = self.malformed.saturating_sub(earlier.malformed);
        self.without_message = self.without_message.saturating_sub(earlier.without_message);
        self.lost = self.lost.saturating_sub(earlier.lost);
    }

    /// DNS packets that reached analysis.
    pub(super) fn delivered(&self) -> u64 {
        self.analysed + self.malformed + self.without_message
    }
}

impl PeriodRecord {
    /// An empty period that begins at `start_s`.
    pub(super) fn new(start_s: u64) -> Self {
        Self {
            start_s,
            length_s: 0,
            counters: Counters::default(),
            messages: 0,
            outcomes: Outcomes::default(),
            packets: PacketRecord::begin(),
            dns: DnsRecord::begin(),
        }
    }

    /// Adds the metrics of `other`. The period then covers the time of both, without the gaps
    /// between them.
    pub(super) fn merge(&mut self, other: &Self) {
        self.start_s = self.start_s.min(other.start_s);
        self.length_s += other.length_s;
        self.counters.add(&other.counters);
        self.messages += other.messages;
        self.outcomes.merge(&other.outcomes);
        self.packets.merge(&other.packets);
        self.dns.merge(&other.dns);
    }

    /// Adds the findings of worker threads for the same time. Used if the kernel counts: then only
    /// worker threads analyse.
    pub(super) fn merge_shares(&mut self, shares: impl IntoIterator<Item = Arc<Self>>) {
        let start_s = self.start_s;
        let mut shares = shares.into_iter();
        if let Some(first) = shares.next() {
            let first = Arc::unwrap_or_clone(first);
            self.counters.add(&first.counters);
            self.outcomes.merge(&first.outcomes);
            (self.dns, self.messages) = (first.dns, first.messages);
        }
        shares.for_each(|share| self.merge(&share));
        self.start_s = start_s;
    }

    /// Times from query to response in microseconds: of queries to HOST, of queries from HOST.
    pub(super) fn transaction_times(&self) -> [&Distribution; 2] {
        [self.dns.xact.inbound.quantiles_us.values(), self.dns.xact.outbound.quantiles_us.values()]
    }

    /// Adds the numbers of `other` that can be summed since start in little memory: counters and histograms, no lists.
    pub(super) fn add_numbers(&mut self, other: &Self) {
        self.length_s += other.length_s;
        self.counters.add(&other.counters);
        self.messages += other.messages;
        self.outcomes.merge(&other.outcomes);
        self.packets.add_numbers(&other.packets);
        self.dns.add_numbers(&other.dns);
    }

    /// A copy of its numbers: counters and histograms. Its lists and distinct counts are empty.
    pub(super) fn numbers(&self) -> Self {
        let mut numbers = Self::new(self.start_s);
        numbers.add_numbers(self);
        numbers
    }

    /// What must be kept of it now, so that it can later be [taken away](Self::subtract).
    pub(super) fn baseline(&self) -> Self {
        Self { packets: self.packets.baseline(), dns: self.dns.baseline(), ..*self }
    }

    /// Takes away what had been counted at these baselines of it, or of the periods that it was
    /// merged from. Its start and length stay; its distinct counts are empty if there is one.
    pub(super) fn subtract(&mut self, baselines: &[&Self]) {
        for baseline in baselines {
            self.counters.subtract(&baseline.counters);
            self.messages = self.messages.saturating_sub(baseline.messages);
            self.outcomes.subtract(&baseline.outcomes);
        }
        self.packets.subtract(&baselines.iter().map(|baseline| &baseline.packets).collect::<Vec<_>>());
        self.dns.subtract(&baselines.iter().map(|baseline| &baseline.dns).collect::<Vec<_>>());
    }

    /// DNS packets whose flow was not sampled, by the decision of the kernel or of analysis.
    pub(super) fn not_sampled(&self) -> u64 {
        self.counters.packets.dns_not_sampled + self.outcomes.not_sampled
    }

    /// Limits the lists of an empty period.
    pub(super) fn limit_lists(&mut self, limits: ListLimits) {
        self.packets.shrink(limits);
        self.dns.shrink(limits);
    }

    /// Keeps what `limits` allow of each list.
    pub(super) fn shrink(&mut self, limits: ListLimits) {
        if self.counters.packets.total() == 0 && self.messages == 0 {
            return; // A quiet minute has no lists.
        }
        self.packets.shrink(limits);
        self.dns.shrink(limits);
        // Shrunk in place, the lists would occupy, perhaps for a day, the start of each large block
        // that the next live period needs again. A copy gets blocks of its own size.
        *self = self.clone();
    }
}
