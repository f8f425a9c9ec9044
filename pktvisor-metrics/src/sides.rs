//! DNS by direction: HOST is asked, or HOST asks.
//!
//! Every message touches one entry of the [`PartyTable`] table, by the address at the other end: one
//! cache line, which has its counts in all common lists. The tables of rare outcomes are touched by
//! these only.

mod remember;

use std::ops::{Deref, DerefMut};

use pktvisor_analysis::message::Message;
use pktvisor_analysis::{Flow, Transaction, Transport};
use pktvisor_api as api;
use pktvisor_common::address::{Address, IpVersion};

use crate::cardinality::Cardinality;
use crate::codes_by_side::MessageCodes;
use crate::context::Context;
use crate::frequent::{Frequent, FrequentItems, Key, Mark};
use crate::keys::Party;
use crate::listed::{ListLength, Listed, address, frequent, spell};
use crate::places::PlacePart;
use crate::record::record;
use crate::response::ResponseKind;
use crate::settings::ClientPrefix;
use crate::sizes::SizeCounts;

macro_rules! side_record {
    ($($all:tt)*) => {
        record! { @with { [{/** The numbers and lists. */} side Own (SideRecord)] } $($all)* }
    };
}

pktvisor_definitions::dns_in!(side_record);
pktvisor_definitions::dns_out!(side_record);

/// Addresses at the other end than HOST, with their counts in all common lists: 16 bits each, so two
/// addresses share a cache line.
///
/// What the table drops has few queries, and so few outcomes: the bounds of all lists are good.
type PartyTable = Frequent<LISTS>;

const LISTS: usize = 7;

/// A list of the table.
#[derive(Clone, Copy)]
enum PartyColumn {
    Queries,
    ResponseBytes,
    Slow,
    NxDomain,
    ServFail,
    Refused,
    Tcp,
}

/// Weights of which all are 0 but these.
macro_rules! weights {
    ($($list:ident: $weight:expr),*) => {{
        let mut weights = [0; LISTS];
        $(weights[PartyColumn::$list as usize] = $weight;)*
        weights
    }};
}

/// One direction. A party is the address at the other end than HOST.
#[derive(Clone, Debug)]
pub(super) struct SideRecord {
    pub(super) codes: MessageCodes,
    tcp_queries: u64,
    ipv6_queries: u64,
    query_bytes: u64,
    response_bytes: u64,
    nodata: u64,
    referrals: u64,
    malformed: u64,
    timed_out: u64,
    orphans: u64,
    query_sizes: SizeCounts,
    response_sizes: SizeCounts,
    size_ratios: SizeCounts,
    distinct: Cardinality,
    parties: PartyTable,
    by_malformed: FrequentItems,
    by_timed_out: FrequentItems,
    by_truncated: FrequentItems,
    by_amplified_bytes: FrequentItems,
    by_prefix: FrequentItems,
}

/// A response at least this many times as long as its query is amplified.
const AMPLIFIED: u32 = 10;

impl SideRecord {
    /// Prefetches the memory where a message of this party will be counted.
    #[inline]
    pub(super) fn prefetch(&self, party: Key<'_>) {
        self.parties.prefetch(party);
    }

    /// Counts a query or a reply, of which `kind` is known.
    #[inline]
    pub(super) fn message(
        &mut self,
        flow: &Flow,
        message: &Message<'_>,
        kind: ResponseKind,
        party: &Party<'_>,
    ) {
        self.codes.message(message);
        let bytes = message.len_bytes();
        if message.is_response() {
            self.response(message, bytes, kind, party);
        } else {
            self.query(flow, bytes, party);
        }
        if message.malformed {
            self.count_malformed(message, party);
        }
    }

    #[inline]
    fn query(&mut self, flow: &Flow, bytes: usize, party: &Party<'_>) {
        self.query_bytes += bytes as u64;
        self.query_sizes.record(bytes as u32);
        self.ipv6_queries += u64::from(party.address.version() == IpVersion::V6);
        let tcp = u64::from(flow.transport == Transport::Tcp);
        self.tcp_queries += tcp;
        // A listed address with the mark has been counted.
        if !self.parties.add_weights_and_mark(party.key, weights!(Queries: 1, Tcp: tcp), Mark::First) {
            self.distinct.add_address(party.address);
        }
    }

