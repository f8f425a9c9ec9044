//! The steps that all messages share, from the octets of a message to its findings.

use pktvisor_common::classify::{Captured, Class, protocol};
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::packet::Packet;
use pktvisor_common::sampling::{self, Endpoint};

use crate::flow::{Flow, Transport};
use crate::message::{HEADER_BYTES, Message, MessageHead, Question};
use crate::name::Name;
use crate::observer::{
    InspectedMessage, Observer, Outcome, TimedOutName, TimedOutQuery, Transaction, WaitingQuery,
};
use crate::settings::AnalysisSettings;
use crate::transactions::{Exchange, MessageTime, QueryOutcome, QuestionKey, ResponseOutcome, Transactions};

/// The steps that all messages share.
#[derive(Debug)]
pub(super) struct Messages<H> {
    pub(super) settings: AnalysisSettings<H>,
    pub(super) transactions: Transactions,
    /// The buffer for names.
    name: Name,
    /// The latest time that a segment without a time stamp borrowed from the packet before it.
    /// Messages from streams with this time have no time of their own, even if they waited for a
    /// gap to be closed.
    pub(super) borrowed_ns: Option<u64>,
}

impl<H: HostNetworks> Messages<H> {
    /// The steps before the first message. At most `queries` wait for their response.
    pub(super) fn new(settings: AnalysisSettings<H>, queries: usize) -> Self {
        Self {
            transactions: Transactions::new(settings.transaction_timeout_ns, queries),
            settings,
            name: Name::default(),
            borrowed_ns: None,
        }
    }

    /// Analyses a whole UDP datagram, which is counted with its packet.
    #[inline]
    pub(super) fn datagram(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        let outcome = if self.settings.samples(|| sampling::packet_hash(class)) {
            self.sampled_datagram(packet, class, out)
        } else {
            count_unsampled(payload(packet, class), class.captured(), out)
        };
        out.outcome(outcome, u64::from(packet.segments));
    }

    /// Analyses a UDP datagram of a sampled flow.
    #[inline(always)]
    pub(super) fn sampled_datagram(
        &mut self,
        packet: &Packet<'_>,
        class: &Class,
        out: &mut impl Observer,
    ) -> Outcome {
        let Some(flow) = Flow::of(class, Transport::Udp) else { return Outcome::WithoutMessage };
        let port = self.settings.other_port(&flow);
        out.prefetch_udp_port(port);
        let captured = class.captured();
        let outcome = self.analyse(&flow, payload(packet, class), captured, time(packet), out);
        out.udp_port(port);
        outcome
    }

    /// Looks for queries that have waited for longer than a second, and reports the inspected ones.
    pub(super) fn update_waiting(&mut self, out: &mut impl Observer) {
        let settings = &self.settings;
        self.transactions.update_waiting(|exchange_hash, addresses| {
            if out.inspects(exchange_hash) {
                out.query_waits(&WaitingQuery { client: settings.client_of_query(&addresses), addresses });
            }
        });
    }

    /// Counts a message that reassembly completed, and analyses it if its flow is sampled.
    pub(super) fn reassembled(
        &mut self,
        flow: &Flow,
        octets: &[u8],
        captured: Captured,
        at: MessageTime,
        out: &mut impl Observer,
    ) -> Outcome {
        let Some(&[id_high, id_low, flags_high, flags_low]) = octets.first_chunk() else {
            return Outcome::WithoutMessage;
        };
        if octets.len() < HEADER_BYTES {
            return Outcome::WithoutMessage;
        }
        out.reassembled(flow, u16::from_be_bytes([flags_high, flags_low]), captured);
        let id = u16::from_be_bytes([id_high, id_low]);
        if !self.settings.samples(|| flow_hash(flow, id)) {
            return count_unsampled(octets, captured, out);
        }
        if flow.transport == Transport::Udp {
            out.udp_port(self.settings.other_port(flow));
        }
        self.analyse(flow, octets, captured, at, out)
    }

