//! Remote addresses: the most frequent ones, their places and networks, and how many there are.

use pktvisor_common::address::{Address, IpVersion};
use pktvisor_common::direction::Direction;

use crate::context::Context;
use crate::frequent::{FrequentItems, Mark};
use crate::keys::PacketKeys;
use crate::record::record;

pktvisor_definitions::packets!(record);
pktvisor_definitions::ip_cardinality!(record);
pktvisor_definitions::packet_rates!(record);

/// Only packets of known direction have a remote end.
impl PacketRecord {
    /// Prefetches the memory where the remote end of a packet will be counted.
    #[inline]
    pub(super) fn prefetch(&self, keys: &PacketKeys<'_>) {
        let Some((remote, key)) = keys.remote else { return };
        let items = match remote.version() {
            IpVersion::V4 => &self.top_ipv4,
            IpVersion::V6 => &self.top_ipv6,
        };
        items.prefetch(key);
    }

    /// Counts the remote end of a packet.
    #[inline(always)]
    pub(super) fn packet(&mut self, keys: &PacketKeys<'_>) {
        let Some((remote, key)) = keys.remote else { return };
        let is_received = keys.direction == Direction::Received;
        let mark = if is_received { Mark::First } else { Mark::Second };
        // A listed address with the mark of this direction has been counted there.
        if self.addresses(remote.version()).add_and_mark(key, mark) {
            return;
        }
        self.count_distinct(remote, keys.direction);
    }

    #[inline(never)]
    fn count_distinct(&mut self, remote: Address<'_>, direction: Direction) {
        let cardinality = &mut self.cardinality;
        match direction {
            Direction::Received => cardinality.src_ips_in.add_address(remote),
            Direction::Sent => cardinality.dst_ips_out.add_address(remote),
            Direction::Unknown => {}
        }
    }

    /// The remote addresses of one IP version.
    #[inline]
    pub(super) fn addresses(&mut self, ip_version: IpVersion) -> &mut FrequentItems {
        match ip_version {
            IpVersion::V4 => &mut self.top_ipv4,
            IpVersion::V6 => &mut self.top_ipv6,
        }
    }
}

impl PacketRatesRecord {
    pub(super) fn second(&mut self, received: u64, sent: u64) {
        self.pps_in.record(received);
        self.pps_out.record(sent);
    }

    pub(super) fn quiet_seconds(&mut self, count: u64) {
        self.pps_in.record_n(0, count);
        self.pps_out.record_n(0, count);
    }
}

/// The rows that are computed from others.
impl PacketRecord {
    pub(super) fn total(context: &Context<'_>) -> u64 {
        context.counters.packets.total()
    }

    pub(super) fn deep_samples(context: &Context<'_>) -> u64 {
        Self::total(context).saturating_sub(context.not_analysed)
    }

    pub(super) fn bytes_total(context: &Context<'_>) -> u64 {
        context.counters.packets.total_bytes()
    }
}
