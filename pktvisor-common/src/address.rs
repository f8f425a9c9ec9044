//! IP addresses, each with the IP version that it belongs to.
//!
//! Both versions share 16 bytes: an IPv6 address fills them, an IPv4 address has the first 4 and is
//! followed by zeros. The version is kept once for the two addresses of a packet
//! ([`Class`](crate::classify::Class), [`AddressPair`]), and an [`Address`] borrows the bytes from
//! there: in the kernel programs and for every packet in userspace it costs no copy.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum IpVersion {
    /// RFC 791.
    V4 = 1,
    /// RFC 8200.
    V6 = 2,
}

// The kernel programs reset a `Class` by zeroing it, and a map begins as zeros.
// SAFETY: an `Option` of an enum of one byte has one byte, and `None` initialises it.
const _: () = assert!(unsafe { core::mem::transmute::<Option<IpVersion>, u8>(None) } == 0);

impl IpVersion {
    /// The number in the first 4 bits of the header: 4 or 6.
    #[inline(always)]
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// The version of an address.
    pub const fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// An IP address, borrowed from the packet's [`Class`](crate::classify::Class) or from an
/// [`AddressPair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address<'a> {
    version: IpVersion,
    bytes: &'a [u8; 16],
}

impl<'a> Address<'a> {
    /// The address of this version in `bytes`, as laid out by [`address_bytes`].
    #[inline(always)]
    pub const fn new(version: IpVersion, bytes: &'a [u8; 16]) -> Self {
        Self { version, bytes }
    }

    /// Its IP version.
    #[inline(always)]
    pub const fn version(self) -> IpVersion {
        self.version
    }

    /// All 16 bytes: of an IPv4 address the last 12 are zeros.
    #[inline(always)]
    pub const fn bytes(self) -> &'a [u8; 16] {
        self.bytes
    }

    /// The bytes that belong to the address: 4 or 16.
    #[inline(always)]
    pub fn octets(self) -> &'a [u8] {
        match self.version {
            IpVersion::V4 => &self.bytes[..4],
            IpVersion::V6 => self.bytes,
        }
    }

    /// The first 4 bytes: an IPv4 address.
    #[inline(always)]
    pub(crate) const fn v4_octets(self) -> [u8; 4] {
        let [a, b, c, d, ..] = *self.bytes;
        [a, b, c, d]
    }
}

impl From<Address<'_>> for IpAddr {
    #[inline]
    fn from(address: Address<'_>) -> Self {
        match address.version {
            IpVersion::V4 => Ipv4Addr::from(address.v4_octets()).into(),
            IpVersion::V6 => Ipv6Addr::from(*address.bytes).into(),
        }
    }
}

/// The 16 bytes that an [`Address`] of this value borrows.
pub const fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => widened(address.octets()),
        IpAddr::V6(address) => address.octets(),
    }
}

/// An IPv4 address and 12 zeros, written as two words.
#[inline(always)]
pub(crate) const fn widened(address: [u8; 4]) -> [u8; 16] {
    (u32::from_le_bytes(address) as u128).to_le_bytes()
}

/// The addresses of a packet's sender and receiver, which have the same version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressPair {
    source: [u8; 16],
    destination: [u8; 16],
    version: IpVersion,
}

impl AddressPair {
    /// Addresses in the layout of [`address_bytes`].
    #[inline(always)]
    pub const fn new(version: IpVersion, source: [u8; 16], destination: [u8; 16]) -> Self {
        Self { source, destination, version }
    }

    /// IPv4 addresses.
    pub const fn v4(source: [u8; 4], destination: [u8; 4]) -> Self {
        Self::new(IpVersion::V4, widened(source), widened(destination))
    }

    /// IPv6 addresses.
    pub const fn v6(source: [u8; 16], destination: [u8; 16]) -> Self {
        Self::new(IpVersion::V6, source, destination)
    }

    /// The version of both.
    #[inline(always)]
    pub const fn version(&self) -> IpVersion {
        self.version
    }

    /// The sender's.
    #[inline(always)]
    pub const fn source(&self) -> Address<'_> {
        Address::new(self.version, &self.source)
    }

    /// The receiver's.
    #[inline(always)]
    pub const fn destination(&self) -> Address<'_> {
        Address::new(self.version, &self.destination)
    }

    /// The pair of a packet in the opposite direction.
    #[inline]
    pub const fn reversed(&self) -> Self {
        Self { source: self.destination, destination: self.source, version: self.version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_the_bytes_that_it_was_written_to() {
        for text in ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::192.0.2.1"] {
            let address: IpAddr = text.parse().unwrap();
            let bytes = address_bytes(address);
            let read = Address::new(IpVersion::of(&address), &bytes);
            assert_eq!(IpAddr::from(read), address);
            assert_eq!(read.octets().len(), if address.is_ipv4() { 4 } else { 16 });
        }
    }

    #[test]
    fn the_same_bytes_are_another_address_in_another_version() {
        let pairs = [AddressPair::v4([0; 4], [0; 4]), AddressPair::v6([0; 16], [0; 16])];
        assert_ne!(pairs[0].source(), pairs[1].source());
        assert_eq!(pairs.map(|pair| pair.version().number()), [4, 6]);
    }
}
