//! Turns the sums into the answer: merges periods into a whole, and writes keys as names.

use std::collections::HashMap;

use super::super::names::Names;
use super::collect::AnswerPeriod;
use super::lists::{Counts, add_counts, present, qtype_name, rcode_name, suffix, write_wire};
use super::{DirectionAnswer, ExactQuantiles, ExactRates, LastSecond, Span, Summary};

macro_rules! add_fields {
    ($to:expr, $from:expr, $($field:ident)*) => { $($to.$field += $from.$field;)* };
}

impl AnswerPeriod {
    /// Adds the period that follows.
    pub(super) fn merge(&mut self, next: &Self) {
        let (to, from) = (&mut self.packets, &next.packets);
        add_fields!(to, from, total udp tcp other_l4 ipv4 ipv6 non_ip received sent unknown bytes_total bytes_in
            bytes_out fragments vlan malformed tunnelled tcp_syn tcp_syn_ack tcp_rst);
        for (to, from) in to.sizes.iter_mut().zip(from.sizes) {
            *to += from;
        }
        to.per_second.extend_from_slice(&from.per_second);
        let (to, from) = (&mut self.dns.wire_packets, &next.dns.wire_packets);
        add_fields!(to, from, total queries replies tcp udp ipv4 ipv6 noerror nxdomain srvfail refused malformed);
        let (to, from) = (&mut self.dns.xact.counts, &next.dns.xact.counts);
        add_fields!(to, from, total timed_out late duplicates orphans retransmitted);
        let (to, from) = (&mut self.dns.flags, &next.dns.flags);
        add_fields!(to, from, aa ad tc);
        let (to, from) = (&mut self.dns.edns, &next.dns.edns);
        add_fields!(to, from, queries replies dnssec_ok client_subnet empty_answers answer_records);

        for (to, from) in self.times_ns.iter_mut().zip(&next.times_ns) {
            to.extend_from_slice(from);
        }
        for (address, [received, sent]) in &next.remotes {
            let to = self.remotes.entry(*address).or_default();
            to[0] += received;
            to[1] += sent;
        }
        add_counts(&mut self.names, &next.names);
        for (to, from) in self.failed.iter_mut().zip(&next.failed) {
            add_counts(to, from);
        }
        add_counts(&mut self.rcodes, &next.rcodes);
        add_counts(&mut self.qtypes, &next.qtypes);
        add_counts(&mut self.udp_ports, &next.udp_ports);
        self.sides.merge(&next.sides);
        self.outcomes.merge(&next.outcomes);
    }

    /// Writes out the lists.
    pub(super) fn into_summary(mut self, names: &Names, span: Span, last: LastSecond) -> Summary {
        let packets = &mut self.packets;
        for (address, [received, sent]) in &self.remotes {
            packets.cardinality.src_ips_in += u64::from(*received > 0);
            packets.cardinality.dst_ips_out += u64::from(*sent > 0);
            let list = if address.is_ipv4() { &mut packets.top_ipv4 } else { &mut packets.top_ipv6 };
            list.add(address.to_string(), received + sent);
        }
        if packets.received + packets.sent > 0 {
            let over = packets.per_second.len() - usize::from(last == LastSecond::Unfinished);
            packets.rates = rates(&packets.per_second[..over]);
        }

        let dns = &mut self.dns;
        dns.qname_cardinality = self.names.len() as u64;
        let mut wire = Vec::new();
        for (key, count) in &self.names {
            write_wire(names, *key, &mut wire);
            if let Some(name) = suffix(&wire, 2, 0) {
                dns.top_qname2.add(name, *count);
            }
            if let Some(name) = suffix(&wire, 3, 3) {
                dns.top_qname3.add(name, *count);
            }
        }
        let lists = [&mut dns.top_nxdomain, &mut dns.top_refused, &mut dns.top_srvfail];
        for (list, counts) in lists.into_iter().zip(&self.failed) {
            for (key, count) in counts {
                write_wire(names, *key, &mut wire);
                list.add(present(&wire), *count);
            }
        }
        list(&mut dns.top_rcode, &self.rcodes, rcode_name);
        list(&mut dns.top_qtype, &self.qtypes, qtype_name);
        list(&mut dns.top_udp_ports, &self.udp_ports, |port| port.to_string());
        let [inbound, outbound] = self.times_ns.map(direction);
        dns.xact.inbound = inbound;
        dns.xact.outbound = outbound;
        self.sides.finish(dns);
        self.outcomes.finish(names, dns);
        Summary { period: span, packets: self.packets, dns: self.dns }
    }
}

fn list(list: &mut Counts, counts: &HashMap<u16, u64>, name: impl Fn(u16) -> String) {
    for (code, count) in counts {
        list.add(name(*code), *count);
    }
}

fn rates(seconds: &[[u64; 2]]) -> ExactRates {
    let sorted = |direction: usize| {
        let mut counts: Vec<u64> = seconds.iter().map(|second| second[direction]).collect();
        counts.sort_unstable();
        ExactQuantiles::of(&counts)
    };
    ExactRates { pps_in: sorted(0), pps_out: sorted(1) }
}

fn direction(mut times_ns: Vec<u64>) -> DirectionAnswer {
    times_ns.sort_unstable();
    let times_us: Vec<u64> = times_ns.iter().map(|time_ns| time_ns / 1_000).collect();
    DirectionAnswer { total: times_ns.len() as u64, quantiles_us: ExactQuantiles::of(&times_us), times_ns }
}
