//! Remote addresses: the most frequent ones, their places and networks, and how many there are.

use pktvisor_common::address::IpVersion;
use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;

use crate::context::Context;
use crate::frequent::{FrequentItems, Mark};
use crate::keys::address_key;
use crate::record::record;

pktvisor_definitions::packets!(record);
pktvisor_definitions::ip_cardinality!(record);
pktvisor_definitions::packet_rates!(record);

/// Only packets of known direction have a remote end.
impl PacketRecord {
    /// Prefetches the memory where the remote end of a packet will be counted.
    #[inline]
    pub(super) fn prefetch(&self, class: &Class, direction: Direction) {
        let Some(remote) = direction.remote(class) else { return };
        let items = match remote.version() {
            IpVersion::V4 => &self.top_ipv4,
            IpVersion::V6 => &self.top_ipv6,
        };
        items.prefetch(address_key(remote));
    }

    /// Counts the remote end of a packet.
    #[inline]
    pub(super) fn packet(&mut self, class: &Class, direction: Direction) {
        let Some(remote) = direction.remote(class) else { return };
        let mark = if direction == Direction::Received { Mark::First } else { Mark::Second };
        let key = address_key(remote);
        // A listed address with the mark of this direction has been counted there.
        if self.addresses(remote.version()).add_and_mark(key, mark) {
            return;
        }
        let distinct = if mark == Mark::First {
            &mut self.cardinality.src_ips_in
        } else {
            &mut self.cardinality.dst_ips_out
        };
        distinct.add_address(remote);
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
