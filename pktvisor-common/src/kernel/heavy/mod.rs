//! Heavy hitters: the addresses with the most packets, in a table of fixed size that needs no hash
//! map.
//!
//! An address has its place in one bucket of few slots (the heavy part of an Elastic Sketch: Yang
//! et al., SIGCOMM 2018). Packets of an address without a slot are votes against the address with
//! the fewest packets in the bucket. When the votes are `VOTES` times as many as its packets, the
//! newcomer takes its slot. While an address has a slot, all its packets are counted there; the
//! bucket adds up all other packets, evicted ones included. So for each address
//!
//! - with a slot: packets counted ≤ true ≤ packets counted + what the bucket had missed before it came,
//! - without: true ≤ what its bucket has missed.
//!
//! The table is emptied every second, so that old addresses free their slots. A slot remembers
//! besides whether the address has been entered into the [cardinality](crate::hll) of this and that
//! direction: most packets need not hash it again.

#[cfg(test)]
mod tests;

use crate::address::{Address, IpVersion};

/// Slots of a bucket.
pub const SLOTS: usize = 5;
/// Buckets for IPv4 addresses.
pub const V4_BUCKETS: usize = 256;
/// Buckets for IPv6 addresses.
pub const V6_BUCKETS: usize = 128;
/// How many times the packets of a bucket's smallest address must come for others until it goes.
const VOTES: u64 = 4;

/// Where an address was entered; bits of a slot.
pub mod seen {
    /// Into the cardinality of sources of received packets.
    pub const SOURCE_IN: u64 = 1;
    /// Into the cardinality of destinations of sent packets.
    pub const DESTINATION_OUT: u64 = 1 << 1;

    pub(super) const BITS: u32 = 2;
}

/// The addresses of one processor and one second: a value of the map `HEAVY`, as large as a per-CPU
/// value may be.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub struct HeavyTable {
    /// Buckets for IPv4.
    pub v4: [V4Bucket; V4_BUCKETS],
    /// Buckets for IPv6.
    pub v6: [V6Bucket; V6_BUCKETS],
}

const _: () = assert!(size_of::<HeavyTable>() == 32 << 10);

/// 64 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub struct V4Bucket {
    slots: [HeavySlot; SLOTS],
    /// The bytes of the addresses, in memory order.
    keys: [u32; SLOTS],
    missed: u32,
}

/// 128 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub struct V6Bucket {
    slots: [HeavySlot; SLOTS],
    keys: [[u64; 2]; SLOTS],
    missed: u32,
    reserved: u32,
}

/// What is known of one address. One word, so that the smallest is found by comparing numbers; of
/// equal counts the older one is the smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
struct HeavySlot(u64);

impl HeavySlot {
    const MISSED_MAX: u32 = u32::MAX >> seen::BITS;

    #[inline(always)]
    fn new(packets: u32, missed_before: u32, seen: u64) -> Self {
        let missed_before = if missed_before > Self::MISSED_MAX { Self::MISSED_MAX } else { missed_before };
        Self(u64::from(packets) << 32 | u64::from(missed_before) << seen::BITS | seen)
    }

    #[inline(always)]
    fn packets(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    fn missed_before(self) -> u32 {
        self.0 as u32 >> seen::BITS
    }
}

/// An address of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heavy<K> {
    /// The bytes of the address.
    pub address: K,
    /// Packets that were counted.
    pub packets: u32,
    /// At most so many were not.
    pub missed_before: u32,
}

impl HeavyTable {
    /// A table without addresses.
    pub const EMPTY: Self = Self {
        v4: [V4Bucket { slots: [HeavySlot(0); SLOTS], keys: [0; SLOTS], missed: 0 }; V4_BUCKETS],
        v6: [V6Bucket { slots: [HeavySlot(0); SLOTS], keys: [[0; 2]; SLOTS], missed: 0, reserved: 0 };
            V6_BUCKETS],
    };

