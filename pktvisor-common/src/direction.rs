//! Which way a packet goes, seen from HOST.

use crate::classify::Class;

/// Decided on the outermost IP header: destination in HOST: received; else source in HOST: sent; else unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// Neither end is HOST, or the packet has no (whole) IP header.
    #[default]
    Unknown = 0,
    /// To HOST.
    Received = 1,
    /// From HOST.
    Sent = 2,
}

/// The networks that are HOST.
pub trait HostNetworks {
    /// Whether `address` (of [`Class`]: IPv4 in the first 4 bytes, then zeros) is HOST. `ip_version` is 4 or 6.
    fn contains(&self, address: &[u8; 16], ip_version: u8) -> bool;
}

/// The direction of a packet; both ends in HOST: received.
#[inline(always)]
pub fn direction<H: HostNetworks + ?Sized>(class: &Class, host: &H) -> Direction {
    if !class.has_addresses() {
        Direction::Unknown
    } else if host.contains(&class.destination, class.ip_version) {
        Direction::Received
    } else if host.contains(&class.source, class.ip_version) {
        Direction::Sent
    } else {
        Direction::Unknown
    }
}

/// One network of a [`PrefixList`]. The words are the address bytes in memory order, whatever the machine's byte
/// order: comparing them masked needs no swapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Prefix {
    network: [u64; 2],
    mask: [u64; 2],
    ip_version: u64,
}

impl Prefix {
    /// The network of `address` (IPv4 in the first 4 bytes), its host bits cleared; lengths beyond 32 (IPv4) or 128
    /// mean a single address.
    pub fn new(address: &[u8; 16], prefix_len: u8, ip_version: u8) -> Self {
        let bits = u32::from(prefix_len).min(if ip_version == 4 { 32 } else { 128 });
        let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0).to_be_bytes();
        let mask = words(&mask);
        let address = words(address);
        Self {
            network: [address[0] & mask[0], address[1] & mask[1]],
            mask,
            ip_version: u64::from(ip_version),
        }
    }

    #[inline(always)]
    fn contains_words(&self, address: &[u64; 2], ip_version: u8) -> bool {
        self.ip_version == u64::from(ip_version)
            && (address[0] ^ self.network[0]) & self.mask[0] == 0
            && (address[1] ^ self.network[1]) & self.mask[1] == 0
    }
}

/// Up to `N` networks, compared one after the other: for the kernel, where few prefixes are cheapest so. Laid out
/// for a BPF map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct PrefixList<const N: usize> {
    len: u64,
    prefixes: [Prefix; N],
}

/// A [`PrefixList`] has no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixListFull;

impl<const N: usize> PrefixList<N> {
    /// No networks.
    pub const fn new() -> Self {
        const NONE: Prefix = Prefix { network: [0; 2], mask: [0; 2], ip_version: 0 };
        Self { len: 0, prefixes: [NONE; N] }
    }

    /// Adds a network.
    pub fn push(&mut self, prefix: Prefix) -> Result<(), PrefixListFull> {
        let slot =
            usize::try_from(self.len).ok().and_then(|i| self.prefixes.get_mut(i)).ok_or(PrefixListFull)?;
        *slot = prefix;
        self.len += 1;
        Ok(())
    }
}

impl<const N: usize> Default for PrefixList<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> HostNetworks for PrefixList<N> {
    #[inline(always)]
    fn contains(&self, address: &[u8; 16], ip_version: u8) -> bool {
        let address = words(address);
        let mut i = 0;
        while i < N && (i as u64) < self.len {
            if self.prefixes[i].contains_words(&address, ip_version) {
                return true;
            }
            i += 1;
        }
        false
    }
}

/// An address as two words in memory order.
#[inline(always)]
fn words(address: &[u8; 16]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
    [u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::flags;

    fn v4(a: u8, b: u8, c: u8, d: u8) -> [u8; 16] {
        [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    fn host() -> PrefixList<4> {
        let mut host = PrefixList::new();
        host.push(Prefix::new(&v4(192, 0, 2, 77), 24, 4)).unwrap();
        let mut v6 = [0; 16];
        v6[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
        host.push(Prefix::new(&v6, 33, 6)).unwrap();
        host
    }

    fn class(source: [u8; 16], destination: [u8; 16]) -> Class {
        Class { source, destination, ip_version: 4, ..Class::default() }
    }

    #[test]
    fn the_destination_decides_before_the_source() {
        let (inside, outside) = (v4(192, 0, 2, 1), v4(198, 51, 100, 1));
        assert_eq!(direction(&class(outside, inside), &host()), Direction::Received);
        assert_eq!(direction(&class(inside, outside), &host()), Direction::Sent);
        assert_eq!(direction(&class(inside, inside), &host()), Direction::Received);
        assert_eq!(direction(&class(outside, outside), &host()), Direction::Unknown);
    }

    #[test]
    fn without_addresses_the_direction_is_unknown_even_if_everything_is_host() {
        let mut all = PrefixList::<1>::new();
        all.push(Prefix::new(&[0; 16], 0, 4)).unwrap();
        let mut packet = class(v4(1, 2, 3, 4), v4(5, 6, 7, 8));
        assert_eq!(direction(&packet, &all), Direction::Received);
        packet.flags = flags::MALFORMED;
        assert_eq!(direction(&packet, &all), Direction::Received);
        packet.flags = flags::MALFORMED | flags::NO_ADDRESSES;
        assert_eq!(direction(&packet, &all), Direction::Unknown);
        assert_eq!(direction(&Class::default(), &all), Direction::Unknown);
    }

    #[test]
    fn a_prefix_ends_at_its_length_and_within_its_ip_version() {
        let host = host();
        assert!(host.contains(&v4(192, 0, 2, 255), 4));
        assert!(!host.contains(&v4(192, 0, 3, 0), 4));
        let mut v6 = [0xff; 16];
        v6[..5].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0x7f]);
        assert!(host.contains(&v6, 6));
        v6[4] = 0x80;
        assert!(!host.contains(&v6, 6));
        // The same bytes as 192.0.2.1, but an IPv6 address.
        assert!(!host.contains(&v4(192, 0, 2, 1), 6));
    }

    #[test]
    fn a_length_beyond_the_address_means_one_address_and_length_0_means_all() {
        let mut one = PrefixList::<1>::new();
        one.push(Prefix::new(&v4(10, 0, 0, 1), 200, 4)).unwrap();
        assert!(one.contains(&v4(10, 0, 0, 1), 4) && !one.contains(&v4(10, 0, 0, 0), 4));
        let mut all = PrefixList::<1>::new();
        all.push(Prefix::new(&[1; 16], 0, 6)).unwrap();
        assert!(all.contains(&[0xee; 16], 6) && !all.contains(&v4(1, 1, 1, 1), 4));
    }

    #[test]
    fn a_full_list_refuses_more() {
        let mut list = PrefixList::<1>::new();
        assert!(!list.contains(&[0; 16], 6));
        list.push(Prefix::new(&[0; 16], 128, 6)).unwrap();
        assert_eq!(list.push(Prefix::new(&[1; 16], 128, 6)), Err(PrefixListFull));
        assert!(list.contains(&[0; 16], 6) && !list.contains(&[1; 16], 6));
    }
}
