//! The answer for one direction: the host is asked, or the host asks.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use serde::Serialize;

use super::super::facts::{IpFacts, MessageFacts, MessageTransport};
use super::super::message::{opcode, rcode};
use super::ExactQuantiles;
use super::lists::{Counts, add_counts, opcode_name, qtype_name, rcode_name};

/// DNS of one direction. A party is the address of the end that is not the host.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct SideAnswer {
    pub queries: u64,
    pub replies: u64,
    pub tcp_queries: u64,
    pub ipv6_queries: u64,
    pub query_bytes: u64,
    pub response_bytes: u64,
    pub noerror: u64,
    pub nxdomain: u64,
    pub srvfail: u64,
    pub refused: u64,
    pub nodata: u64,
    pub malformed: u64,
    pub timed_out: u64,
    pub orphans: u64,
    pub rd_queries: u64,
    pub do_queries: u64,
    pub ecs_queries: u64,
    pub cookie_queries: u64,
    pub aa_replies: u64,
    pub tc_replies: u64,
    pub ra_replies: u64,
    /// Distinct addresses that sent queries, or were sent some.
    pub parties: u64,
    pub query_size_bytes: Option<ExactQuantiles>,
    pub response_size_bytes: Option<ExactQuantiles>,
    pub size_ratio_pct: Option<ExactQuantiles>,
    pub top_opcode: Counts,
    pub top_rcode: Counts,
    pub top_qtype: Counts,
    /// Parties by queries. The other lists are by the outcome in their names.
    pub top: Counts,
    pub top_nxdomain: Counts,
    pub top_srvfail: Counts,
    pub top_refused: Counts,
    pub top_malformed: Counts,
    pub top_timed_out: Counts,
    pub top_truncated: Counts,
    pub top_tcp: Counts,
    pub top_response_bytes: Counts,
    pub top_amplified: Counts,
}

/// DNS of one direction in one period, by keys.
#[derive(Clone, Debug, Default)]
pub(super) struct SideSums {
    pub(super) numbers: SideAnswer,
    query_sizes: Vec<u64>,
    response_sizes: Vec<u64>,
    pub(super) ratios: Vec<u64>,
    opcodes: HashMap<u16, u64>,
    rcodes: HashMap<u16, u64>,
    qtypes: HashMap<u16, u64>,
    /// In the order of [`PartyList`].
    parties: [HashMap<IpAddr, u64>; PARTY_LISTS],
}

const PARTY_LISTS: usize = 10;

/// A list of parties: by queries, or by an outcome.
#[derive(Clone, Copy)]
pub(super) enum PartyList {
    Queries,
    NxDomain,
    ServFail,
    Refused,
    Malformed,
    TimedOut,
    Truncated,
    Tcp,
    ResponseBytes,
    Amplified,
}

impl SideSums {
    pub(super) fn add(&mut self, list: PartyList, party: IpAddr, count: u64) {
        *self.parties[list as usize].entry(party).or_default() += count;
    }

    pub(super) fn count(&mut self, ip: &IpFacts, message: &MessageFacts, party: IpAddr) {
        *self.opcodes.entry(message.opcode.into()).or_default() += 1;
        if let Some((_, qtype)) = message.question {
            *self.qtypes.entry(qtype).or_default() += 1;
        }
        self.numbers.malformed += u64::from(message.malformed);
        if message.response {
            self.count_response(message, party);
            return;
        }
        let numbers = &mut self.numbers;
        numbers.queries += 1;
        numbers.query_bytes += message.bytes;
        numbers.ipv6_queries += u64::from(ip.src.is_ipv6());
        numbers.rd_queries += u64::from(message.recursion);
        if let Some(edns) = message.edns {
            numbers.do_queries += u64::from(edns.dnssec_ok);
            numbers.ecs_queries += u64::from(edns.client_subnet.is_some());
            numbers.cookie_queries += u64::from(edns.cookie);
        }
        self.query_sizes.push(message.bytes);
        self.add(PartyList::Queries, party, 1);
        if message.transport == MessageTransport::Tcp {
            self.numbers.tcp_queries += 1;
            self.add(PartyList::Tcp, party, 1);
        }
    }

