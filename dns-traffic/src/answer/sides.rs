//! The answer by direction: the host is asked, or the host asks. And the names, zones and subnets of
//! outcomes.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use serde::Serialize;

use super::super::addresses::is_host;
use super::super::facts::{IpFacts, MessageFacts, MessageTransport};
use super::super::message::{opcode, rcode};
use super::super::names::{NameKey, Names};
use super::lists::{
    Counts, add_counts, last_labels, opcode_name, present, qtype_name, rcode_name, suffix, write_wire,
};
use super::{DnsAnswer, ExactQuantiles};

/// DNS of one direction. A party is the address at the other end than the host.
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
    /// Parties by queries. The others are by the outcome that they are named for.
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

/// Of one period, by keys: one direction.
#[derive(Clone, Debug, Default)]
struct SideSums {
    numbers: SideAnswer,
    query_sizes: Vec<u64>,
    response_sizes: Vec<u64>,
    ratios: Vec<u64>,
    opcodes: HashMap<u16, u64>,
    rcodes: HashMap<u16, u64>,
    qtypes: HashMap<u16, u64>,
    /// In the order of [`PARTY_LISTS`].
    parties: [HashMap<IpAddr, u64>; PARTY_LISTS],
}

const PARTY_LISTS: usize = 10;

#[derive(Clone, Copy)]
enum PartyList {
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

const NAME_LISTS: usize = 7;

#[derive(Clone, Copy)]
enum NameList {
    NoError,
    NoData,
    Bytes,
    TimedOut,
    // Written as zones.
    NxDomain,
    ServFail,
    ZoneTimedOut,
}

/// Of one period, by keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    sides: [SideSums; 2],
    /// In the order of [`NameList`].
    names: [HashMap<NameKey, u64>; NAME_LISTS],
    subnets: HashMap<[u8; 3], u64>,
}

/// The direction of an exchange, and the party; none if neither end is the host.
fn party(client: IpAddr, server: IpAddr) -> Option<(usize, IpAddr)> {
    match (is_host(server), is_host(client)) {
        (true, _) => Some((0, client)),
        (false, true) => Some((1, server)),
        (false, false) => None,
    }
}

fn party_of(ip: &IpFacts, message: &MessageFacts) -> Option<(usize, IpAddr)> {
    let (client, server) = if message.response { (ip.dst, ip.src) } else { (ip.src, ip.dst) };
    party(client, server)
}

impl Sides {
    pub(super) fn count_message(&mut self, ip: &IpFacts, message: &MessageFacts) {
        if message.response {
            self.count_names(message);
        } else if let Some(subnet) = message.edns.and_then(|edns| edns.client_subnet) {
            *self.subnets.entry(subnet).or_default() += 1;
        }
        if let Some((side, party)) = party_of(ip, message) {
            let side_sums = &mut self.sides[side];
            side_sums.count(ip, message, party);
            // The party of the first direction sends queries, that of the second one responses.
            if message.malformed && message.response == (side == 1) {
                side_sums.add(PartyList::Malformed, party, 1);
            }
        }
    }

    fn count_names(&mut self, message: &MessageFacts) {
        let Some((key, _)) = message.question else { return };
        let mut add = |list: NameList, count: u64| {
            if count > 0 {
                *self.names[list as usize].entry(key).or_default() += count;
            }
        };
        add(NameList::NoError, u64::from(message.rcode == rcode::NOERROR));
        add(NameList::NoData, u64::from(is_nodata(message)));
        add(NameList::Bytes, message.bytes);
        add(NameList::NxDomain, u64::from(message.rcode == rcode::NXDOMAIN));
        add(NameList::ServFail, u64::from(message.rcode == rcode::SERVFAIL));
    }

    pub(super) fn count_orphan(&mut self, ip: &IpFacts, message: &MessageFacts) {
        if let Some((side, _)) = party_of(ip, message) {
            self.sides[side].numbers.orphans += 1;
        }
    }

