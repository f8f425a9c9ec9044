//! The ledger: where every counted packet went since start.

use pktvisor_api as api;
use pktvisor_common::counters::Counters;

use crate::period::Outcomes;
use crate::period::PeriodRecord;

/// Sums since start, which outlive their periods.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) counters: Counters,
    pub(super) outcomes: Outcomes,
}

impl Totals {
    pub(super) fn add(&mut self, period: &PeriodRecord) {
        self.counters.add(&period.counters);
        self.outcomes.merge(&period.outcomes);
    }

    /// The ledger. It balances: DNS packets that were counted, and neither sampled out nor lost nor
    /// delivered, are on their way.
    pub(super) fn ledger(&self) -> api::Ledger {
        let Self { counters, outcomes } = self;
        let counted = counters.packets.total();
        let not_chosen = counters.packets.dns_not_sampled + outcomes.not_sampled;
        let delivered = outcomes.delivered();
        let settled = not_chosen + delivered + outcomes.lost;
        api::Ledger {
            seen: counted,
            filtered: 0,
            counted,
            dns_packets: counters.packets.dns_packets,
            not_chosen,
            delivered,
            lost: outcomes.lost,
            pending: counters.packets.dns_packets.saturating_sub(settled),
            analysed: outcomes.analysed,
            malformed: outcomes.malformed,
            without_message: outcomes.without_message,
            messages: counters.dns.total(),
        }
    }
}
