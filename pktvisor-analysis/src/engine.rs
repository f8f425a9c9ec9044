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

mod messages;

use pktvisor_common::classify::{Captured, Class, flags};
use pktvisor_common::direction::{Direction, HostNetworks, direction};
use pktvisor_common::packet::{Packet, Stamp};
use pktvisor_common::sampling::{self, SampleRate};

use crate::flow::{Flow, Transport};
use crate::fragments::{Datagram, Fragments};
use crate::observer::{Observer, Outcome, ReassemblyEvent};
use crate::settings::{AnalysisLimits, AnalysisSettings};
use crate::streams::{StreamSink, Streams, TcpSegment};
use crate::transactions::{MessageTime, OpenQueries};
use messages::Messages;

/// One thread's analysis: its state between packets.
pub struct Analysis<H> {
    fragments: Fragments,
    streams: Streams,
    messages: Messages<H>,
}

impl<H: HostNetworks> Analysis<H> {
    /// An analysis before the first packet.
    pub fn new(settings: AnalysisSettings<H>) -> Self {
        Self::with_limits(settings, AnalysisLimits::default())
    }

    /// An analysis whose tables have these ceilings.
    pub fn with_limits(settings: AnalysisSettings<H>, limits: AnalysisLimits) -> Self {
        Self {
            fragments: Fragments::new(settings.dns_ports, limits.fragments),
            streams: Streams::new(limits.streams),
            messages: Messages::new(settings, limits.queries),
        }
    }

    /// Analyses one packet. Packets that the classifier did not mark as DNS are skipped.
    #[inline(always)]
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

    /// The direction of a packet, seen from HOST.
    pub fn direction(&self, class: &Class) -> Direction {
        direction(class, &self.messages.settings.host)
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
        self.messages.expire(now_ns, out);
        self.messages.update_waiting(out);
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

    /// Memory for segments and fragments that wait, in bytes: never above the sum of their
    /// [limits](AnalysisLimits) between two calls.
    pub fn buffered_bytes(&self) -> usize {
        self.streams.buffered_bytes() + self.fragments.buffered_bytes()
    }

    /// Queries that wait for their response, as of the last [advance](Self::advance).
    pub fn open_queries(&self) -> OpenQueries {
        self.messages.transactions.open_queries()
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
        let at = messages::time(packet);
        let Datagram { flow, message, captured, .. } =
            self.fragments.fragment(packet.data, class, at.ns, |event| out.reassembly(event))?;
        Some(self.messages.reassembled(&flow, message, captured, at, out))
    }
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
