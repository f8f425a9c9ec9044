//! One capture thread's share of the live period: counts packets, and records the findings of
//! analysis.

use std::mem;

use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{
    ClientSide, ExchangeEnds, Flow, InspectedMessage, Observer, Outcome, ReassemblyEvent, TimedOutQuery,
    Transaction, WaitingQuery,
};
use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::{Captured, Class};
use pktvisor_common::counters::Counters;
use pktvisor_common::hll;

use crate::evidence::SecondEvidence;
use crate::frequent::{Item, Key, ListLimits};
use crate::keys::{Asked, MessageKeys, PacketKeys, Party};
use crate::period::PeriodRecord;
use crate::settings::{ClientPrefix, RecorderSettings};

/// Records packets and findings in the live period.
#[derive(Debug)]
pub struct Recorder {
    period: PeriodRecord,
    settings: RecorderSettings,
    /// `None` if nobody asks for findings.
    evidence: Option<Box<SecondEvidence>>,
    /// The client of a slow transaction, which the next message completed.
    slow: Option<ClientSide>,
}

impl Recorder {
    pub(super) fn new(settings: RecorderSettings) -> Self {
        Self { period: PeriodRecord::new(0), settings, evidence: None, slow: None }
    }

    /// Keeps evidence of zones, servers and clients from now on.
    pub(super) fn begin_evidence(&mut self) {
        self.evidence = Some(Box::default());
    }

    /// The evidence of the running second, if it is kept.
    pub(super) fn evidence(&mut self) -> Option<&mut Box<SecondEvidence>> {
        self.evidence.as_mut()
    }

    /// A recorder with smaller lists.
    pub(super) fn with_limits(settings: RecorderSettings, limits: ListLimits) -> Self {
        let mut recorder = Self::new(settings);
        recorder.period.limit_lists(limits);
        recorder
    }

    pub(super) fn set_client_prefix(&mut self, prefix: ClientPrefix) {
        self.settings.client_prefix = Some(prefix);
    }

    pub(super) fn period(&self) -> &PeriodRecord {
        &self.period
    }

    /// Hands over the live period and begins an empty one.
    pub(super) fn take(&mut self, next_start_s: u64) -> PeriodRecord {
        std::mem::replace(&mut self.period, PeriodRecord::new(next_start_s))
    }

    /// Sets the length of the live period at the second `newest`.
    pub(super) fn measure(&mut self, newest: u64, begun: u64) {
        self.period.length_s = newest.saturating_sub(self.period.start_s) + begun;
    }

    pub(super) fn begin(&mut self, start_s: u64) {
        self.period.start_s = start_s;
    }

    pub(super) fn out_of_order(&mut self) {
        self.period.packets.out_of_order += 1;
    }

    pub(super) fn time_jumps(&mut self, count: u64) {
        self.period.packets.time_jumps += count;
    }

    pub(super) fn second(&mut self, received: u64, sent: u64) {
        self.period.packets.rates.second(received, sent);
    }

    pub(super) fn quiet_seconds(&mut self, count: u64) {
        self.period.packets.rates.quiet_seconds(count);
    }

    /// Exchanges what is recorded of messages with `other`, so that one thread can record messages
    /// while another counts packets. Counts of `other` stay here. A second exchange is the way back;
    /// until then this recorder has no messages.
    pub fn exchange_messages(&mut self, other: &mut Self) {
        mem::swap(&mut self.period.dns, &mut other.period.dns);
        mem::swap(&mut self.period.messages, &mut other.period.messages);
        mem::swap(&mut self.period.outcomes, &mut other.period.outcomes);
        mem::swap(&mut self.evidence, &mut other.evidence);
        // Messages that reassembly completes are counted with those of whole datagrams.
        self.period.counters.add(&mem::take(&mut other.period.counters));
    }

    #[inline]
    pub(super) fn prefetch_packet(&self, keys: &PacketKeys<'_>) {
        self.period.packets.prefetch(keys);
    }

    #[inline]
    pub(super) fn packet(&mut self, class: &Class, keys: &PacketKeys<'_>, wire_len: u32) {
        self.period.counters.count(class, keys.direction, wire_len);
        self.period.packets.packet(keys);
    }

    /// Adds the counters of the kernel, of which `lost` DNS packets never reached analysis.
    pub(super) fn counted(&mut self, counters: &Counters, lost: u64) {
        self.period.counters.add(counters);
        self.period.outcomes.lost += lost;
    }

    /// Merges the registers of remote addresses: the sources of packets to HOST, and the
    /// destinations of packets from HOST.
    pub fn distinct_addresses(
        &mut self,
        sources_in: &[u8; hll::REGISTERS],
        destinations_out: &[u8; hll::REGISTERS],
    ) {
        self.period.packets.cardinality.src_ips_in.merge_registers(sources_in);
        self.period.packets.cardinality.dst_ips_out.merge_registers(destinations_out);
    }

