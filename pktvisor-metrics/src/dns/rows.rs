//! The rows of DNS that a report computes.

use super::{ANSWER_BYTES, DnsRecord, MESSAGES, MessageRecord, NOERROR};
use crate::codes::CodeCounts;
use crate::codes_by_side::MessageCodes;
use crate::context::Context;
use crate::listed::{List, ListQuery, Listed, address_of_prefix, frequent, spell};
use crate::places::PlacePart;

/// The rows that are computed.
impl DnsRecord {
    pub(super) fn top_rcode(&self, context: &Context<'_>) -> List {
        context.analysed(self.of_all_sides(|codes| &codes.rcodes).listed(context.lists, spell::Rcode))
    }

    pub(super) fn top_qtype(&self, context: &Context<'_>) -> List {
        context.analysed(self.of_all_sides(|codes| &codes.qtypes).listed(context.lists, spell::Qtype))
    }

    fn of_all_sides(&self, codes: fn(&MessageCodes) -> &CodeCounts) -> CodeCounts {
        let mut sum = codes(&self.inbound.codes).clone();
        sum.merge(codes(&self.outbound.codes));
        sum.merge(codes(&self.elsewhere));
        sum
    }

    pub(super) fn top_qname2(&self, context: &Context<'_>) -> List {
        context.analysed(frequent(&self.qname2, MESSAGES, context.lists, spell::Name))
    }

    pub(super) fn top_qname3(&self, context: &Context<'_>) -> List {
        context.analysed(frequent(&self.qname3, MESSAGES, context.lists, spell::Name))
    }

    pub(super) fn top_noerror(&self, context: &Context<'_>) -> List {
        context.analysed(self.answers(NOERROR, context.lists))
    }

    pub(super) fn top_qname_by_response_bytes(&self, context: &Context<'_>) -> List {
        context.analysed(self.answers(ANSWER_BYTES, context.lists))
    }

    /// A list of answers, from both tables, which have no item in common.
    fn answers(&self, list: usize, query: ListQuery) -> List {
        let of_table = |names| frequent(names, list, query, spell::Name);
        List::joined([&self.qname2, &self.qname3].map(of_table), query.length)
    }

    pub(super) fn top_ecs_countries(&self, context: &Context<'_>) -> List {
        self.located_subnets(PlacePart::Country, context)
    }

    pub(super) fn top_ecs_asns(&self, context: &Context<'_>) -> List {
        self.located_subnets(PlacePart::Network, context)
    }

    fn located_subnets(&self, part: PlacePart, context: &Context<'_>) -> List {
        let subnets = self.top_ecs_subnets.items().map(|item| (address_of_prefix(item.key), item.lower));
        context.located(part, subnets, self.edns.client_subnet)
    }
}

/// The rows that are computed from others. Rcodes: RFC 1035 section 4.1.1.
impl MessageRecord {
    pub(super) fn total(context: &Context<'_>) -> u64 {
        context.counters.dns.total()
    }

    pub(super) fn noerror(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[0]
    }

    pub(super) fn srvfail(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[2]
    }

    pub(super) fn nxdomain(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[3]
    }

    pub(super) fn refused(context: &Context<'_>) -> u64 {
        context.counters.dns.rcodes[5]
    }
}
