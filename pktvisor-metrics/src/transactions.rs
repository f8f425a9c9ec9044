//! Times from query to response, and the names with slow responses.

use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{ClientSide, Transaction};

use crate::record::record;

pktvisor_definitions::transactions!(record);
pktvisor_definitions::transaction_counts!(record);
pktvisor_definitions::transaction_direction!(record);

impl TransactionDirectionRecord {
    /// Counts a transaction, and returns whether it was slow; then prefetches the memory where its name
    /// will be counted.
    fn add(&mut self, transaction: &Transaction<'_>) -> bool {
        self.total += 1;
        let Some(duration_ns) = transaction.duration_ns else { return false };
        let is_slow = self.quantiles_us.record(duration_ns / 1000);
        if is_slow && let Some(question) = transaction.question {
            self.top_slow.prefetch(super::keys::whole(question));
        }
        is_slow
    }
}

impl TransactionCountsRecord {
    pub(super) fn add(&mut self, counts: &TransactionCounts) {
        self.total += counts.answered;
        self.timed_out += counts.timed_out;
        self.late += counts.late;
        self.duplicates += counts.duplicates;
        self.orphans += counts.orphans;
        self.retransmitted += counts.retransmitted;
        self.negative_times += counts.negative_times;
        self.shed += counts.shed;
    }
}

impl TransactionRecord {
    /// Counts a transaction, and returns whether it was slow.
    pub(super) fn add(&mut self, transaction: &Transaction<'_>) -> bool {
        self.side_mut(transaction.client).add(transaction)
    }

    /// The transactions of one direction.
    #[inline]
    pub(super) fn side_mut(&mut self, client: ClientSide) -> &mut TransactionDirectionRecord {
        match client {
            ClientSide::Remote => &mut self.inbound,
            ClientSide::Host => &mut self.outbound,
            ClientSide::Unknown => &mut self.unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remember::Remember;

    fn answered(client: ClientSide, duration_ns: Option<u64>) -> Transaction<'static> {
        Transaction { client, query_bytes: 30, response_bytes: 60, duration_ns, question: None }
    }

    #[test]
    fn transactions_count_by_the_side_of_the_client() {
        let mut metrics = TransactionRecord::begin();
        for client in [ClientSide::Remote, ClientSide::Remote, ClientSide::Host, ClientSide::Unknown] {
            metrics.add(&answered(client, Some(5_000)));
        }
        let totals = [&metrics.inbound, &metrics.outbound, &metrics.unknown].map(|side| side.total);
        assert_eq!(totals, [2, 1, 1]);
        assert!(metrics.unknown.quantiles_us.values().report().is_some());
    }

    #[test]
    fn a_response_older_than_its_query_is_counted_but_has_no_time() {
        let mut metrics = TransactionRecord::begin();
        metrics.add(&answered(ClientSide::Host, None));
        assert_eq!(metrics.outbound.total, 1);
        assert!(metrics.outbound.quantiles_us.values().report().is_none());
    }
}
