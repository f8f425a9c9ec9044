//! The steps from a classified packet to its DNS findings.
//!
//! ```text
//! UDP message ───────────────────── sampled? ─┐
//! fragment ──── Fragments ─ counted, sampled? ─┼─ Message ─ Transactions ─ Observer
//! TCP segment ─ Streams ─── counted, sampled? ─┘
//! ```
//!
//! Messages in whole UDP datagrams are counted with their packet. Messages that reassembly
//! completes are counted here.

use pktvisor_common::classify::{Captured, Class, flags, protocol};
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::{self, Endpoint, SampleRate};

use crate::flow::{Flow, Transport};
use crate::fragments::{self, Datagram, Fragments};
use crate::message::{HEADER_BYTES, Message, MessageHead, Question};
use crate::name::Name;
use crate::observer::{Observer, Outcome, ReassemblyEvent, Transaction};
use crate::settings::AnalysisSettings;
use crate::streams::{StreamSink, Streams, TcpSegment};
use crate::transactions::{self, Exchange, MessageTime, QuestionKey, ResponseOutcome, Transactions};

/// One thread's analysis: its state between packets.
pub struct Analysis<H> {
    fragments: Fragments,
    streams: Streams,
    messages: Messages<H>,
}

/// The steps that all messages share.
#[derive(Debug)]
struct Messages<H> {
    settings: AnalysisSettings<H>,
    transactions: Transactions,
    /// The buffer for names.
    name: Name,
    /// The latest time that a segment without a time stamp borrowed from the packet before it.
    /// Messages from streams with this time have no time of their own, even if they waited for a
    /// gap to be closed.
    borrowed_ns: Option<u64>,
}

impl<H: HostNetworks> Analysis<H> {
    /// An analysis before the first packet.
    pub fn new(settings: AnalysisSettings<H>) -> Self {
        Self {
            fragments: Fragments::new(settings.dns_ports, fragments::FragmentLimits::default()),
            streams: Streams::default(),
            messages: Messages {
                transactions: Transactions::new(
                    settings.transaction_timeout_ns,
                    transactions::ENTRIES_MAX_DEFAULT,
                ),
                settings,
                name: Name::default(),
                borrowed_ns: None,
            },
        }
    }

    /// Analyses one packet. Packets that the classifier did not mark as DNS are skipped.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        match class.flags & flags::ANY_DNS {
            // A first fragment without a DNS port means that the later ones are not needed.
            0 if class.has(flags::FRAGMENT) => drop(self.assemble(packet, class, out)),
            0 => {}
            flags::DNS_UDP => self.messages.datagram(packet, class, out),
            flags::DNS_TCP => self.segment(packet, class, out),
            _ => self.fragment(packet, class, out),
        }
    }

    /// Analyses a packet that the kernel handed to userspace. The kernel has already sampled the
    /// flows of whole datagrams. They are not sampled again here, because the rate may have changed
    /// on the way.
    #[inline]
    pub fn sampled_packet(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        match class.flags & flags::ANY_DNS {
            flags::DNS_UDP => {
                let outcome = self.messages.sampled_datagram(packet, class, out);
                out.outcome(outcome, u64::from(packet.segments));
            }
            _ => self.packet(packet, class, out),
        }
    }

    /// Sets the share of the flows that is analysed from now on.
    pub fn set_sample_rate(&mut self, sample_rate: SampleRate) {
        self.messages.settings.sample_rate = sample_rate;
    }

    /// Sets the networks that are HOST.
    pub fn set_host(&mut self, host: H) {
        self.messages.settings.host = host;
    }

    /// Moves the time to `now_ns`: queries time out, gaps are given up, and transactions are
    /// [reported](Self::report_transactions). Call it before a period rotates, and regularly.
    pub fn advance(&mut self, now_ns: u64, out: &mut impl Observer) {
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: None, outcome: Outcome::WithoutMessage };
        self.streams.advance(now_ns, &mut sink);
        self.fragments.advance(now_ns, |event| out.reassembly(event));
        self.messages.transactions.advance(now_ns);
        self.report_transactions(out);
    }

    /// Reports the transactions since the last call. Call it before the findings are read.
    pub fn report_transactions(&mut self, out: &mut impl Observer) {
        out.transaction_counts(&self.messages.transactions.take_counts());
    }

    /// Ends the capture: incomplete messages and streams are analysed as they are.
    pub fn finish(&mut self, out: &mut impl Observer) {
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: None, outcome: Outcome::WithoutMessage };
        self.streams.finish(&mut sink);
        self.fragments.finish(|event| out.reassembly(event));
        self.report_transactions(out);
    }

    /// Number of queries that wait for their response.
    pub fn open_transactions(&self) -> usize {
        self.messages.transactions.open()
    }

    fn segment(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        let flow = Flow::of(class, Transport::Tcp);
        let is_sampled = self.messages.settings.samples(|| sampling::packet_hash(class));
        if packet.stamp == Stamp::Borrowed {
            self.messages.borrowed_ns = Some(packet.timestamp_ns);
        }
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: flow, outcome: Outcome::WithoutMessage };
        if let (Some(flow), Some(segment)) = (flow, TcpSegment::of(packet.data, class)) {
            self.streams.segment(&flow, segment, packet.timestamp_ns, &mut sink);
        }
        let outcome = sink.outcome;
        out.outcome(if is_sampled { outcome } else { Outcome::NotSampled }, u64::from(packet.segments));
    }

    fn fragment(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        // Whether a datagram is sampled is known when it is complete, or at once if no flow is
        // sampled.
        let incomplete = match self.messages.settings.sample_rate.is_none() {
            true => Outcome::NotSampled,
            false => Outcome::WithoutMessage,
        };
        let outcome = self.assemble(packet, class, out).unwrap_or(incomplete);
        out.outcome(outcome, u64::from(packet.segments));
    }

    /// Adds a fragment to its datagram. Returns the outcome of the message that it completes.
    fn assemble(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) -> Option<Outcome> {
        let at = time(packet);
        let Datagram { flow, message, captured, .. } =
            self.fragments.fragment(packet.data, class, at.ns, |event| out.reassembly(event))?;
        Some(self.messages.reassembled(&flow, message, captured, at, out))
    }
}