    /// Counts packets of an address; returns whether the address is known to have been [`seen`] so.
    /// `key` makes it hard to guess which addresses share a bucket.
    #[inline(always)]
    pub fn add(&mut self, address: Address<'_>, packets: u32, seen: u64, key: u64) -> bool {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address.bytes();
        match address.version() {
            IpVersion::V4 => {
                let address = u32::from_ne_bytes([a, b, c, d]);
                let bucket = &mut self.v4[(hash(u64::from(address), key) >> 56) as usize & (V4_BUCKETS - 1)];
                add(&mut bucket.slots, &mut bucket.keys, &mut bucket.missed, address, packets, seen)
            }
            IpVersion::V6 => {
                let high = u64::from_ne_bytes([a, b, c, d, e, f, g, h]);
                let low = u64::from_ne_bytes([i, j, k, l, m, n, o, p]);
                let hash = hash(hash(high, key), low);
                let bucket = &mut self.v6[(hash >> 57) as usize & (V6_BUCKETS - 1)];
                add(&mut bucket.slots, &mut bucket.keys, &mut bucket.missed, [high, low], packets, seen)
            }
        }
    }
}

impl V4Bucket {
    /// The addresses that have slots.
    pub fn iter(&self) -> impl Iterator<Item = Heavy<[u8; 4]>> + '_ {
        heavies(&self.slots, &self.keys).map(|(heavy, key)| heavy.with(key.to_ne_bytes()))
    }

    /// Packets that are in no slot.
    pub fn missed(&self) -> u32 {
        self.missed
    }
}

impl V6Bucket {
    /// The addresses that have slots.
    pub fn iter(&self) -> impl Iterator<Item = Heavy<[u8; 16]>> + '_ {
        heavies(&self.slots, &self.keys).map(|(heavy, [high, low])| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&high.to_ne_bytes());
            bytes[8..].copy_from_slice(&low.to_ne_bytes());
            heavy.with(bytes)
        })
    }

    /// Packets that are in no slot.
    pub fn missed(&self) -> u32 {
        self.missed
    }
}

impl Heavy<()> {
    fn with<K>(self, address: K) -> Heavy<K> {
        Heavy { address, packets: self.packets, missed_before: self.missed_before }
    }
}

fn heavies<K: Copy>(slots: &[HeavySlot; SLOTS], keys: &[K; SLOTS]) -> impl Iterator<Item = (Heavy<()>, K)> {
    slots.iter().zip(keys).filter(|(slot, _)| slot.packets() > 0).map(|(slot, key)| {
        (Heavy { address: (), packets: slot.packets(), missed_before: slot.missed_before() }, *key)
    })
}

/// A multiplicative hash: its high bits depend on every bit of `word`.
#[inline(always)]
fn hash(word: u64, key: u64) -> u64 {
    let mixed = (word ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

#[inline(always)]
fn add<K: Copy + PartialEq>(
    slots: &mut [HeavySlot; SLOTS],
    keys: &mut [K; SLOTS],
    missed: &mut u32,
    key: K,
    packets: u32,
    seen: u64,
) -> bool {
    let mut i = 0;
    while i < SLOTS {
        // An empty slot has the key 0: the address 0 finds it, too.
        if keys[i] == key {
            let slot = slots[i].0;
            slots[i].0 = (slot + (u64::from(packets) << 32)) | seen;
            return slot & seen != 0;
        }
        i += 1;
    }
    let (mut smallest, mut place, mut newest) = (slots[0], 0, slots[0].missed_before());
    let mut i = 1;
    while i < SLOTS {
        if slots[i] < smallest {
            (smallest, place) = (slots[i], i);
        }
        if slots[i].missed_before() > newest {
            newest = slots[i].missed_before();
        }
        i += 1;
    }
    let votes = u64::from(missed.saturating_sub(newest));
    if votes >= VOTES * u64::from(smallest.packets()) {
        // An empty slot has no packets, and is taken at once.
        *missed = missed.saturating_add(smallest.packets());
        keys[place] = key;
        slots[place] = HeavySlot::new(packets, *missed, seen);
    } else {
        *missed = missed.saturating_add(packets);
    }
    false
}
