//! DNS by direction: HOST is asked, or HOST asks.
//!
//! Every message touches one entry of the [`PartyTable`] table, by the address at the other end: one
//! cache line, which has its counts in all common lists. The tables of rare outcomes are touched by
//! these only.

mod remember;
mod rows;

use std::ops::{Deref, DerefMut};

use pktvisor_analysis::message::Message;
use pktvisor_analysis::{Flow, Transaction, Transport};
use pktvisor_common::address::{Address, IpVersion};

use crate::cardinality::Cardinality;
use crate::codes_by_side::MessageCodes;
use crate::distribution::Distribution;
use crate::frequent::{Frequent, FrequentItems, Key, Mark};
use crate::keys::Party;
use crate::record::record;
use crate::response::ResponseKind;
use crate::settings::ClientPrefix;

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
    query_sizes: Distribution,
    response_sizes: Distribution,
    size_ratios: Distribution,
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
        self.query_sizes.record(bytes as u64);
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
        self.response_sizes.record(bytes as u64);
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
            self.size_ratios.record(u64::from(ratio));
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
