//! Adds up the facts of the generated packets, period by period.

use std::collections::HashMap;
use std::net::IpAddr;

use super::super::addresses::{HOST_PREFIXES, is_host};
use super::super::facts::{Facts, IpFacts, MessageFacts, MessageTransport};
use super::super::frame::{protocol, tcp_flags};
use super::super::message::rcode;
use super::super::names::{NameKey, Names};
use super::super::stage::SECOND_NS;
use super::outcome_names::OutcomeNames;
use super::sides::Sides;
use super::transactions::{TimedOut, TransactionEvent, TransactionReplay};
use super::{Answer, DnsAnswer, LastSecond, PacketAnswer, Span};

const PERIOD_S: u64 = 60;

/// The sums so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnswerCollector {
    start_s: u64,
    newest_s: u64,
    transactions: TransactionReplay,
    periods: Vec<AnswerPeriod>,
}

/// One period, by keys rather than by names.
#[derive(Clone, Debug, Default)]
pub(super) struct AnswerPeriod {
    /// Numbers are kept in the answer's structs, lists beside them.
    pub(super) packets: PacketAnswer,
    pub(super) dns: DnsAnswer,
    pub(super) times_ns: [Vec<u64>; 2],
    /// Packets by remote address: to the host, from it.
    pub(super) remotes: HashMap<IpAddr, [u64; 2]>,
    pub(super) names: HashMap<NameKey, u64>,
    /// Names by the header's response code: NXDOMAIN, REFUSED, SERVFAIL.
    pub(super) failed: [HashMap<NameKey, u64>; 3],
    pub(super) rcodes: HashMap<u16, u64>,
    pub(super) qtypes: HashMap<u16, u64>,
    pub(super) udp_ports: HashMap<u16, u64>,
    pub(super) sides: Sides,
    pub(super) outcomes: OutcomeNames,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostDirection {
    In,
    Out,
    Unknown,
}

impl HostDirection {
    fn of(ip: &IpFacts) -> Self {
        match (is_host(ip.dst), is_host(ip.src)) {
            (true, _) => Self::In,
            (false, true) => Self::Out,
            (false, false) => Self::Unknown,
        }
    }
}

impl AnswerCollector {
    /// Adds a packet with its length on the wire.
    pub(crate) fn observe(&mut self, timestamp_ns: u64, wire_bytes: u64, facts: &Facts) {
        let second = timestamp_ns / SECOND_NS;
        if self.periods.is_empty() {
            self.start_s = second;
        }
        self.newest_s = second;
        let index = self.index(second);
        if self.periods.len() <= index {
            self.periods.resize_with(index + 1, AnswerPeriod::default);
        }
        let (periods, start_s) = (&mut self.periods, self.start_s);
        self.transactions.advance(timestamp_ns, |TimedOut { at_ns, client, server, name }| {
            let index = ((at_ns / SECOND_NS - start_s) / PERIOD_S) as usize;
            periods[index].dns.xact.counts.timed_out += 1;
            periods[index].sides.count_timed_out(client, server);
            periods[index].outcomes.count_timed_out(name);
        });
        let period = &mut self.periods[index];
        let offset_s = ((second - self.start_s) % PERIOD_S) as usize;
        period.count_packet(wire_bytes, offset_s, facts);
        let Some(ip) = &facts.ip else { return };
        for message in &facts.messages {
            period.count_message(ip, message);
            let event = self.transactions.observe(timestamp_ns, ip.src, ip.dst, message);
            period.count_event(event, HostDirection::of(ip));
            period.sides.count_message(ip, message);
            period.outcomes.count_message(message);
            match event {
                TransactionEvent::Orphan => period.sides.count_orphan(ip, message),
                TransactionEvent::Completed { query_bytes, .. } => {
                    period.sides.count_transaction(ip, message, query_bytes);
                }
                _ => {}
            }
        }
    }

    /// The answer, with names written out.
    pub(crate) fn into_answer(self, names: &Names) -> Answer {
        let mut whole = AnswerPeriod::default();
        let last = self.periods.len().saturating_sub(1);
        let mut periods = Vec::with_capacity(self.periods.len());
        for (index, mut period) in self.periods.into_iter().enumerate() {
            let start_ts = self.start_s + index as u64 * PERIOD_S;
            let length = if index == last { self.newest_s - start_ts + 1 } else { PERIOD_S };
            // A period's seconds without packets count as well.
            period.packets.per_second.resize(length as usize, [0; 2]);
            whole.merge(&period);
            let last_second = if index == last { LastSecond::Unfinished } else { LastSecond::Finished };
            periods.push(period.into_summary(names, Span { start_ts, length }, last_second));
        }
        let span = Span { start_ts: self.start_s, length: self.newest_s - self.start_s + 1 };
        let host = HOST_PREFIXES.map(str::to_owned).to_vec();
        Answer { host, total: whole.into_summary(names, span, LastSecond::Unfinished), periods }
    }