impl<H: HostNetworks> Messages<H> {
    /// Analyses a whole UDP datagram, which is counted with its packet.
    #[inline]
    fn datagram(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        let outcome = if self.settings.samples(|| sampling::packet_hash(class)) {
            self.sampled_datagram(packet, class, out)
        } else {
            count_unsampled(payload(packet, class), class.captured(), out)
        };
        out.outcome(outcome, u64::from(packet.segments));
    }

    #[inline]
    fn sampled_datagram(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) -> Outcome {
        let Some(flow) = Flow::of(class, Transport::Udp) else { return Outcome::WithoutMessage };
        let port = self.settings.other_port(&flow);
        out.prefetch_udp_port(port);
        let captured = class.captured();
        let outcome = self.analyse(&flow, payload(packet, class), captured, time(packet), out);
        out.udp_port(port);
        outcome
    }

    /// Counts a message that reassembly completed, and analyses it if its flow is sampled.
    fn reassembled(
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
        let Self { settings, transactions, name, .. } = self;
        let Some(exchange) = exchange(flow, octets) else { return Outcome::WithoutMessage };
        transactions.prefetch_index(&exchange);
        let mut head = MessageHead::new(octets);
        if head.parse(name).is_none() {
            return Outcome::WithoutMessage;
        }
        let keys = out.keys(&head);
        out.prefetch_message(&head, &keys);
        let message = head.parse_rest(captured);
        transactions.prefetch_entry(&exchange);
        let question = message.question.as_ref();
        let key = question.map(question_key);
        if !message.is_response() {
            transactions.query(&exchange, key, at);
        } else if let ResponseOutcome::Answered { duration_ns, .. } =
            transactions.response(&exchange, key, at)
        {
            out.transaction(&Transaction { client: settings.client(flow), duration_ns, question });
        }
        out.message(flow, message, keys);
        if !message.malformed {
            return Outcome::Analysed;
        }
        out.malformed();
        Outcome::Malformed
    }
}

/// The time of a packet, and whether it is the packet's own time stamp.
#[inline]
fn time(packet: &Packet<'_>) -> MessageTime {
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

/// The exchange of a message, by the first octets of its header (RFC 1035 section 4.1.1); `None` if
/// it is shorter.
#[inline]
fn exchange(flow: &Flow, octets: &[u8]) -> Option<Exchange> {
    let &[id_high, id_low, flags_high] = octets.first_chunk()?;
    let id = u16::from_be_bytes([id_high, id_low]);
    let is_response = flags_high & 0x80 != 0;
    Some(if is_response { Exchange::of_response(flow, id) } else { Exchange::of_query(flow, id) })
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

/// Receives the messages of TCP streams.
struct Sink<'a, H, O> {
    messages: &'a mut Messages<H>,
    out: &'a mut O,
    /// The flow of the segment that is being counted.
    counted: Option<Flow>,
    /// The best outcome of that segment. Other connections may time out at the same moment; their
    /// messages do not count here, because their segments were counted on arrival.
    outcome: Outcome,
}

impl<H: HostNetworks, O: Observer> StreamSink for Sink<'_, H, O> {
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, octets: &[u8], captured: Captured) {
        let is_borrowed = self.messages.borrowed_ns == Some(timestamp_ns);
        let stamp = if is_borrowed { Stamp::Borrowed } else { Stamp::Own };
        let at = MessageTime { ns: timestamp_ns, stamp };
        let outcome = self.messages.reassembled(flow, octets, captured, at, self.out);
        let is_counted = self.counted.is_some_and(|counted| *flow == counted || *flow == counted.reversed());
        if is_counted && self.outcome != Outcome::Analysed {
            self.outcome = outcome;
        }
    }

    fn event(&mut self, event: ReassemblyEvent) {
        self.out.reassembly(event);
    }
}
