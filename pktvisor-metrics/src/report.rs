//! From what is remembered to what the API says: the only place that spells names.

use pktvisor_analysis::ip_address;
use pktvisor_analysis::mnemonics::{qtype_name, rcode_name};
use pktvisor_analysis::name::presentation;
use pktvisor_api as api;

use super::codes::CodeCounts;
use super::dns::{CUT, EdnsMetrics, ReassemblyMetrics};
use super::frequent::{FrequentItems, Key};
use super::period::Period;
use super::transactions::{Answers, TransactionMetrics};

/// Entries a list shows.
const LISTED: usize = 10;

impl Period {
    /// The document of this period. The same contents give the same bytes.
    pub fn report(&self) -> api::Period {
        let sampling = api::Sampling { rate: self.sampling_rate(), messages: self.dns.messages };
        api::Period {
            period: api::PeriodSpan { start_ts: self.start_s as i64, length: self.length_s as i64 },
            packets: self.packets(),
            dns: self.dns(sampling.rate),
            sampling,
        }
    }

    /// Analysed share of the DNS messages: messages are what the lists count, and what packets completed them
    /// is not known of every packet.
    fn sampling_rate(&self) -> f64 {
        match self.counters.dns.total() {
            0 => 1.0,
            // Frames without a record (`tap`) are cut by time, which may place one before it was counted.
            all => (self.dns.messages as f64 / all as f64).min(1.0),
        }
    }

    fn packets(&self) -> api::Packets {
        let packets = &self.counters.packets;
        let network = &self.network;
        let directed = packets.received + packets.sent > 0;
        let text = |key: Key<'_>| String::from_utf8_lossy(key.bytes).into_owned();
        api::Packets {
            total: packets.total(),
            udp: packets.udp,
            tcp: packets.tcp,
            other_l4: packets.other_l4,
            ipv4: packets.ipv4,
            ipv6: packets.ipv6,
            received: packets.received,
            sent: packets.sent,
            unknown: packets.unknown,
            deep_samples: packets.total().saturating_sub(self.not_chosen() + self.outcomes.lost),
            bytes_in: packets.received_bytes,
            bytes_out: packets.sent_bytes,
            bytes_total: packets.received_bytes + packets.sent_bytes + packets.unknown_bytes,
            non_ip: packets.non_ip,
            fragments: packets.fragments,
            vlan: packets.vlan,
            malformed: packets.malformed,
            tunnelled: packets.tunnelled,
            tcp_syn: packets.tcp_syn,
            tcp_syn_ack: packets.tcp_syn_ack,
            tcp_rst: packets.tcp_rst,
            out_of_order: self.out_of_order,
            time_jumps: self.time_jumps,
            sizes: packets.sizes,
            cardinality: api::IpCardinality {
                src_ips_in: network.sources_in.estimate(),
                dst_ips_out: network.destinations_out.estimate(),
            },
            rates: api::PacketRates {
                pps_in: self.rates.received.report().filter(|_| directed),
                pps_out: self.rates.sent.report().filter(|_| directed),
            },
            top_ipv4: listed(&network.ipv4, address),
            top_ipv6: listed(&network.ipv6, address),
            top_geo_loc: listed(&network.places, text),
            top_asn: listed(&network.networks, text),
        }
    }

    fn dns(&self, rate: f64) -> api::Dns {
        let dns = &self.dns;
        let names = |items: &FrequentItems| scaled(listed(items, name), rate);
        api::Dns {
            wire_packets: self.wire_packets(),
            cardinality: api::DnsCardinality { qname: dns.qnames.estimate() },
            xact: transactions(&self.transactions, rate),
            edns: edns(&dns.edns),
            reassembly: reassembly(&self.reassembly),
            top_qname2: names(&dns.qname2),
            top_qname3: names(&dns.qname3),
            top_nxdomain: names(&dns.nxdomain),
            top_refused: names(&dns.refused),
            top_srvfail: names(&dns.srvfail),
            top_rcode: scaled(codes(&dns.rcodes, |code| rcode_name(code).into_owned()), rate),
            top_qtype: scaled(codes(&dns.qtypes, |code| qtype_name(code).into_owned()), rate),
            top_udp_ports: scaled(codes(&dns.udp_ports, |port| port.to_string()), rate),
        }
    }

