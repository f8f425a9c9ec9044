//! One capture thread's share of the live period: counts packets, and records the findings of
//! analysis.

use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::TransactionCounts;
use pktvisor_analysis::{
    Flow, Observer, Outcome, ReassemblyEvent, Transaction, WaitingQuery, WatchedMessage,
};
use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::{Captured, Class};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;
use pktvisor_common::hll;

use crate::frequent::{Item, Key};
use crate::keys::MessageKeys;
use crate::period::PeriodRecord;
use crate::watch::SecondWatch;

/// Records packets and findings in the live period.
#[derive(Debug)]
pub struct Recorder {
    period: PeriodRecord,
    name_cut: NameCut,
    /// `None` if nobody asks for findings.
    watch: Option<Box<SecondWatch>>,
}

impl Recorder {
    pub(super) fn new(name_cut: NameCut) -> Self {
        Self { period: PeriodRecord::new(0), name_cut, watch: None }
    }

    /// Watches zones, servers and clients from now on.
    pub(super) fn begin_watch(&mut self) {
        self.watch = Some(Box::default());
    }

    /// The zones, servers and clients of the running second, if they are watched.
    pub(super) fn watch(&mut self) -> Option<&mut Box<SecondWatch>> {
        self.watch.as_mut()
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

    #[inline]
    pub(super) fn prefetch_packet(&self, class: &Class, direction: Direction) {
        self.period.packets.prefetch(class, direction);
    }

    #[inline]
    pub(super) fn packet(&mut self, class: &Class, direction: Direction, wire_len: u32) {
        self.period.counters.count(class, direction, wire_len);
        self.period.packets.packet(class, direction);
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

    #[inline]
    fn keys<'m>(&self, head: &MessageHead<'m>) -> MessageKeys<'m> {
        MessageKeys::of(head, self.name_cut)
    }

    #[inline]
    fn prefetch_message(&self, head: &MessageHead<'_>, keys: &MessageKeys<'_>) {
        self.period.dns.prefetch(head, keys);
    }

    #[inline]
    fn message(&mut self, _flow: &Flow, message: &Message<'_>, keys: MessageKeys<'_>) {
        self.period.messages += 1;
        self.period.dns.message(message, keys);
    }

    #[inline]
    fn watches(&self, exchange_hash: u32) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.watches(exchange_hash))
    }

    fn watched_message(&mut self, watched: &WatchedMessage<'_, MessageKeys<'_>>) {
        if let Some(watch) = &mut self.watch {
            watch.message(watched);
        }
    }

    fn query_waits(&mut self, query: &WaitingQuery) {
        if let Some(watch) = &mut self.watch {
            watch.query_waits(query);
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
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        self.period.dns.xact.add(transaction);
    }

    fn transaction_counts(&mut self, counts: &TransactionCounts) {
        self.period.dns.xact.counts.add(counts);
    }

    fn reassembly(&mut self, event: ReassemblyEvent) {
        self.period.dns.reassembly.add(event);
    }

    #[inline]
    fn outcome(&mut self, outcome: Outcome, count: u64) {
        self.period.outcomes.add(outcome, count);
    }
}
