//! The rows of DNS that a report computes.

use super::{ANSWER_BYTES, DnsFlagsRecord, DnsRecord, EdnsRecord, MESSAGES, MessageRecord, NOERROR};
use crate::codes::CodeCounts;
use crate::codes_by_side::{CodeSums, MessageCodes};
use crate::context::Context;
use crate::listed::{ListQuery, Listed, ReportedList, address_of_prefix, frequent, spell};
use crate::places::PlacePart;

/// The rows that are computed.
impl DnsRecord {
    pub(super) fn top_rcode(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(self.of_all_sides(|codes| &codes.rcodes).listed(context.lists, spell::Rcode))
    }

    pub(super) fn top_qtype(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(self.of_all_sides(|codes| &codes.qtypes).listed(context.lists, spell::Qtype))
    }

    /// A count of the messages of all directions.
    pub(crate) fn codes_of_all(&self, count: fn(&MessageCodes) -> u64) -> u64 {
        count(&self.inbound.codes) + count(&self.outbound.codes) + count(&self.elsewhere)
    }

    /// The messages of all directions by header and option.
    pub(crate) fn code_sums(&self) -> CodeSums {
        CodeSums::of([&self.inbound.codes, &self.outbound.codes, &self.elsewhere])
    }

    fn of_all_sides(&self, codes: fn(&MessageCodes) -> &CodeCounts) -> CodeCounts {
        let mut sum = codes(&self.inbound.codes).clone();
        sum.merge(codes(&self.outbound.codes));
        sum.merge(codes(&self.elsewhere));
        sum
    }

    pub(super) fn top_qname2(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(frequent(&self.qname2, MESSAGES, context.lists, spell::Name))
    }

    pub(super) fn top_qname3(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(frequent(&self.qname3, MESSAGES, context.lists, spell::Name))
    }

    pub(super) fn top_noerror(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(self.answers(NOERROR, context.lists))
    }

    pub(super) fn top_qname_by_response_bytes(&self, context: &Context<'_>) -> ReportedList {
        context.analysed(self.answers(ANSWER_BYTES, context.lists))
    }

    /// A list of answers, from both tables, which have no item in common.
    fn answers(&self, list: usize, query: ListQuery) -> ReportedList {
        let of_table = |names| frequent(names, list, query, spell::Name);
        ReportedList::joined([&self.qname2, &self.qname3].map(of_table), query.length)
    }

    pub(super) fn top_ecs_countries(&self, context: &Context<'_>) -> ReportedList {
        self.located_subnets(PlacePart::Country, context)
    }

    pub(super) fn top_ecs_asns(&self, context: &Context<'_>) -> ReportedList {
        self.located_subnets(PlacePart::Network, context)
    }

    fn located_subnets(&self, part: PlacePart, context: &Context<'_>) -> ReportedList {
        let subnets = self.top_ecs_subnets.items().map(|item| (address_of_prefix(item.key), item.lower));
        context.located(part, subnets, self.codes_of_all(MessageCodes::ecs_queries))
    }
}

/// Rows that are sums of the messages by header or option.
macro_rules! sums_of_codes {
    ($record:ident: $($row:ident = $sum:ident;)*) => {
        impl $record { $(
            pub(super) fn $row(context: &Context<'_>) -> u64 {
                context.codes.$sum
            }
        )* }
    };
}

sums_of_codes! { DnsFlagsRecord:
    aa = aa_replies;
    ad = ad_replies;
    tc = tc_replies;
}

sums_of_codes! { EdnsRecord:
    queries = edns_queries;
    replies = edns_replies;
    dnssec_ok = do_queries;
    client_subnet = ecs_queries;
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