    fn wire_packets(&self) -> api::DnsMessages {
        let messages = &self.counters.dns;
        api::DnsMessages {
            total: messages.total(),
            queries: messages.queries,
            replies: messages.replies,
            tcp: messages.tcp,
            udp: messages.udp,
            ipv4: messages.ipv4,
            ipv6: messages.ipv6,
            noerror: messages.rcodes[0],
            srvfail: messages.rcodes[2],
            nxdomain: messages.rcodes[3],
            refused: messages.rcodes[5],
            truncated_capture: messages.truncated_capture,
            malformed: self.dns.malformed,
        }
    }
}

fn address(key: Key<'_>) -> String {
    let mut bytes = [0; 16];
    let len = key.bytes.len().min(bytes.len());
    bytes[..len].copy_from_slice(&key.bytes[..len]);
    ip_address(&bytes, key.tag).to_string()
}

fn name(key: Key<'_>) -> String {
    let dot = if key.tag == CUT { "." } else { "" };
    format!("{dot}{}", presentation(key.bytes))
}

fn listed(items: &FrequentItems, spell: impl Fn(Key<'_>) -> String) -> Vec<api::TopEntry> {
    let entry = |(name, item): (String, super::frequent::Item<'_>)| api::TopEntry {
        name,
        estimate: item.lower,
        lower: Some(item.lower),
        upper: Some(item.upper),
        scaled: None,
    };
    items.top(LISTED, spell).into_iter().map(entry).collect()
}

fn codes(codes: &CodeCounts, spell: impl Fn(u16) -> String) -> Vec<api::TopEntry> {
    let mut counts: Vec<u64> = codes.iter().map(|(_, count)| count).collect();
    let least = match counts.len() {
        0..=LISTED => 0,
        _ => *counts.select_nth_unstable_by(LISTED - 1, |a, b| b.cmp(a)).1,
    };
    // Ports come by the ten thousand: only those that may be listed are spelled.
    let mut all: Vec<_> =
        codes.iter().filter(|(_, count)| *count >= least).map(|(code, count)| (count, spell(code))).collect();
    all.sort_by(|(count_a, name_a), (count_b, name_b)| count_b.cmp(count_a).then_with(|| name_a.cmp(name_b)));
    all.truncate(LISTED);
    let entry = |(count, name): (u64, String)| api::TopEntry {
        name,
        estimate: count,
        lower: Some(count),
        upper: Some(count + codes.bound()),
        scaled: None,
    };
    all.into_iter().map(entry).collect()
}

/// What the counts would be had everything been analysed.
fn scaled(mut list: Vec<api::TopEntry>, rate: f64) -> Vec<api::TopEntry> {
    for entry in &mut list {
        entry.scaled =
            Some(if rate > 0.0 { (entry.estimate as f64 / rate).round() as u64 } else { entry.estimate });
    }
    list
}

fn transactions(metrics: &TransactionMetrics, rate: f64) -> api::Transactions {
    let direction = |answers: &Answers| api::TransactionDirection {
        total: answers.total,
        quantiles_us: answers.times_us.values().report(),
        top_slow: scaled(listed(&answers.slow, name), rate),
    };
    let counts = &metrics.counts;
    api::Transactions {
        counts: api::TransactionCounts {
            total: counts.answered,
            timed_out: counts.timed_out,
            late: counts.late,
            duplicates: counts.duplicates,
            orphans: counts.orphans,
            retransmitted: counts.retransmitted,
            negative_times: counts.negative_times,
            shed: counts.shed,
        },
        inbound: direction(&metrics.inbound),
        outbound: direction(&metrics.outbound),
    }
}

fn edns(metrics: &EdnsMetrics) -> api::EdnsMetrics {
    api::EdnsMetrics {
        queries: metrics.queries,
        replies: metrics.replies,
        dnssec_ok: metrics.dnssec_ok,
        client_subnet: metrics.client_subnet,
        udp_size_bytes: metrics.udp_size_bytes.report(),
        empty_answers: metrics.empty_answers,
        answer_records: metrics.answer_records,
    }
}

fn reassembly(metrics: &ReassemblyMetrics) -> api::Reassembly {
    api::Reassembly {
        unsynchronised: metrics.unsynchronised,
        gaps: metrics.gaps,
        retransmitted_segments: metrics.retransmitted_segments,
        streams_evicted: metrics.streams_evicted,
        datagrams_reassembled: metrics.datagrams_reassembled,
        datagrams_incomplete: metrics.datagrams_incomplete,
        datagrams_evicted: metrics.datagrams_evicted,
        datagrams_unidentified: metrics.datagrams_unidentified,
        fragments_malformed: metrics.fragments_malformed,
    }
}
