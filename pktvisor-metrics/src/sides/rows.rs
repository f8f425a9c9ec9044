//! What a direction reports: its rows and lists, under the names of either direction.

use std::cell::OnceCell;

use super::{PartyColumn, SideRecord};
use crate::cardinality::Cardinality;
use crate::context::Context;
use crate::distribution::Distribution;
use crate::listed::{ListQuery, Listed, ReportedList, address, all_lists, spell};
use crate::places::PlacePart;

/// The rows that both directions share.
macro_rules! rows {
    ($($row:ident = $of:expr;)*) => { $(
        pub(super) fn $row(&self, _context: &Context<'_>) -> u64 {
            let of: fn(&Self) -> u64 = $of;
            of(self)
        }
    )* };
}

/// The rows that are lists of the table of addresses, under the names of either direction.
macro_rules! party_lists {
    ($($clients:ident $servers:ident = $column:ident;)*) => { $(
        pub(super) fn $clients(&self, context: &Context<'_>) -> ReportedList {
            context.analysed(self.party_list(&context.parties.clients, PartyColumn::$column, context.lists))
        }

        pub(super) fn $servers(&self, context: &Context<'_>) -> ReportedList {
            context.analysed(self.party_list(&context.parties.servers, PartyColumn::$column, context.lists))
        }
    )* };
}

/// The rows that are other lists, under the names of either direction.
macro_rules! lists {
    ($($clients:ident $($servers:ident)? = $list:expr;)*) => { $(
        pub(super) fn $clients(&self, context: &Context<'_>) -> ReportedList {
            let list: fn(&Self, ListQuery) -> ReportedList = $list;
            context.analysed(list(self, context.lists))
        }

        $(pub(super) fn $servers(&self, context: &Context<'_>) -> ReportedList {
            self.$clients(context)
        })?
    )* };
}

impl SideRecord {
    rows! {
        queries = |side| side.codes.queries();
        replies = |side| side.codes.replies();
        tcp_queries = |side| side.tcp_queries;
        ipv6_queries = |side| side.ipv6_queries;
        query_bytes = |side| side.query_bytes;
        response_bytes = |side| side.response_bytes;
        noerror = |side| side.codes.replies_of(0);
        srvfail = |side| side.codes.replies_of(2);
        nxdomain = |side| side.codes.replies_of(3);
        refused = |side| side.codes.replies_of(5);
        nodata = |side| side.nodata;
        referrals = |side| side.referrals;
        malformed = |side| side.malformed;
        timed_out = |side| side.timed_out;
        orphans = |side| side.orphans;
        rd_queries = |side| side.codes.rd_queries();
        ad_queries = |side| side.codes.ad_queries();
        cd_queries = |side| side.codes.cd_queries();
        do_queries = |side| side.codes.do_queries();
        ecs_queries = |side| side.codes.ecs_queries();
        cookie_queries = |side| side.codes.cookie_queries();
        cookie_replies = |side| side.codes.cookie_replies();
        aa_replies = |side| side.codes.aa_replies();
        tc_replies = |side| side.codes.tc_replies();
        ra_replies = |side| side.codes.ra_replies();
        ad_replies = |side| side.codes.ad_replies();
    }

    party_lists! {
        top_clients top_servers = Queries;
        top_clients_response_bytes top_servers_response_bytes = ResponseBytes;
        top_clients_slow top_servers_slow = Slow;
        top_clients_nxdomain top_servers_nxdomain = NxDomain;
        top_clients_srvfail top_servers_srvfail = ServFail;
        top_clients_refused top_servers_refused = Refused;
        top_clients_tcp top_servers_tcp = Tcp;
    }

    lists! {
        top_clients_malformed top_servers_malformed = |side, query| side.by_malformed.listed(query, spell::Address);
        top_clients_timed_out top_servers_timed_out = |side, query| side.by_timed_out.listed(query, spell::Address);
        top_clients_truncated top_servers_truncated = |side, query| side.by_truncated.listed(query, spell::Address);
        top_clients_amplified = |side, query| side.by_amplified_bytes.listed(query, spell::Address);
        top_client_prefixes = |side, query| side.prefixes(query);
        top_opcode = |side, query| side.codes.opcodes().listed(query, spell::Opcode);
        top_rcode = |side, query| side.codes.rcodes.listed(query, spell::Rcode);
        top_qtype = |side, query| side.codes.qtypes.listed(query, spell::Qtype);
        top_qclass = |side, query| side.codes.qclasses().listed(query, spell::Qclass);
    }

    pub(super) fn clients(&self) -> &Cardinality {
        &self.distinct
    }

    pub(super) fn servers(&self) -> &Cardinality {
        &self.distinct
    }

    pub(super) fn query_size_bytes(&self) -> &Distribution {
        &self.query_sizes
    }

    pub(super) fn response_size_bytes(&self) -> &Distribution {
        &self.response_sizes
    }

    pub(super) fn size_ratio_pct(&self) -> &Distribution {
        &self.size_ratios
    }

    pub(super) fn top_client_asns(&self, context: &Context<'_>) -> ReportedList {
        self.located(PlacePart::Network, context)
    }

    pub(super) fn top_server_asns(&self, context: &Context<'_>) -> ReportedList {
        self.located(PlacePart::Network, context)
    }

    pub(super) fn top_client_countries(&self, context: &Context<'_>) -> ReportedList {
        self.located(PlacePart::Country, context)
    }

    pub(super) fn top_server_countries(&self, context: &Context<'_>) -> ReportedList {
        self.located(PlacePart::Country, context)
    }

    /// A list of the table; the first one that is asked for makes them all.
    fn party_list(
        &self,
        lists: &OnceCell<Vec<ReportedList>>,
        column: PartyColumn,
        query: ListQuery,
    ) -> ReportedList {
        let all = lists.get_or_init(|| all_lists(&self.parties, query, spell::Address));
        all[column as usize].clone()
    }

    /// Queries by network. Without lengths for the networks the list is empty, which says nothing of the
    /// networks that it leaves out.
    fn prefixes(&self, query: ListQuery) -> ReportedList {
        match self.by_prefix.is_empty() {
            true => ReportedList::of_unknown(self.codes.queries()),
            false => self.by_prefix.listed(query, spell::Prefix),
        }
    }

    /// Queries by the place of the party.
    fn located(&self, part: PlacePart, context: &Context<'_>) -> ReportedList {
        let parties =
            self.parties.items_of(PartyColumn::Queries as usize).map(|item| (address(item.key), item.lower));
        context.located(part, parties, self.codes.queries())
    }
}
