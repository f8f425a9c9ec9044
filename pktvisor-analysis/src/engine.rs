//! From one classified packet to everything it says about DNS: the order of the steps.
//!
//! ```text
//! UDP message ───────────────────── chosen? ─┐
//! fragment ──── Fragments ─ counted, chosen? ─┼─ Message ─ Transactions ─ Observer
//! TCP segment ─ Streams ─── counted, chosen? ─┘
//! ```
//!
//! Messages in plain UDP datagrams were counted with their packet; those that reassembly completes are
//! counted here.

use pktvisor_common::classify::{Class, flags, protocol};
use pktvisor_common::direction::HostNetworks;
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::{self, Endpoint, SampleRate};

use super::fragments::{self, Datagram, Fragments};
use super::message::{HEADER_BYTES, Message, MessageHead, Question};
use super::name::Name;
use super::streams::{StreamSink, Streams, TcpSegment};
use super::transactions::{self, Exchange, Moment, QuestionKey, ResponseOutcome, Transactions};
use super::{AnalysisSettings, Flow, Observer, Outcome, ReassemblyEvent, Transaction, Transport};

/// One thread's analysis: what it has to keep between packets.
pub struct Analysis<H> {
    fragments: Fragments,
    streams: Streams,
    messages: Messages<H>,
}

/// What happens to every message, however it came.
#[derive(Debug)]
struct Messages<H> {
    settings: AnalysisSettings<H>,
    transactions: Transactions,
    /// Where names are read into.
    name: Name,
    /// The last time that a segment without a time stamp had from the packet before it. Messages that come out of
    /// streams with this time have none of their own, also those that waited for a gap to be closed.
    borrowed_ns: Option<u64>,
}

impl<H: HostNetworks> Analysis<H> {
    /// An analysis that has seen nothing.
    pub fn new(settings: AnalysisSettings<H>) -> Self {
        Self {
            fragments: Fragments::new(settings.dns_ports, fragments::Limits::default()),
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

    /// Takes one packet; what the classifier did not mark as DNS is passed over.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        match class.flags & flags::ANY_DNS {
            // A first fragment without a DNS port tells that the later ones are not wanted.
            0 if class.has(flags::FRAGMENT) => drop(self.assemble(packet, class, out)),
            0 => {}
            flags::DNS_UDP => self.messages.datagram(packet, class, out),
            flags::DNS_TCP => self.segment(packet, class, out),
            _ => self.fragment(packet, class, out),
        }
    }

    /// Takes what the kernel handed up, of a flow that it has already chosen where it can: datagrams are not
    /// asked again, since the rate may have changed while they were on their way.
    #[inline]
    pub fn handed_up(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        match class.flags & flags::ANY_DNS {
            flags::DNS_UDP => {
                let outcome = self.messages.chosen_datagram(packet, class, out);
                out.outcome(outcome, u64::from(packet.segments));
            }
            _ => self.packet(packet, class, out),
        }
    }

    /// Changes the share of the flows that is analysed from now on.
    pub fn set_sample_rate(&mut self, sample_rate: SampleRate) {
        self.messages.settings.sample_rate = sample_rate;
    }

    /// Changes which networks are HOST.
    pub fn set_host(&mut self, host: H) {
        self.messages.settings.host = host;
    }