    /// Merges a summary of remote addresses of one IP version by packets: its items, with the keys
    /// of [`address_key`](super::address_key), and the bound for all other addresses.
    pub fn frequent_addresses<'a>(
        &mut self,
        ip_version: IpVersion,
        bound: u64,
        items: impl Iterator<Item = Item<'a>>,
    ) {
        self.period.packets.addresses(ip_version).merge_items(bound, items);
    }

    /// Adds `packets` packets with an unknown remote address.
    pub fn located_nowhere(&mut self, packets: u64) {
        self.period.packets.top_geo_loc.add_error(packets);
        self.period.packets.top_asn.add_error(packets);
    }

    /// Counts `packets` of a remote address by its place and network.
    pub fn located(&mut self, place: Option<&str>, network: Option<&str>, packets: u64) {
        if let Some(place) = place {
            self.period.packets.top_geo_loc.add(Key::new(0, place.as_bytes()), packets);
        }
        if let Some(network) = network {
            self.period.packets.top_asn.add(Key::new(0, network.as_bytes()), packets);
        }
    }
}

impl Observer for Recorder {
    fn reassembled(&mut self, flow: &Flow, header_flags: u16, captured: Captured) {
        self.period.counters.dns.count(header_flags, flow.transport, flow.addresses.version(), captured);
    }

    type Keys<'m> = MessageKeys<'m>;
    type EndKeys<'m> = Option<Party<'m>>;

    #[inline]
    fn end_keys<'m>(&self, ends: &ExchangeEnds<'m>) -> Option<Party<'m>> {
        Party::of(ends)
    }

    #[inline]
    fn prefetch_ends(&self, party: &Option<Party<'_>>) {
        if let Some(party) = party {
            self.period.dns.prefetch_party(party);
        }
    }

    #[inline]
    fn keys<'m>(&self, party: Option<Party<'m>>, head: &MessageHead<'m>) -> MessageKeys<'m> {
        MessageKeys::of(party, head, self.settings.name_cut)
    }

    #[inline]
    fn prefetch_message(&self, head: &MessageHead<'_>, keys: &MessageKeys<'_>) {
        self.period.dns.prefetch(head, keys);
    }

    #[inline]
    fn message(&mut self, flow: &Flow, message: &Message<'_>, keys: &MessageKeys<'_>) {
        self.period.messages += 1;
        self.period.dns.message(flow, message, keys);
        if let (Some(client), Some(question)) = (self.slow.take(), &message.question) {
            self.period.dns.slow_name(client, question);
        }
        if let (Some(prefix), Some(party), false) =
            (self.settings.client_prefix, keys.party(), message.is_response())
            && party.asked == Asked::Host
        {
            self.period.dns.client_prefix(party, prefix);
        }
    }

    #[inline]
    fn inspects(&self, exchange_hash: u32) -> bool {
        self.evidence.as_ref().is_some_and(|evidence| evidence.inspects(exchange_hash))
    }

    fn inspected_message(&mut self, inspected: &InspectedMessage<'_, MessageKeys<'_>>) {
        if let Some(evidence) = &mut self.evidence {
            evidence.message(inspected);
        }
    }

    fn query_waits(&mut self, query: &WaitingQuery) {
        if let Some(evidence) = &mut self.evidence {
            evidence.query_waits(query);
        }
    }

    fn malformed(&mut self) {
        self.period.dns.wire_packets.malformed += 1;
    }

    #[inline]
    fn prefetch_udp_port(&self, port: u16) {
        self.period.dns.top_udp_ports.prefetch(port);
    }

    #[inline]
    fn udp_port(&mut self, port: u16) {
        self.period.dns.top_udp_ports.add(port, 1);
    }

    #[inline]
    fn transaction(&mut self, transaction: &Transaction<'_>, keys: &MessageKeys<'_>) {
        self.slow = self.period.dns.transaction(transaction, keys).then_some(transaction.client);
    }

    fn transaction_counts(&mut self, counts: &TransactionCounts) {
        self.period.dns.transaction_counts(counts);
    }

    fn orphan(&mut self, side: ClientSide) {
        self.period.dns.orphan(side);
    }

    fn timed_out(&mut self, query: &TimedOutQuery<'_>) {
        self.period.dns.timed_out(query, self.settings.name_cut);
    }

    fn reassembly(&mut self, event: ReassemblyEvent) {
        self.period.dns.reassembly.add(event);
    }

    #[inline]
    fn outcome(&mut self, outcome: Outcome, count: u64) {
        self.period.outcomes.add(outcome, count);
    }
}
