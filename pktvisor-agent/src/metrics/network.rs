//! Who talks: remote addresses, where they are, and how many.

use pktvisor_common::classify::Class;
use pktvisor_common::direction::Direction;

use super::Cardinality;
use super::frequent::{FrequentItems, Key, Limits};

/// What an address of a [`Class`] is counted under.
#[inline]
pub fn address_key(address: &[u8; 16], ip_version: u8) -> Key<'_> {
    match ip_version {
        4 => Key { tag: 4, bytes: &address[..4] },
        _ => Key { tag: 6, bytes: address },
    }
}

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
        self.addresses(class.ip_version).add(address_key(remote, class.ip_version), 1);
    }

    /// The remote addresses of one IP version.
    #[inline]
    pub(super) fn addresses(&mut self, ip_version: u8) -> &mut FrequentItems {
        if ip_version == 4 { &mut self.ipv4 } else { &mut self.ipv6 }
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
