//! How fast answers come, and for which names they are slow.

use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{Asker, Transaction};

use super::frequent::{FrequentItems, Limits};
use super::slowness::Times;

/// The transactions of one period: those whose response came in it.
#[derive(Clone, Debug)]
pub(super) struct TransactionMetrics {
    /// All, whoever asked, and what did not become a transaction.
    pub counts: TransactionCounts,
    /// HOST was asked.
    pub inbound: Answers,
    /// HOST asked.
    pub outbound: Answers,
}

/// Answered queries of one direction.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub total: u64,
    /// Microseconds from query to response.
    pub times_us: Times,
    /// Names (wire form) whose answer took at least as long as the 90th percentile at that moment.
    pub slow: FrequentItems,
}

impl Answers {
    fn new() -> Self {
        Self { total: 0, times_us: Times::default(), slow: FrequentItems::new(Limits::LIVE) }
    }

    fn add(&mut self, transaction: &Transaction<'_>) {
        self.total += 1;
        let Some(duration_ns) = transaction.duration_ns else { return };
        if self.times_us.record(duration_ns / 1000)
            && let Some(question) = transaction.question
        {
            self.slow.add(super::dns::whole(question), 1);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.times_us.merge(&other.times_us);
        self.slow.merge(&other.slow);
    }
}

impl TransactionMetrics {
    pub(super) fn new() -> Self {
        Self { counts: TransactionCounts::default(), inbound: Answers::new(), outbound: Answers::new() }
    }

    pub(super) fn add(&mut self, transaction: &Transaction<'_>) {
        match transaction.asker {
            Asker::Remote => self.inbound.add(transaction),
            Asker::Host => self.outbound.add(transaction),
            Asker::Unknown => {}
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.inbound.merge(&other.inbound);
        self.outbound.merge(&other.outbound);
    }

    pub(super) fn shrink(&mut self, limits: Limits) {
        self.inbound.slow.shrink(limits);
        self.outbound.slow.shrink(limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(asker: Asker, duration_ns: Option<u64>) -> Transaction<'static> {
        Transaction { asker, duration_ns, question: None }
    }

    #[test]
    fn transactions_count_by_who_asked() {
        let mut metrics = TransactionMetrics::new();
        for asker in [Asker::Remote, Asker::Remote, Asker::Host, Asker::Unknown] {
            metrics.add(&answered(asker, Some(5_000)));
        }
        assert_eq!((metrics.inbound.total, metrics.outbound.total), (2, 1));
    }

    #[test]
    fn a_response_older_than_its_query_is_counted_but_has_no_time() {
        let mut metrics = TransactionMetrics::new();
        metrics.add(&answered(Asker::Host, None));
        assert_eq!(metrics.outbound.total, 1);
        assert!(metrics.outbound.times_us.values().is_empty());
    }
}