    #[inline]
    fn analyse(
        &mut self,
        flow: &Flow,
        octets: &[u8],
        captured: Captured,
        at: MessageTime,
        out: &mut impl Observer,
    ) -> Outcome {
        let Some((id, is_response)) = id_and_qr(octets) else { return Outcome::WithoutMessage };
        let (source, destination) = (flow.source_end(), flow.destination_end());
        let (client, server) = if is_response { (destination, source) } else { (source, destination) };
        let exchange = Exchange::between(client, server, flow.transport, id);
        self.transactions.prefetch_index(&exchange);
        let ends = self.settings.ends(client.address, server.address);
        let end_keys = out.end_keys(&ends);
        out.prefetch_ends(&end_keys);
        if self.transactions.is_due(at.ns) {
            self.expire(at.ns, out);
        }
        let Self { transactions, name, .. } = self;
        let mut head = MessageHead::new(octets);
        if head.parse(name).is_none() {
            return Outcome::WithoutMessage;
        }
        transactions.prefetch_entry(&exchange);
        let keys = out.keys(end_keys, &head);
        out.prefetch_message(&head, &keys);
        let message = head.parse_rest(captured);
        let question = message.question.as_ref();
        let key = question.map(question_key);
        let mut inspected_duration_ns = None;
        if !is_response {
            if transactions.query(&exchange, key, at) == QueryOutcome::Opened {
                transactions.describe(question.map(|question| question.name), octets.len());
            }
        } else {
            match transactions.response(&exchange, key, at) {
                ResponseOutcome::Answered { duration_ns, query_bytes, .. } => {
                    let response_bytes = octets.len() as u32;
                    let client = ends.side;
                    let transaction =
                        Transaction { client, query_bytes, response_bytes, duration_ns, question };
                    out.transaction(&transaction, &keys);
                    inspected_duration_ns = duration_ns;
                }
                ResponseOutcome::Orphan => out.orphan(ends.side),
                ResponseOutcome::AnsweredUntimed | ResponseOutcome::Late | ResponseOutcome::Duplicate => {}
            }
        }
        out.message(flow, message, &keys);
        if message.malformed {
            out.malformed();
        }
        if out.inspects(exchange.index_hash()) {
            let (client, bytes, duration_ns) = (ends.side, octets.len(), inspected_duration_ns);
            out.inspected_message(&InspectedMessage { flow, client, message, keys, bytes, duration_ns });
        }
        if message.malformed { Outcome::Malformed } else { Outcome::Analysed }
    }

    /// Moves the time to `now_ns` and reports the queries that have timed out.
    #[cold]
    pub(super) fn expire(&mut self, now_ns: u64, out: &mut impl Observer) {
        let Self { settings, transactions, name, .. } = self;
        transactions.advance_reporting(now_ns, |expired| {
            let addresses = &expired.addresses;
            let ends = settings.ends(addresses.source(), addresses.destination());
            let is_cut = expired.name.map(|stored| stored.read(name));
            let name = is_cut.map(|is_cut| TimedOutName { name, is_cut });
            out.timed_out(&TimedOutQuery { ends, name });
        });
    }
}

/// The time of a packet, and whether it is the packet's own time stamp.
#[inline]
pub(super) fn time(packet: &Packet<'_>) -> MessageTime {
    MessageTime { ns: packet.timestamp_ns, stamp: packet.stamp }
}

/// The captured part of the datagram's payload.
#[inline]
fn payload<'a>(packet: &Packet<'a>, class: &Class) -> &'a [u8] {
    let start = usize::from(class.payload_offset);
    packet.data.get(start..start + usize::from(class.payload_len)).unwrap_or_default()
}

/// Counts a message whose flow is not sampled, because the counter of malformed messages is exact.
fn count_unsampled(octets: &[u8], captured: Captured, out: &mut impl Observer) -> Outcome {
    if Message::parse(octets, captured, &mut Name::default()).is_some_and(|message| message.malformed) {
        out.malformed();
    }
    Outcome::NotSampled
}

/// The id of a message, and whether it is a response, by the first octets of its header (RFC 1035
/// section 4.1.1); `None` if it is shorter.
#[inline(always)]
fn id_and_qr(octets: &[u8]) -> Option<(u16, bool)> {
    let &[id_high, id_low, flags_high] = octets.first_chunk()?;
    Some((u16::from_be_bytes([id_high, id_low]), flags_high & 0x80 != 0))
}

fn question_key(question: &Question<'_>) -> QuestionKey {
    QuestionKey { name_hash: question.name_hash, qtype: question.qtype, qclass: question.qclass }
}

fn flow_hash(flow: &Flow, id: u16) -> u64 {
    // A TCP stream is sampled as a whole, with all its packets.
    let (protocol, id) = match flow.transport {
        Transport::Udp => (protocol::UDP, id),
        Transport::Tcp => (protocol::TCP, 0),
    };
    sampling::flow_hash(
        Endpoint { address: flow.addresses.source().bytes(), port: flow.source_port },
        Endpoint { address: flow.addresses.destination().bytes(), port: flow.destination_port },
        protocol,
        id,
    )
}
