//! What a direction reports: its rows and lists, under the names of either direction.

use std::cell::OnceCell;

use pktvisor_api as api;

use super::{PartyColumn, PartyLists, SideRecord};
use crate::context::Context;
use crate::listed::{ListLength, Listed, address, all_lists, spell};
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
        pub(super) fn $clients(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
            context.analysed(self.party_list(&context.clients, PartyColumn::$column, context.list_length))
        }

        pub(super) fn $servers(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
            context.analysed(self.party_list(&context.servers, PartyColumn::$column, context.list_length))
        }
    )* };
}

/// The rows that are other lists, under the names of either direction.
macro_rules! lists {
    ($($clients:ident $($servers:ident)? = $list:expr;)*) => { $(
        pub(super) fn $clients(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
            let list: fn(&Self, ListLength) -> Vec<api::TopEntry> = $list;
            context.analysed(list(self, context.list_length))
        }

        $(pub(super) fn $servers(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
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
        clients = |side| side.distinct.estimate();
        servers = |side| side.distinct.estimate();
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
        top_clients_malformed top_servers_malformed = |side, length| side.by_malformed.listed(length, spell::Address);
        top_clients_timed_out top_servers_timed_out = |side, length| side.by_timed_out.listed(length, spell::Address);
        top_clients_truncated top_servers_truncated = |side, length| side.by_truncated.listed(length, spell::Address);
        top_clients_amplified = |side, length| side.by_amplified_bytes.listed(length, spell::Address);
        top_client_prefixes = |side, length| side.by_prefix.listed(length, spell::Prefix);
        top_opcode = |side, length| side.codes.opcodes().listed(length, spell::Opcode);
        top_rcode = |side, length| side.codes.rcodes.listed(length, spell::Rcode);
        top_qtype = |side, length| side.codes.qtypes.listed(length, spell::Qtype);
        top_qclass = |side, length| side.codes.qclasses().listed(length, spell::Qclass);
    }

    pub(super) fn query_size_bytes(&self, _context: &Context<'_>) -> Option<api::Quantiles> {
        self.query_sizes.report()
    }

    pub(super) fn response_size_bytes(&self, _context: &Context<'_>) -> Option<api::Quantiles> {
        self.response_sizes.report()
    }

    pub(super) fn size_ratio_pct(&self, _context: &Context<'_>) -> Option<api::Quantiles> {
        self.size_ratios.report()
    }

    pub(super) fn top_client_asns(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
        self.located(PlacePart::Network, context)
    }

    pub(super) fn top_server_asns(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
        self.located(PlacePart::Network, context)
    }

    pub(super) fn top_client_countries(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
        self.located(PlacePart::Country, context)
    }

    pub(super) fn top_server_countries(&self, context: &Context<'_>) -> Vec<api::TopEntry> {
        self.located(PlacePart::Country, context)
    }

    /// A list of the table; the first one that is asked for makes them all.
    fn party_list(
        &self,
        lists: &OnceCell<PartyLists>,
        column: PartyColumn,
        length: ListLength,
    ) -> Vec<api::TopEntry> {
        let all = lists.get_or_init(|| all_lists(&self.parties, length, spell::Address));
        all[column as usize].clone()
    }

    /// Queries by the place of the party.
    fn located(&self, part: PlacePart, context: &Context<'_>) -> Vec<api::TopEntry> {
        let parties =
            self.parties.items_of(PartyColumn::Queries as usize).map(|item| (address(item.key), item.lower));
        context.located(part, parties, self.codes.queries())
    }
}