    fn index(&self, second: u64) -> usize {
        ((second - self.start_s) / PERIOD_S) as usize
    }
}

impl AnswerPeriod {
    fn count_packet(&mut self, wire_bytes: u64, offset_s: usize, facts: &Facts) {
        let packets = &mut self.packets;
        packets.total += 1;
        packets.bytes_total += wire_bytes;
        packets.vlan += u64::from(facts.vlan);
        let size = [64, 128, 256, 512, 1024, 1519].iter().filter(|bound| wire_bytes >= **bound).count();
        packets.sizes[size] += 1;
        if packets.per_second.len() <= offset_s {
            packets.per_second.resize(offset_s + 1, [0; 2]);
        }
        let Some(ip) = &facts.ip else {
            packets.non_ip += 1;
            packets.unknown += 1;
            return;
        };
        *(if ip.src.is_ipv4() { &mut packets.ipv4 } else { &mut packets.ipv6 }) += 1;
        *match ip.protocol {
            protocol::UDP => &mut packets.udp,
            protocol::TCP => &mut packets.tcp,
            _ => &mut packets.other_l4,
        } += 1;
        packets.fragments += u64::from(ip.fragment);
        let opening = ip.tcp_flags & (tcp_flags::SYN | tcp_flags::ACK);
        packets.tcp_syn += u64::from(opening == tcp_flags::SYN);
        packets.tcp_syn_ack += u64::from(opening == tcp_flags::SYN | tcp_flags::ACK);
        packets.tcp_rst += u64::from(ip.tcp_flags & tcp_flags::RST != 0);
        match HostDirection::of(ip) {
            HostDirection::In => {
                packets.received += 1;
                packets.bytes_in += wire_bytes;
                packets.per_second[offset_s][0] += 1;
                self.remotes.entry(ip.src).or_default()[0] += 1;
            }
            HostDirection::Out => {
                packets.sent += 1;
                packets.bytes_out += wire_bytes;
                packets.per_second[offset_s][1] += 1;
                self.remotes.entry(ip.dst).or_default()[1] += 1;
            }
            HostDirection::Unknown => packets.unknown += 1,
        }
    }

    fn count_message(&mut self, ip: &IpFacts, message: &MessageFacts) {
        let counts = &mut self.dns.wire_packets;
        counts.total += 1;
        counts.malformed += u64::from(message.malformed);
        *(if message.response { &mut counts.replies } else { &mut counts.queries }) += 1;
        *(if message.transport == MessageTransport::Tcp { &mut counts.tcp } else { &mut counts.udp }) += 1;
        *(if ip.src.is_ipv4() { &mut counts.ipv4 } else { &mut counts.ipv6 }) += 1;
        if message.transport == MessageTransport::Udp {
            let port = if message.src_port == 53 { message.dst_port } else { message.src_port };
            *self.udp_ports.entry(port).or_default() += 1;
        }
        let failed = if message.response {
            match message.rcode & 15 {
                rcode::NOERROR => {
                    counts.noerror += 1;
                    None
                }
                rcode::NXDOMAIN => {
                    counts.nxdomain += 1;
                    Some(0)
                }
                rcode::REFUSED => {
                    counts.refused += 1;
                    Some(1)
                }
                rcode::SERVFAIL => {
                    counts.srvfail += 1;
                    Some(2)
                }
                _ => None,
            }
        } else {
            None
        };
        if message.response {
            *self.rcodes.entry(message.rcode).or_default() += 1;
        }
        if let Some((key, qtype)) = message.question {
            *self.names.entry(key).or_default() += 1;
            *self.qtypes.entry(qtype).or_default() += 1;
            // The extended bits belong to the code: BADVERS is not NOERROR.
            if let Some(failed) = failed.filter(|_| message.rcode < 16) {
                *self.failed[failed].entry(key).or_default() += 1;
            }
        }
        self.dns.flags.aa += u64::from(message.authoritative);
        self.dns.flags.tc += u64::from(message.truncated);
        self.count_edns(message);
    }

    fn count_edns(&mut self, message: &MessageFacts) {
        let edns = &mut self.dns.edns;
        if message.response {
            edns.replies += u64::from(message.edns.is_some());
            edns.answer_records += u64::from(message.answers);
            edns.empty_answers += u64::from(message.rcode == rcode::NOERROR && message.answers == 0);
        } else if let Some(facts) = message.edns {
            edns.queries += 1;
            edns.dnssec_ok += u64::from(facts.dnssec_ok);
            edns.client_subnet += u64::from(facts.client_subnet.is_some());
        }
    }

    /// `direction` is that of the packet, so for a response the opposite of its query's.
    fn count_event(&mut self, event: TransactionEvent, direction: HostDirection) {
        let counts = &mut self.dns.xact.counts;
        match event {
            TransactionEvent::Opened => {}
            TransactionEvent::Retransmitted => counts.retransmitted += 1,
            TransactionEvent::Duplicate => counts.duplicates += 1,
            TransactionEvent::Late => counts.late += 1,
            TransactionEvent::Orphan => counts.orphans += 1,
            TransactionEvent::Completed { time_ns, .. } => {
                counts.total += 1;
                match direction {
                    HostDirection::Out => self.times_ns[0].push(time_ns),
                    HostDirection::In => self.times_ns[1].push(time_ns),
                    HostDirection::Unknown => {}
                }
            }
        }
    }
}