    pub(super) fn count_transaction(&mut self, ip: &IpFacts, message: &MessageFacts, query_bytes: u64) {
        let Some((side, party)) = party_of(ip, message) else { return };
        let ratio = message.bytes * 100 / query_bytes;
        self.sides[side].ratios.push(ratio);
        if ratio >= 1000 {
            self.sides[side].add(PartyList::Amplified, party, message.bytes);
        }
    }

    pub(super) fn count_timed_out(&mut self, client: IpAddr, server: IpAddr, name: Option<NameKey>) {
        if let Some((side, party)) = party(client, server) {
            self.sides[side].numbers.timed_out += 1;
            self.sides[side].add(PartyList::TimedOut, party, 1);
        }
        for list in [NameList::TimedOut, NameList::ZoneTimedOut] {
            name.iter().for_each(|name| *self.names[list as usize].entry(*name).or_default() += 1);
        }
    }

    pub(super) fn merge(&mut self, next: &Self) {
        for (to, from) in self.sides.iter_mut().zip(&next.sides) {
            to.merge(from);
        }
        for (to, from) in self.names.iter_mut().zip(&next.names) {
            add_counts(to, from);
        }
        add_counts(&mut self.subnets, &next.subnets);
    }

    /// Writes out the lists.
    pub(super) fn finish(self, names: &Names, dns: &mut DnsAnswer) {
        let mut wire = Vec::new();
        let mut list = |list: NameList, spell: &dyn Fn(&[u8]) -> String| {
            let mut counts = Counts::default();
            for (key, count) in &self.names[list as usize] {
                write_wire(names, *key, &mut wire);
                counts.add(spell(&wire), *count);
            }
            counts
        };
        let zone = |wire: &[u8]| {
            let zone = suffix(wire, 2, 0).unwrap_or_default();
            if zone.len() > 1 { zone.trim_start_matches('.').to_owned() } else { zone }
        };
        let three_labels = |wire: &[u8]| suffix(wire, 3, 0).unwrap_or_default();
        dns.top_noerror = list(NameList::NoError, &three_labels);
        dns.top_nodata = list(NameList::NoData, &present);
        dns.top_qname_by_response_bytes = list(NameList::Bytes, &three_labels);
        dns.top_timed_out = list(NameList::TimedOut, &|wire| last_labels(wire, 94));
        dns.top_zones_nxdomain = list(NameList::NxDomain, &zone);
        dns.top_zones_srvfail = list(NameList::ServFail, &zone);
        dns.top_zones_timed_out = list(NameList::ZoneTimedOut, &zone);
        for ([a, b, c], count) in &self.subnets {
            dns.top_ecs_subnets.add(format!("{a}.{b}.{c}.0/24"), *count);
        }
        [dns.inbound, dns.outbound] = self.sides.map(SideSums::finish);
    }
}

fn is_nodata(message: &MessageFacts) -> bool {
    message.rcode == rcode::NOERROR
        && message.answers == 0
        && message.opcode == opcode::QUERY
        && !message.truncated
        && !message.malformed
}

impl SideSums {
    fn add(&mut self, list: PartyList, party: IpAddr, count: u64) {
        *self.parties[list as usize].entry(party).or_default() += count;
    }

    fn count(&mut self, ip: &IpFacts, message: &MessageFacts, party: IpAddr) {
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

    fn merge(&mut self, next: &Self) {
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

    fn finish(self) -> SideAnswer {
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

fn quantiles(mut values: Vec<u64>) -> Option<ExactQuantiles> {
    values.sort_unstable();
    ExactQuantiles::of(&values)
}

fn written<K: Eq + Hash>(counts: &HashMap<K, u64>, spell: impl Fn(&K) -> String) -> Counts {
    let mut list = Counts::default();
    counts.iter().for_each(|(key, count)| list.add(spell(key), *count));
    list
}
