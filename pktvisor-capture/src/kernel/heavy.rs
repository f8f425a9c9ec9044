//! The heavy hitters of all processors, merged.

use pktvisor_common::kernel::heavy::{Heavy, HeavyTable, V4Bucket, V6Bucket};

/// The addresses with the most packets since the last collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeavyHitters {
    /// By the 4 bytes of an IPv4 address.
    pub v4: Hitters<[u8; 4]>,
    /// By the 16 bytes of an IPv6 address.
    pub v6: Hitters<[u8; 16]>,
}

/// The addresses of one IP version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hitters<K> {
    /// Each address once.
    pub addresses: Vec<Hitter<K>>,
    /// Packets of addresses that the kernel had no room for.
    pub missed: u64,
    /// No address that is not in the list had more packets.
    pub absent_max: u64,
}

/// The bounds of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hitter<K> {
    /// Its bytes.
    pub address: K,
    /// Packets from and to it.
    pub packets: u64,
    /// At most this many more were missed.
    pub missed_max: u64,
}

impl<K> Default for Hitters<K> {
    fn default() -> Self {
        Self { addresses: Vec::new(), missed: 0, absent_max: 0 }
    }
}

impl HeavyHitters {
    /// Merges the tables of all processors.
    pub(super) fn of(tables: &[&HeavyTable]) -> Self {
        Self {
            v4: Hitters::of(
                tables,
                |table| &table.v4,
                V4Bucket::missed,
                |bucket, into| into.extend(bucket.iter()),
            ),
            v6: Hitters::of(
                tables,
                |table| &table.v6,
                V6Bucket::missed,
                |bucket, into| into.extend(bucket.iter()),
            ),
        }
    }
}

impl<K: Copy + Ord> Hitters<K> {
    /// An address has the same bucket on every processor, and what is known of it depends on that
    /// bucket only.
    fn of<B, const N: usize>(
        tables: &[&HeavyTable],
        buckets: impl Fn(&HeavyTable) -> &[B; N],
        missed: impl Fn(&B) -> u32,
        list: impl Fn(&B, &mut Vec<Heavy<K>>),
    ) -> Self {
        let mut this = Self::default();
        let (mut found, mut all) = (Vec::new(), Vec::new());
        for i in 0..N {
            let of_all: u64 = tables.iter().map(|table| u64::from(missed(&buckets(table)[i]))).sum();
            this.missed += of_all;
            this.absent_max = this.absent_max.max(of_all);
            for table in tables {
                let bucket = &buckets(table)[i];
                list(bucket, &mut found);
                // Packets that this bucket missed later are not of an address that had a slot by
                // then.
                all.extend(found.drain(..).map(|heavy| {
                    let later = u64::from(missed(bucket)).saturating_sub(u64::from(heavy.missed_before));
                    (heavy.address, u64::from(heavy.packets), later)
                }));
            }
            all.sort_unstable_by_key(|(address, ..)| *address);
            for same in all.chunk_by(|(a, ..), (b, ..)| a == b) {
                let Some((address, ..)) = same.first() else { continue };
                let later: u64 = same.iter().map(|(.., later)| later).sum();
                this.addresses.push(Hitter {
                    address: *address,
                    packets: same.iter().map(|(_, packets, _)| packets).sum(),
                    missed_max: of_all.saturating_sub(later),
                });
            }
            all.clear();
        }
        this
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use pktvisor_common::address::{Address, IpVersion};
    use pktvisor_common::kernel::heavy::seen;

    use super::*;

    /// Traffic over several processors: the bounds of each address hold.
    #[test]
    fn the_merged_tables_of_several_processors_bound_the_truth() {
        for version in [IpVersion::V4, IpVersion::V6] {
            let mut tables: Vec<_> = (0..3).map(|_| Box::new(HeavyTable::EMPTY)).collect();
            let mut truth: HashMap<[u8; 16], u64> = HashMap::new();
            let mut state = 7_u64;
            for i in 0..100_000_u32 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let random = (state >> 33) as u32;
                // Some are on all processors, some on one, most are rare.
                let number = match i % 4 {
                    0 => random % 20,
                    1 => random % 1_000,
                    _ => random,
                };
                let mut address = [0; 16];
                address[..4].copy_from_slice(&number.to_be_bytes());
                *truth.entry(address).or_default() += 1;
                let cpu = if number % 2 == 0 { random >> 7 } else { number } as usize % tables.len();
                tables[cpu].add(Address::new(version, &address), 1, seen::SOURCE_IN, 5);
            }
            let tables: Vec<&HeavyTable> = tables.iter().map(|table| &**table).collect();
            let hitters = HeavyHitters::of(&tables);
            let (found, missed, absent_max): (HashMap<_, _>, _, _) = match version {
                IpVersion::V4 => (
                    hitters
                        .v4
                        .addresses
                        .iter()
                        .map(|h| (widened(h.address), (h.packets, h.missed_max)))
                        .collect(),
                    hitters.v4.missed,
                    hitters.v4.absent_max,
                ),
                IpVersion::V6 => (
                    hitters.v6.addresses.iter().map(|h| (h.address, (h.packets, h.missed_max))).collect(),
                    hitters.v6.missed,
                    hitters.v6.absent_max,
                ),
            };
            for (address, truth) in &truth {
                match found.get(address) {
                    Some((lower, missed)) => {
                        assert!(lower <= truth && *truth <= lower + missed, "{address:?}")
                    }
                    None => assert!(*truth <= absent_max, "{address:?}"),
                }
            }
            let counted: u64 = found.values().map(|(packets, _)| packets).sum();
            assert_eq!(counted + missed, 100_000, "IP{version:?}");
        }
    }

    fn widened(address: [u8; 4]) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&address);
        bytes
    }
}
