//! HOST: the networks that decide the direction of a packet.
//!
//! Networks nest or are apart, never half over each other; merged and sorted they are ranges of
//! which at most one can hold an address. A few ranges are compared one after the other, many by
//! binary search.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use pktvisor_common::address::{Address, IpVersion};
use pktvisor_common::direction::HostNetworks;

/// Up to this many ranges looking at each is faster than searching.
const LINEAR_MAX: usize = 8;

/// The networks that are HOST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet {
    networks: Vec<IpNet>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl HostSet {
    /// The networks, merged where one holds another: IPv4 first, each by address.
    pub fn networks(&self) -> &[IpNet] {
        &self.networks
    }

    /// Whether nothing is HOST, so that every direction is unknown.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether `address` is HOST.
    pub fn contains_address(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }
}

impl FromIterator<IpNet> for HostSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for network in networks {
            match network {
                IpNet::V4(network) => v4.push(network),
                IpNet::V6(network) => v6.push(network),
            }
        }
        let mut v4 = Ipv4Net::aggregate(&v4);
        let mut v6 = Ipv6Net::aggregate(&v6);
        v4.sort_unstable();
        v6.sort_unstable();
        Self {
            networks: v4.iter().copied().map(IpNet::V4).chain(v6.iter().copied().map(IpNet::V6)).collect(),
            v4: v4
                .iter()
                .map(|network| (network.network().to_bits(), network.broadcast().to_bits()))
                .collect(),
            v6: v6
                .iter()
                .map(|network| (network.network().to_bits(), network.broadcast().to_bits()))
                .collect(),
        }
    }
}

impl HostNetworks for HostSet {
    #[inline]
    fn contains(&self, address: Address<'_>) -> bool {
        match address.version() {
            IpVersion::V4 => {
                let [a, b, c, d, ..] = *address.bytes();
                self.v4.contains(u32::from_be_bytes([a, b, c, d]))
            }
            IpVersion::V6 => self.v6.contains(u128::from_be_bytes(*address.bytes())),
        }
    }
}

/// Disjoint ranges, sorted: first and last address of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges<T>(Vec<(T, T)>);

impl<T: Copy + Ord> Ranges<T> {
    #[inline]
    fn contains(&self, address: T) -> bool {
        if self.0.len() <= LINEAR_MAX {
            return self.0.iter().any(|&(first, last)| first <= address && address <= last);
        }
        let after = self.0.partition_point(|&(first, _)| first <= address);
        self.0.get(after.wrapping_sub(1)).is_some_and(|&(_, last)| address <= last)
    }
}

impl<T> FromIterator<(T, T)> for Ranges<T> {
    fn from_iter<I: IntoIterator<Item = (T, T)>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use pktvisor_common::address::address_bytes;
    use proptest::prelude::*;

    use super::*;

    fn hosts(spec: &[&str]) -> HostSet {
        spec.iter().map(|network| network.parse::<IpNet>().unwrap()).collect()
    }

    fn has(hosts: &HostSet, address: &str) -> bool {
        hosts.contains_address(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_its_first_and_last_address_and_no_neighbour() {
        let hosts = hosts(&["192.0.2.64/26", "2001:db8::/32"]);
        for inside in ["192.0.2.64", "192.0.2.127", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"] {
            assert!(has(&hosts, inside), "{inside}");
        }
        for outside in ["192.0.2.63", "192.0.2.128", "2001:db7:ffff::", "2001:db9::", "::192.0.2.64"] {
            assert!(!has(&hosts, outside), "{outside}");
        }
    }

    #[test]
    fn an_empty_set_holds_nothing_and_length_0_everything_of_its_version() {
        assert!(!has(&hosts(&[]), "0.0.0.0") && hosts(&[]).is_empty());
        let all = hosts(&["0.0.0.0/0"]);
        assert!(has(&all, "0.0.0.0") && has(&all, "255.255.255.255") && !has(&all, "::"));
    }

    #[test]
    fn nested_and_repeated_networks_become_one() {
        let hosts = hosts(&["10.1.2.3/32", "10.0.0.0/8", "10.0.0.0/8", "10.9.9.9/16"]);
        assert_eq!(hosts.networks(), ["10.0.0.0/8".parse::<IpNet>().unwrap()]);
    }

    fn network() -> impl Strategy<Value = IpNet> {
        // Close together, so that networks nest, touch and repeat.
        let v4 = (0..1024_u32, 20..=32_u8)
            .prop_map(|(low, length)| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::from_bits(low), length)));
        let v6 = (0..1024_u128, 116..=128_u8)
            .prop_map(|(low, length)| IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(low), length)));
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn a_set_of_few_or_many_networks_holds_the_addresses_of_each(
            networks in proptest::collection::vec(network(), 0..80),
            low in 0..1100_u32,
        ) {
            let hosts: HostSet = networks.iter().copied().collect();
            for address in [IpAddr::from(Ipv4Addr::from_bits(low)), Ipv6Addr::from_bits(low.into()).into()] {
                let expected = networks.iter().any(|network| network.contains(&address));
                prop_assert_eq!(hosts.contains_address(address), expected);
                let bytes = address_bytes(address);
                let borrowed = Address::new(IpVersion::of(&address), &bytes);
                prop_assert_eq!(HostNetworks::contains(&hosts, borrowed), expected);
            }
        }
    }
}