    /// Time has reached `now_ns`: queries time out, gaps are given up, and transactions are
    /// [reported](Self::tell_transactions). To be called before a period turns, and now and then.
    pub fn advance(&mut self, now_ns: u64, out: &mut impl Observer) {
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: None, outcome: Outcome::WithoutMessage };
        self.streams.advance(now_ns, &mut sink);
        self.fragments.advance(now_ns, |event| out.reassembly(event));
        self.messages.transactions.advance(now_ns);
        self.tell_transactions(out);
    }

    /// Reports what has happened to transactions since the last call. To be called before anybody looks at
    /// what the messages came to.
    pub fn tell_transactions(&mut self, out: &mut impl Observer) {
        out.transaction_counts(&self.messages.transactions.take_counts());
    }

    /// The capture is over: what waits for more is taken as it is.
    pub fn finish(&mut self, out: &mut impl Observer) {
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: None, outcome: Outcome::WithoutMessage };
        self.streams.finish(&mut sink);
        self.fragments.finish(|event| out.reassembly(event));
        self.tell_transactions(out);
    }

    /// Queries that wait for their response.
    pub fn open_transactions(&self) -> usize {
        self.messages.transactions.open()
    }

    fn segment(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        let flow = Flow::of(class, Transport::Tcp);
        let chosen = self.messages.settings.chooses(|| sampling::packet_hash(class));
        if packet.stamp == Stamp::Borrowed {
            self.messages.borrowed_ns = Some(packet.timestamp_ns);
        }
        let mut sink =
            Sink { messages: &mut self.messages, out, counted: Some(flow), outcome: Outcome::WithoutMessage };
        if let Some(segment) = TcpSegment::of(packet.data, class) {
            self.streams.segment(&flow, segment, packet.timestamp_ns, &mut sink);
        }
        let outcome = sink.outcome;
        out.outcome(if chosen { outcome } else { Outcome::NotChosen }, u64::from(packet.segments));
    }

    fn fragment(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        // Whether a datagram is chosen is known when it is complete; where none is, it is known at once.
        let incomplete = match self.messages.settings.sample_rate.is_none() {
            true => Outcome::NotChosen,
            false => Outcome::WithoutMessage,
        };
        let outcome = self.assemble(packet, class, out).unwrap_or(incomplete);
        out.outcome(outcome, u64::from(packet.segments));
    }

    /// Adds a fragment to its datagram; says what became of the message that it completes.
    fn assemble(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) -> Option<Outcome> {
        let at = moment(packet);
        let Datagram { flow, message, truncated, .. } =
            self.fragments.fragment(packet.data, class, at.ns, |event| out.reassembly(event))?;
        Some(self.messages.reassembled(&flow, message, truncated, at, out))
    }
}

impl<H: HostNetworks> Messages<H> {
    /// A whole UDP datagram, counted with its packet.
    #[inline]
    fn datagram(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) {
        let outcome = if self.settings.chooses(|| sampling::packet_hash(class)) {
            self.chosen_datagram(packet, class, out)
        } else {
            pass_over(payload(packet, class), class.has(flags::TRUNCATED_CAPTURE), out)
        };
        out.outcome(outcome, u64::from(packet.segments));
    }

    #[inline]
    fn chosen_datagram(&mut self, packet: &Packet<'_>, class: &Class, out: &mut impl Observer) -> Outcome {
        let flow = Flow::of(class, Transport::Udp);
        let port = self.settings.other_port(&flow);
        out.prefetch_udp_port(port);
        let truncated = class.has(flags::TRUNCATED_CAPTURE);
        let outcome = self.analyse(&flow, payload(packet, class), truncated, moment(packet), out);
        out.udp_port(port);
        outcome
    }

    /// A message that reassembly completed: counted, then analysed if its flow is chosen.
    fn reassembled(
        &mut self,
        flow: &Flow,
        octets: &[u8],
        truncated: bool,
        at: Moment,
        out: &mut impl Observer,
    ) -> Outcome {
        let Some(&[id_high, id_low, flags_high, flags_low]) = octets.first_chunk() else {
            return Outcome::WithoutMessage;
        };
        if octets.len() < HEADER_BYTES {
            return Outcome::WithoutMessage;
        }
        out.reassembled(flow, u16::from_be_bytes([flags_high, flags_low]), truncated);
        let id = u16::from_be_bytes([id_high, id_low]);
        if !self.settings.chooses(|| flow_hash(flow, id)) {
            return pass_over(octets, truncated, out);
        }
        if flow.transport == Transport::Udp {
            out.udp_port(self.settings.other_port(flow));
        }
        self.analyse(flow, octets, truncated, at, out)
    }

