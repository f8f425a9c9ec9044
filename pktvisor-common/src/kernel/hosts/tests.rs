//! Networks at their bounds, full tables, and random networks.

use proptest::prelude::*;

use super::*;
use crate::address::widened;

/// An address that owns its bytes.
#[derive(Clone, Copy)]
struct OwnedAddress(IpVersion, [u8; 16]);

impl OwnedAddress {
    fn get(&self) -> Address<'_> {
        Address::new(self.0, &self.1)
    }
}

fn v4(a: u8, b: u8, c: u8, d: u8) -> OwnedAddress {
    OwnedAddress(IpVersion::V4, widened([a, b, c, d]))
}

fn v4_bits(bits: u32) -> OwnedAddress {
    OwnedAddress(IpVersion::V4, widened(bits.to_be_bytes()))
}

fn v6(start: &[u8]) -> OwnedAddress {
    let mut address = [0; 16];
    address[..start.len()].copy_from_slice(start);
    OwnedAddress(IpVersion::V6, address)
}

#[test]
fn a_network_ends_at_its_length_and_within_its_ip_version() {
    let mut hosts = HostTable::EMPTY;
    hosts.insert(v4(192, 0, 2, 77).get(), 24).unwrap();
    hosts.insert(v6(&[0x20, 0x01, 0x0d, 0xb8]).get(), 33).unwrap();
    assert!(hosts.contains(v4(192, 0, 2, 255).get()) && hosts.contains(v4(192, 0, 2, 0).get()));
    assert!(!hosts.contains(v4(192, 0, 3, 0).get()) && !hosts.contains(v4(192, 0, 1, 255).get()));
    assert!(hosts.contains(v6(&[0x20, 0x01, 0x0d, 0xb8, 0x7f]).get()));
    assert!(!hosts.contains(v6(&[0x20, 0x01, 0x0d, 0xb8, 0x80]).get()));
    // The same bytes as 192.0.2.1, but an IPv6 address.
    assert!(!hosts.contains(v6(&[192, 0, 2, 1]).get()));
}

#[test]
fn a_length_beyond_the_address_means_one_address_and_length_0_means_all() {
    let mut one = HostTable::EMPTY;
    one.insert(v4(10, 0, 0, 1).get(), 200).unwrap();
    assert!(one.contains(v4(10, 0, 0, 1).get()) && !one.contains(v4(10, 0, 0, 0).get()));
    let mut all = HostTable::EMPTY;
    assert!(!all.contains(v6(&[]).get()));
    all.insert(v6(&[1; 16]).get(), 0).unwrap();
    assert!(all.contains(v6(&[0xee; 16]).get()) && !all.contains(v4(1, 1, 1, 1).get()));
}

#[test]
fn a_full_table_refuses_new_networks_and_accepts_contained_ones() {
    let mut hosts = HostTable::EMPTY;
    for i in 0..NETWORKS_MAX as u32 {
        hosts.insert(v6(&(i * 2).to_be_bytes()).get(), 32).unwrap();
    }
    assert_eq!(hosts.insert(v6(&[0xff]).get(), 32), Err(HostTableFull));
    assert_eq!(hosts.insert(v6(&[0, 0, 0, 2, 9]).get(), 64), Ok(()));
    assert!(hosts.contains(v6(&[0, 0, 0, 2, 9]).get()) && !hosts.contains(v6(&[0, 0, 0, 3]).get()));
    // One that holds them all makes room.
    assert_eq!(hosts.insert(v6(&[0]).get(), 8), Ok(()));
    assert_eq!(hosts.insert(v6(&[0xff]).get(), 32), Ok(()));
    assert!(hosts.contains(v6(&[0, 0, 0, 3]).get()) && !hosts.contains(v6(&[1]).get()));
}

proptest! {
    #[test]
    fn a_set_of_few_or_many_networks_holds_the_addresses_of_each(
        networks in proptest::collection::vec((0..4096_u32, 18..=32_u8), 0..80),
        low in 0..4200_u32,
    ) {
        let mut hosts = HostTable::EMPTY;
        let shifted = |low: u32| v6(&[0, 0, 0, 0, 0, 0, (low >> 8) as u8, low as u8, 0xff]);
        for (address, len) in &networks {
            hosts.insert(v4_bits(*address).get(), *len).unwrap();
            // The same around the middle of an IPv6 address.
            hosts.insert(shifted(*address).get(), len + 32).unwrap();
        }
        let expected = networks.iter().any(|(address, len)| {
            let mask = u32::MAX << (32 - len);
            address & mask == low & mask
        });
        prop_assert_eq!(hosts.contains(v4_bits(low).get()), expected);
        prop_assert_eq!(hosts.contains(shifted(low).get()), expected);
    }
}
