//! HOST, as the kernel programs know it: sorted networks that do not overlap.
//!
//! Few are compared one after the other, many are searched: the last network that begins at or
//! before an address is the only one that can hold it.

#[cfg(test)]
mod tests;

use crate::address::{Address, IpVersion};
use crate::direction::HostNetworks;

/// Networks of each IP version that there is room for; a power of two.
pub const NETWORKS_MAX: usize = 512;
/// Up to this many networks comparing with each is faster than searching.
const LINEAR_MAX: u64 = 4;
/// Halvings of [`NETWORKS_MAX`] until one is left.
const STEPS: usize = NETWORKS_MAX.ilog2() as usize;
const _: () = assert!(NETWORKS_MAX.is_power_of_two());

/// The networks that are HOST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct HostTable {
    v4_len: u64,
    v6_len: u64,
    v4: [V4; NETWORKS_MAX],
    v6: [V6; NETWORKS_MAX],
}

/// A [`HostTable`] has no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTableFull;

impl core::fmt::Display for HostTableFull {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the kernel programs take at most {NETWORKS_MAX} host networks of each IP version")
    }
}

impl core::error::Error for HostTableFull {}

/// A network and how to compare with it. Numbers are in the order of addresses.
trait HostNetwork: Copy {
    type Address: Copy;
    fn holds(self, address: Self::Address) -> bool;
    /// All ones if the network begins at or before the address, else 0: no branch that could be
    /// predicted wrongly.
    fn begins_by(self, address: Self::Address) -> u64;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct V4 {
    start: u32,
    mask: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct V6 {
    start: [u64; 2],
    mask: [u64; 2],
}

impl HostNetwork for V4 {
    type Address = u32;

    #[inline(always)]
    fn holds(self, address: u32) -> bool {
        (address ^ self.start) & self.mask == 0
    }

    #[inline(always)]
    fn begins_by(self, address: u32) -> u64 {
        let distance = i64::from(address) - i64::from(self.start);
        !(distance >> 63) as u64
    }
}

impl HostNetwork for V6 {
    type Address = [u64; 2];

    #[inline(always)]
    fn holds(self, [high, low]: [u64; 2]) -> bool {
        (high ^ self.start[0]) & self.mask[0] | (low ^ self.start[1]) & self.mask[1] == 0
    }

    #[inline(always)]
    fn begins_by(self, [high, low]: [u64; 2]) -> u64 {
        let begins = self.start[0] < high || self.start[0] == high && self.start[1] <= low;
        u64::from(begins).wrapping_neg()
    }
}

impl HostTable {
    /// No networks.
    pub const EMPTY: Self = Self {
        v4_len: 0,
        v6_len: 0,
        v4: [V4 { start: 0, mask: 0 }; NETWORKS_MAX],
        v6: [V6 { start: [0; 2], mask: [0; 2] }; NETWORKS_MAX],
    };

    /// Adds the network of `address`; lengths beyond 32 (IPv4) or 128 mean a
    /// single address.
    ///
    /// # Errors
    ///
    /// There is no room.
    pub fn insert(&mut self, address: Address<'_>, prefix_len: u8) -> Result<(), HostTableFull> {
        let bits = match address.version() {
            IpVersion::V4 => 32,
            IpVersion::V6 => 128,
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix_len).min(bits)).unwrap_or(0);
        let start = u128::from_be_bytes(*address.bytes()) & mask;
        // The first of the four words is an IPv4 address.
        let [start4, mask4] = [start, mask].map(|number| (number >> 96) as u32);
        let [start6, mask6] = [start, mask].map(|number| [(number >> 64) as u64, number as u64]);
        match address.version() {
            IpVersion::V4 => {
                insert(&mut self.v4, &mut self.v4_len, V4 { start: start4, mask: mask4 }, |network| {
                    (network.start, network.mask)
                })
            }
            IpVersion::V6 => {
                insert(&mut self.v6, &mut self.v6_len, V6 { start: start6, mask: mask6 }, |network| {
                    (network.start, network.mask)
                })
            }
        }
    }
}

/// Keeps the networks sorted and apart: of two that overlap one holds the other, and that one
/// stays.
fn insert<N: HostNetwork, K: Ord>(
    networks: &mut [N; NETWORKS_MAX],
    len: &mut u64,
    new: N,
    key: impl Fn(&N) -> (N::Address, K),
) -> Result<(), HostTableFull>
where
    N::Address: Ord,
{
    let mut count = usize::try_from(*len).unwrap_or(NETWORKS_MAX).min(NETWORKS_MAX);
    let (new_start, new_mask) = key(&new);
    // A shorter mask is a smaller number.
    let held = |network: &N| key(network).1 <= new_mask && network.holds(new_start);
    if networks.iter().take(count).any(held) {
        return Ok(());
    }
    let mut kept = 0;
    for i in 0..count {
        if !new.holds(key(&networks[i]).0) {
            networks[kept] = networks[i];
            kept += 1;
        }
    }
    count = kept;
    let result = match count < NETWORKS_MAX {
        true => {
            let place = networks.iter().take(count).filter(|network| key(network).0 < new_start).count();
            networks.copy_within(place..count, place + 1);
            networks[place] = new;
            count += 1;
            Ok(())
        }
        false => Err(HostTableFull),
    };
    *len = count as u64;
    result
}

impl HostNetworks for HostTable {
    #[inline(always)]
    fn contains(&self, address: Address<'_>) -> bool {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address.bytes();
        match address.version() {
            IpVersion::V4 => contains(&self.v4, self.v4_len, u32::from_be_bytes([a, b, c, d])),
            IpVersion::V6 => {
                let high = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                contains(&self.v6, self.v6_len, [high, u64::from_be_bytes([i, j, k, l, m, n, o, p])])
            }
        }
    }
}

#[inline(always)]
fn contains<N: HostNetwork>(networks: &[N; NETWORKS_MAX], len: u64, address: N::Address) -> bool {
    if len > LINEAR_MAX {
        return search(networks, len, address);
    }
    let mut i = 0;
    while i < LINEAR_MAX && i < len {
        if networks[i as usize].holds(address) {
            return true;
        }
        i += 1;
    }
    false
}

#[inline(always)]
fn search<N: HostNetwork>(networks: &[N; NETWORKS_MAX], len: u64, address: N::Address) -> bool {
    // The candidate is one of `size` from `base` on.
    let (mut base, mut size, mut step) = (0, len, 0);
    while step < STEPS && size > 1 {
        let half = size / 2;
        base += half & networks[(base + half) as usize & (NETWORKS_MAX - 1)].begins_by(address);
        size -= half;
        step += 1;
    }
    networks[base as usize & (NETWORKS_MAX - 1)].holds(address)
}