    #[inline]
    fn response(&mut self, message: &Message<'_>, bytes: usize, kind: ResponseKind, party: &Party<'_>) {
        self.response_bytes += bytes as u64;
        self.response_sizes.record(bytes as u32);
        self.nodata += u64::from(kind == ResponseKind::NoData);
        self.referrals += u64::from(kind == ResponseKind::Referral);
        let weights = weights!(
            ResponseBytes: bytes as u64,
            NxDomain: u64::from(kind == ResponseKind::NxDomain),
            ServFail: u64::from(kind == ResponseKind::ServFail),
            Refused: u64::from(kind == ResponseKind::Refused)
        );
        self.parties.add_weights(party.key, weights);
        if message.header().tc() {
            self.by_truncated.add(party.key, 1);
        }
    }

    #[cold]
    fn count_malformed(&mut self, message: &Message<'_>, party: &Party<'_>) {
        self.malformed += 1;
        if party.is_sender(message) {
            self.by_malformed.add(party.key, 1);
        }
    }

    /// Counts the network of a client that sent a query.
    pub(super) fn count_prefix(&mut self, client: Address<'_>, prefix: ClientPrefix) {
        let network = prefix.network(client);
        self.by_prefix.add(Key::new(client.version().number(), network.as_key()), 1);
    }

    /// Counts the sizes of a transaction, and whether it was slow.
    #[inline]
    pub(super) fn transaction(&mut self, transaction: &Transaction<'_>, is_slow: bool, party: &Party<'_>) {
        let &Transaction { query_bytes, response_bytes, .. } = transaction;
        if let Some(ratio) = response_bytes.saturating_mul(100).checked_div(query_bytes) {
            self.size_ratios.record(ratio);
            if ratio >= AMPLIFIED * 100 {
                self.by_amplified_bytes.add(party.key, u64::from(response_bytes));
            }
        }
        if is_slow {
            self.parties.add_weights(party.key, weights!(Slow: 1));
        }
    }

    pub(super) fn count_orphan(&mut self) {
        self.orphans += 1;
    }

    pub(super) fn count_timed_out(&mut self, party: Key<'_>) {
        self.timed_out += 1;
        self.by_timed_out.add(party, 1);
    }
}

macro_rules! deref_to_side {
    ($($record:ident)*) => { $(
        impl Deref for $record {
            type Target = SideRecord;

            fn deref(&self) -> &SideRecord {
                &self.side
            }
        }

        impl DerefMut for $record {
            fn deref_mut(&mut self) -> &mut SideRecord {
                &mut self.side
            }
        }
    )* };
}

deref_to_side!(DnsInRecord DnsOutRecord);

/// The rows that both directions share.
macro_rules! rows {
    ($($row:ident = $of:expr;)*) => { $(
        pub(super) fn $row(&self, _context: &Context<'_>) -> u64 {
            let of: fn(&Self) -> u64 = $of;
            of(self)
        }
    )* };
}

/// The rows that are lists of addresses, under the names of either direction.
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

    lists! {
        top_clients top_servers = |side, length| side.party_list(PartyColumn::Queries, length);
        top_clients_response_bytes top_servers_response_bytes = |side, length| side.party_list(PartyColumn::ResponseBytes, length);
        top_clients_slow top_servers_slow = |side, length| side.party_list(PartyColumn::Slow, length);
        top_clients_nxdomain top_servers_nxdomain = |side, length| side.party_list(PartyColumn::NxDomain, length);
        top_clients_srvfail top_servers_srvfail = |side, length| side.party_list(PartyColumn::ServFail, length);
        top_clients_refused top_servers_refused = |side, length| side.party_list(PartyColumn::Refused, length);
        top_clients_tcp top_servers_tcp = |side, length| side.party_list(PartyColumn::Tcp, length);
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

    fn party_list(&self, list: PartyColumn, length: ListLength) -> Vec<api::TopEntry> {
        frequent(&self.parties, list as usize, length, spell::Address)
    }

    /// Queries by the place of the party.
    fn located(&self, part: PlacePart, context: &Context<'_>) -> Vec<api::TopEntry> {
        let parties =
            self.parties.items_of(PartyColumn::Queries as usize).map(|item| (address(item.key), item.lower));
        context.located(part, parties, self.codes.queries())
    }
}
