//! Who talks: remote addresses, where they are, and how many.

use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;

use super::Cardinality;
use super::frequent::{FrequentItems, Key, Limits};

/// The addresses of one period. Only packets of known direction have a remote end.
#[derive(Clone, Debug)]
pub(super) struct NetworkMetrics {
    /// Sources of packets to HOST.
    pub sources_in: Cardinality,
    /// Destinations of packets from HOST.
    pub destinations_out: Cardinality,
    /// Remote IPv4 addresses, 4 bytes each, by packets.
    pub ipv4: FrequentItems,
    /// Remote IPv6 addresses, 16 bytes each, by packets.
    pub ipv6: FrequentItems,
    /// Places of the remote addresses, as text, by packets.
    pub places: FrequentItems,
    /// Networks of the remote addresses, as text, by packets.
    pub networks: FrequentItems,
}

impl NetworkMetrics {
    pub(super) fn new() -> Self {
        let items = || FrequentItems::new(Limits::LIVE);
        Self {
            sources_in: Cardinality::default(),
            destinations_out: Cardinality::default(),
            ipv4: items(),
            ipv6: items(),
            places: items(),
            networks: items(),
        }
    }

    /// Counts the remote end of a packet.
    #[inline]
    pub(super) fn packet(&mut self, class: &Class, direction: Direction) {
        let remote = match direction {
            Direction::Received => {
                self.sources_in.add_address(&class.source, class.ip_version);
                &class.source
            }
            Direction::Sent => {
                self.destinations_out.add_address(&class.destination, class.ip_version);
                &class.destination
            }
            Direction::Unknown => return,
        };
        match class.ip_version {
            4 => self.ipv4.add(Key { tag: 4, bytes: &remote[..4] }, 1),
            _ => self.ipv6.add(Key { tag: 6, bytes: remote }, 1),
        }
    }

    /// Brings what was counted into the lists, before they are read.
    pub(super) fn settle(&mut self) {
        for items in [&mut self.ipv4, &mut self.ipv6, &mut self.places, &mut self.networks] {
            items.settle();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sources_in.merge(&other.sources_in);
        self.destinations_out.merge(&other.destinations_out);
        self.ipv4.merge(&other.ipv4);
        self.ipv6.merge(&other.ipv6);
        self.places.merge(&other.places);
        self.networks.merge(&other.networks);
    }

    pub(super) fn shrink(&mut self, limits: Limits) {
        for items in [&mut self.ipv4, &mut self.ipv6, &mut self.places, &mut self.networks] {
            items.shrink(limits);
        }
    }
}
