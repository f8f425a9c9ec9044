//! The bounds of a table, compared with the true counts.

use std::collections::HashMap;

use super::*;

/// A table and the truth.
struct Trial {
    table: Box<HeavyTable>,
    truth: HashMap<[u8; 16], u32>,
    version: IpVersion,
}

impl Trial {
    fn new(version: IpVersion) -> Self {
        Self { table: Box::new(HeavyTable::EMPTY), truth: HashMap::new(), version }
    }

    fn packet(&mut self, address: u32, packets: u32) {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&address.to_be_bytes());
        if self.version == IpVersion::V6 {
            bytes[8..12].copy_from_slice(&(!address).to_be_bytes());
        }
        *self.truth.entry(bytes).or_default() += packets;
        self.table.add(Address::new(self.version, &bytes), packets, seen::SOURCE_IN, 77);
    }

    fn found(&self) -> HashMap<[u8; 16], (u32, u32)> {
        let v4 = self.table.v4.iter().flat_map(V4Bucket::iter).map(|heavy| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&heavy.address);
            (bytes, (heavy.packets, heavy.missed_before))
        });
        let v6 = self.table.v6.iter().flat_map(V6Bucket::iter);
        let v6 = v6.map(|heavy| (heavy.address, (heavy.packets, heavy.missed_before)));
        v4.chain(v6).collect()
    }

    fn missed(&self) -> (u64, u32) {
        let missed =
            || self.table.v4.iter().map(V4Bucket::missed).chain(self.table.v6.iter().map(V6Bucket::missed));
        (missed().map(u64::from).sum(), missed().max().unwrap())
    }

    /// The promises of the module's documentation.
    fn check(&self) {
        let found = self.found();
        let (missed, missed_max) = self.missed();
        for (address, truth) in &self.truth {
            match found.get(address) {
                Some((packets, before)) => {
                    assert!(packets <= truth && *truth <= packets + before, "{address:?}: {truth}");
                }
                None => assert!(*truth <= missed_max, "{address:?}: {truth}"),
            }
        }
        let counted: u64 = found.values().map(|(packets, _)| u64::from(*packets)).sum();
        assert_eq!(counted + missed, self.truth.values().map(|n| u64::from(*n)).sum::<u64>());
    }
}

fn random(state: &mut u64) -> u32 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 32) as u32
}

#[test]
fn few_addresses_are_counted_exactly() {
    for version in [IpVersion::V4, IpVersion::V6] {
        let mut trial = Trial::new(version);
        for i in 0..10_000 {
            trial.packet(i % 150, 1 + i % 3);
        }
        trial.check();
        assert_eq!(trial.missed().0, 0);
        assert_eq!(trial.found().len(), 150);
    }
}

#[test]
fn heavy_hitters_keep_their_slots_in_a_flood_of_random_addresses() {
    for version in [IpVersion::V4, IpVersion::V6] {
        let mut trial = Trial::new(version);
        let mut state = 1;
        for i in 0..1_000_000_u32 {
            // Every hundredth packet is from one of ten addresses.
            match i % 100 {
                0 => trial.packet(i / 100 % 10, 1),
                _ => trial.packet(random(&mut state), 1),
            }
        }
        trial.check();
        let found = trial.found();
        for heavy in 0..10_u32 {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&heavy.to_be_bytes());
            if version == IpVersion::V6 {
                bytes[8..12].copy_from_slice(&(!heavy).to_be_bytes());
            }
            let (packets, _) = found.get(&bytes).copied().unwrap_or_default();
            assert!(packets > 900, "IP{version:?} {heavy}: {packets} of 1000");
        }
    }
}

#[test]
fn an_address_that_was_seen_is_known_to_have_been_seen_so() {
    let mut table = Box::new(HeavyTable::EMPTY);
    for version in [IpVersion::V4, IpVersion::V6] {
        for address in [[0; 16], [9; 16]] {
            assert!(!table.add(Address::new(version, &address), 1, seen::SOURCE_IN, 0));
            assert!(table.add(Address::new(version, &address), 1, seen::SOURCE_IN, 0));
            assert!(!table.add(Address::new(version, &address), 1, seen::DESTINATION_OUT, 0));
            assert!(table.add(Address::new(version, &address), 1, seen::DESTINATION_OUT, 0));
            assert!(table.add(Address::new(version, &address), 1, seen::SOURCE_IN, 0));
        }
    }
}

#[test]
fn neighbouring_addresses_spread_over_the_buckets() {
    for version in [IpVersion::V4, IpVersion::V6] {
        let mut trial = Trial::new(version);
        for i in 0..600 {
            trial.packet(0x0a00_0000 + i, 1);
        }
        let kept = trial.found().len();
        assert!(kept > 450, "IP{version:?}: {kept} of 600 neighbours");
        trial.check();
    }
}