    fn count_response(&mut self, message: &MessageFacts, party: IpAddr) {
        let numbers = &mut self.numbers;
        numbers.replies += 1;
        numbers.response_bytes += message.bytes;
        numbers.nodata += u64::from(is_nodata(message));
        numbers.aa_replies += u64::from(message.authoritative);
        numbers.tc_replies += u64::from(message.truncated);
        numbers.ra_replies += u64::from(message.recursion);
        match message.rcode & 15 {
            rcode::NOERROR => numbers.noerror += 1,
            rcode::NXDOMAIN => numbers.nxdomain += 1,
            rcode::SERVFAIL => numbers.srvfail += 1,
            rcode::REFUSED => numbers.refused += 1,
            _ => {}
        }
        *self.rcodes.entry(message.rcode).or_default() += 1;
        self.response_sizes.push(message.bytes);
        self.add(PartyList::ResponseBytes, party, message.bytes);
        match message.rcode {
            rcode::NXDOMAIN => self.add(PartyList::NxDomain, party, 1),
            rcode::SERVFAIL => self.add(PartyList::ServFail, party, 1),
            rcode::REFUSED => self.add(PartyList::Refused, party, 1),
            _ => {}
        }
        if message.truncated {
            self.add(PartyList::Truncated, party, 1);
        }
    }

    pub(super) fn merge(&mut self, next: &Self) {
        macro_rules! add {
            ($($field:ident)*) => { $(self.numbers.$field += next.numbers.$field;)* };
        }
        add!(queries replies tcp_queries ipv6_queries query_bytes response_bytes noerror nxdomain srvfail refused
            nodata malformed timed_out orphans rd_queries do_queries ecs_queries cookie_queries aa_replies
            tc_replies ra_replies);
        self.query_sizes.extend_from_slice(&next.query_sizes);
        self.response_sizes.extend_from_slice(&next.response_sizes);
        self.ratios.extend_from_slice(&next.ratios);
        add_counts(&mut self.opcodes, &next.opcodes);
        add_counts(&mut self.rcodes, &next.rcodes);
        add_counts(&mut self.qtypes, &next.qtypes);
        for (to, from) in self.parties.iter_mut().zip(&next.parties) {
            add_counts(to, from);
        }
    }

    /// Writes out the lists.
    pub(super) fn finish(self) -> SideAnswer {
        let [top, nxdomain, srvfail, refused, malformed, timed_out, truncated, tcp, bytes, amplified] =
            self.parties.map(|parties| written(&parties, |address| address.to_string()));
        SideAnswer {
            parties: top.distinct() as u64,
            query_size_bytes: quantiles(self.query_sizes),
            response_size_bytes: quantiles(self.response_sizes),
            size_ratio_pct: quantiles(self.ratios),
            top_opcode: written(&self.opcodes, |opcode| opcode_name(*opcode)),
            top_rcode: written(&self.rcodes, |rcode| rcode_name(*rcode)),
            top_qtype: written(&self.qtypes, |qtype| qtype_name(*qtype)),
            top,
            top_nxdomain: nxdomain,
            top_srvfail: srvfail,
            top_refused: refused,
            top_malformed: malformed,
            top_timed_out: timed_out,
            top_truncated: truncated,
            top_tcp: tcp,
            top_response_bytes: bytes,
            top_amplified: amplified,
            ..self.numbers
        }
    }
}

pub(super) fn is_nodata(message: &MessageFacts) -> bool {
    message.rcode == rcode::NOERROR
        && message.answers == 0
        && message.opcode == opcode::QUERY
        && !message.truncated
        && !message.malformed
}

fn quantiles(mut values: Vec<u64>) -> Option<ExactQuantiles> {
    values.sort_unstable();
    ExactQuantiles::of(&values)
}

fn written<K: Eq + Hash>(counts: &HashMap<K, u64>, spell: impl Fn(&K) -> String) -> Counts {
    let mut list = Counts::default();
    counts.iter().for_each(|(key, count)| list.add(spell(key), *count));
    list
}
