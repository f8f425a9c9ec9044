//! Which addresses of a capture file are likely HOST: those that answer most.
//!
//! A capture file does not say where it was made. At a DNS server most messages come from or go to
//! its own addresses, so they answer most. Other servers that it asks in turn answer, too, perhaps
//! nearly as often, but they answer an address that answers more. Such peers are not HOST.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use pktvisor_common::classify::{Class, DnsPorts, flags};

/// Addresses that are counted.
const ADDRESSES_MAX: usize = 4096;

/// Pairs of an address that answers and one that it answers.
const PAIRS_MAX: usize = 65_536;

/// Addresses that are HOST at most.
const HOST_MAX: usize = 8;

/// An address that answers less than the first one divided by this is not HOST.
const SHARE_MIN: u64 = 10;

/// All answers are counted up to this number, then one of [`SAMPLED`].
const COUNTED: u64 = 4096;

/// One of so many answers is counted after the first ones, because they hardly change the result.
const SAMPLED: u64 = 64;

/// How often each address answers.
#[derive(Clone, Debug, Default)]
pub struct AnswerCounts {
    answers: HashMap<IpAddr, u64>,
    /// Who answers whom.
    pairs: HashSet<(IpAddr, IpAddr)>,
    seen: u64,
}

impl AnswerCounts {
    /// Counts a packet if it carries an answer and is one of the sample.
    #[inline]
    pub fn sample(&mut self, class: &Class, dns_ports: &DnsPorts) {
        if !is_answer(class, dns_ports) {
            return;
        }
        self.seen += 1;
        if self.seen <= COUNTED || self.seen.is_multiple_of(SAMPLED) {
            self.count(class);
        }
    }

    /// Counts a packet if it carries an answer.
    pub(crate) fn add(&mut self, class: &Class, dns_ports: &DnsPorts) {
        if is_answer(class, dns_ports) {
            self.count(class);
        }
    }

    #[cold]
    fn count(&mut self, class: &Class) {
        let (Some(server), Some(client)) = (class.source(), class.destination()) else { return };
        let (server, client) = (IpAddr::from(server), IpAddr::from(client));
        let has_room = self.answers.len() < ADDRESSES_MAX;
        match self.answers.entry(server) {
            Entry::Occupied(mut count) => *count.get_mut() += 1,
            Entry::Vacant(count) if has_room => drop(count.insert(1)),
            Entry::Vacant(_) => return,
        }
        if self.pairs.len() < PAIRS_MAX {
            self.pairs.insert((server, client));
        }
    }

    /// The addresses that are likely HOST, the one that answers most first; none if nothing answers.
    pub fn likely_host(&self) -> Vec<IpAddr> {
        let mut servers: Vec<_> =
            self.answers.iter().map(|(address, count)| (Reverse(*count), *address)).collect();
        servers.sort_unstable();
        let most = servers.first().map_or(0, |(Reverse(count), _)| *count);
        let mut host: Vec<IpAddr> = Vec::new();
        for (Reverse(count), address) in servers {
            let is_peer = |other: &IpAddr| {
                self.pairs.contains(&(address, *other)) || self.pairs.contains(&(*other, address))
            };
            if host.len() < HOST_MAX && count * SHARE_MIN >= most && !host.iter().any(is_peer) {
                host.push(address);
            }
        }
        host
    }
}

/// Whether a packet comes from a server: over UDP by the header of its message.
fn is_answer(class: &Class, dns_ports: &DnsPorts) -> bool {
    // QR, RFC 1035 section 4.1.1.
    const RESPONSE: u16 = 0x8000;
    match class.flags & (flags::DNS_UDP | flags::DNS_TCP) {
        0 => false,
        flags::DNS_UDP => class.dns_flags & RESPONSE != 0,
        _ => dns_ports.contains(class.source_port) && !dns_ports.contains(class.destination_port),
    }
}

/// Addresses as `-H` takes them.
pub(crate) fn host_list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pktvisor_common::address::IpVersion;

    fn answers(counts: &mut AnswerCounts, server: u8, client: u8, count: u64) {
        let mut class = Class {
            ip_version: Some(IpVersion::V4),
            flags: flags::DNS_UDP,
            dns_flags: 0x8000,
            ..Class::default()
        };
        (class.source[3], class.destination[3]) = (server, client);
        (0..count).for_each(|_| counts.sample(&class, &DnsPorts::default()));
    }

    fn likely(counts: &AnswerCounts) -> String {
        host_list(&counts.likely_host())
    }

    #[test]
    fn the_address_that_answers_most_is_likely_host() {
        let mut counts = AnswerCounts::default();
        assert_eq!(likely(&counts), "");
        answers(&mut counts, 1, 9, 30);
        answers(&mut counts, 2, 9, 2);
        assert_eq!(likely(&counts), "0.0.0.1");
    }

    #[test]
    fn a_second_address_of_a_server_is_host_and_its_upstream_is_not() {
        let mut counts = AnswerCounts::default();
        (100..110).for_each(|client| answers(&mut counts, 53, client, 10));
        (100..110).for_each(|client| answers(&mut counts, 54, client, 5));
        answers(&mut counts, 8, 53, 90);
        answers(&mut counts, 9, 54, 40);
        assert_eq!(likely(&counts), "0.0.0.53,0.0.0.54");
    }

    #[test]
    fn memory_is_bounded_and_later_answers_are_sampled() {
        let mut counts = AnswerCounts::default();
        for n in 0..300_000_u32 {
            let mut class = Class {
                ip_version: Some(IpVersion::V4),
                flags: flags::DNS_UDP,
                dns_flags: 0x8000,
                ..Class::default()
            };
            class.source[..4].copy_from_slice(&n.to_be_bytes());
            class.destination[..4].copy_from_slice(&[255; 4]);
            counts.count(&class);
        }
        assert_eq!((counts.answers.len(), counts.pairs.len()), (ADDRESSES_MAX, ADDRESSES_MAX));
        assert_eq!(counts.likely_host().len(), HOST_MAX);
        let mut counts = AnswerCounts::default();
        answers(&mut counts, 1, 2, COUNTED + 10 * SAMPLED);
        assert_eq!(counts.answers.values().sum::<u64>(), COUNTED + 10);
    }

    #[test]
    fn a_query_is_no_answer() {
        let class = Class { flags: flags::DNS_UDP, ..Class::default() };
        assert!(!is_answer(&class, &DnsPorts::default()));
        let tcp =
            Class { flags: flags::DNS_TCP, source_port: 53, destination_port: 4000, ..Class::default() };
        assert!(is_answer(&tcp, &DnsPorts::default()));
        let to_server = Class { source_port: 4000, destination_port: 53, ..tcp };
        assert!(!is_answer(&to_server, &DnsPorts::default()));
    }
}