    #[inline]
    fn analyse(
        &mut self,
        flow: &Flow,
        octets: &[u8],
        truncated: bool,
        at: Moment,
        out: &mut impl Observer,
    ) -> Outcome {
        let Self { settings, transactions, name, .. } = self;
        let Some(exchange) = exchange(flow, octets) else { return Outcome::WithoutMessage };
        transactions.prefetch_index(&exchange);
        let Some(mut head) = MessageHead::parse(octets, name) else { return Outcome::WithoutMessage };
        let keys = out.keys(&head);
        out.prefetch_message(&head, &keys);
        let message = head.parse_rest(truncated);
        transactions.prefetch_entry(&exchange);
        let question = message.question.as_ref();
        let key = question.map(question_key);
        if !message.is_response() {
            transactions.query(&exchange, key, at);
        } else if let ResponseOutcome::Answered { duration_ns, .. } =
            transactions.response(&exchange, key, at)
        {
            out.transaction(&Transaction { asker: settings.asker(flow), duration_ns, question });
        }
        out.message(flow, message, keys);
        if !message.malformed {
            return Outcome::Analysed;
        }
        out.malformed();
        Outcome::Malformed
    }
}

/// When a packet was captured, and whether it says so itself.
#[inline]
fn moment(packet: &Packet<'_>) -> Moment {
    Moment { ns: packet.timestamp_ns, stamp: packet.stamp }
}

/// What the datagram holds, as far as it was captured.
#[inline]
fn payload<'a>(packet: &Packet<'a>, class: &Class) -> &'a [u8] {
    let start = usize::from(class.payload_offset);
    packet.data.get(start..start + usize::from(class.payload_len)).unwrap_or_default()
}

/// A message whose flow is not chosen: what is counted of it is exact all the same.
fn pass_over(octets: &[u8], truncated: bool, out: &mut impl Observer) -> Outcome {
    if Message::parse(octets, truncated, &mut Name::default()).is_some_and(|message| message.malformed) {
        out.malformed();
    }
    Outcome::NotChosen
}

/// What a message belongs to, by the first octets of its header (RFC 1035 section 4.1.1); none where it has
/// fewer.
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
    // A TCP stream is chosen as a whole, with all its packets.
    let (protocol, id) = match flow.transport {
        Transport::Udp => (protocol::UDP, id),
        Transport::Tcp => (protocol::TCP, 0),
    };
    sampling::flow_hash(
        Endpoint { address: &flow.source, port: flow.source_port },
        Endpoint { address: &flow.destination, port: flow.destination_port },
        protocol,
        id,
    )
}

/// Takes the messages out of TCP streams.
struct Sink<'a, H, O> {
    messages: &'a mut Messages<H>,
    out: &'a mut O,
    /// The flow of the segment that is being counted.
    counted: Option<Flow>,
    /// The best that came of that segment. What other connections come to meanwhile, because their time is
    /// up, says nothing of it: their segments were counted when they came.
    outcome: Outcome,
}

impl<H: HostNetworks, O: Observer> StreamSink for Sink<'_, H, O> {
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, octets: &[u8], truncated: bool) {
        let is_borrowed = self.messages.borrowed_ns == Some(timestamp_ns);
        let stamp = if is_borrowed { Stamp::Borrowed } else { Stamp::Own };
        let at = Moment { ns: timestamp_ns, stamp };
        let outcome = self.messages.reassembled(flow, octets, truncated, at, self.out);
        let is_counted = self.counted.is_some_and(|counted| *flow == counted || *flow == counted.reversed());
        if is_counted && self.outcome != Outcome::Analysed {
            self.outcome = outcome;
        }
    }

    fn event(&mut self, event: ReassemblyEvent) {
        self.out.reassembly(event);
    }
}
