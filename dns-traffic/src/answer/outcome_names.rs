//! The names and zones of responses and time-outs by outcome, and the client subnets of queries.

use std::collections::HashMap;

use super::super::facts::MessageFacts;
use super::super::message::rcode;
use super::super::names::{NameKey, Names};
use super::DnsAnswer;
use super::lists::{Counts, add_counts, last_labels, present, suffix, write_wire};
use super::side::is_nodata;

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

/// Counts of one period, by name and by subnet.
#[derive(Clone, Debug, Default)]
pub(super) struct OutcomeNames {
    /// In the order of [`NameList`].
    names: [HashMap<NameKey, u64>; NAME_LISTS],
    subnets: HashMap<[u8; 3], u64>,
}

impl OutcomeNames {
    pub(super) fn count_message(&mut self, message: &MessageFacts) {
        if message.response {
            self.count_response(message);
        } else if let Some(subnet) = message.edns.and_then(|edns| edns.client_subnet) {
            *self.subnets.entry(subnet).or_default() += 1;
        }
    }

    fn count_response(&mut self, message: &MessageFacts) {
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

    pub(super) fn count_timed_out(&mut self, name: Option<NameKey>) {
        for list in [NameList::TimedOut, NameList::ZoneTimedOut] {
            name.iter().for_each(|name| *self.names[list as usize].entry(*name).or_default() += 1);
        }
    }

    pub(super) fn merge(&mut self, next: &Self) {
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
    }
}
