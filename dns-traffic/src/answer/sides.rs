//! The answer for both directions: the side of each message and transaction.

use std::net::IpAddr;

use super::super::addresses::is_host;
use super::super::facts::{IpFacts, MessageFacts};
use super::DnsAnswer;
use super::side::{PartyList, SideSums};

/// DNS of one period: where the host is asked, and where it asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides([SideSums; 2]);

/// The direction of an exchange, and the party; `None` if neither end is the host.
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
        if let Some((side, party)) = party_of(ip, message) {
            let side_sums = &mut self.0[side];
            side_sums.count(ip, message, party);
            // The party of the first direction sends queries, that of the second one responses.
            if message.malformed && message.response == (side == 1) {
                side_sums.add(PartyList::Malformed, party, 1);
            }
        }
    }

    pub(super) fn count_orphan(&mut self, ip: &IpFacts, message: &MessageFacts) {
        if let Some((side, _)) = party_of(ip, message) {
            self.0[side].numbers.orphans += 1;
        }
    }

    pub(super) fn count_transaction(&mut self, ip: &IpFacts, message: &MessageFacts, query_bytes: u64) {
        let Some((side, party)) = party_of(ip, message) else { return };
        let ratio = message.bytes * 100 / query_bytes;
        self.0[side].ratios.push(ratio);
        if ratio >= 1000 {
            self.0[side].add(PartyList::Amplified, party, message.bytes);
        }
    }

    pub(super) fn count_timed_out(&mut self, client: IpAddr, server: IpAddr) {
        if let Some((side, party)) = party(client, server) {
            self.0[side].numbers.timed_out += 1;
            self.0[side].add(PartyList::TimedOut, party, 1);
        }
    }

    pub(super) fn merge(&mut self, next: &Self) {
        for (to, from) in self.0.iter_mut().zip(&next.0) {
            to.merge(from);
        }
    }

    /// Writes out the lists.
    pub(super) fn finish(self, dns: &mut DnsAnswer) {
        [dns.inbound, dns.outbound] = self.0.map(SideSums::finish);
    }
}
