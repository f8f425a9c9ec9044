//! The classifier's answer about one packet.

use super::protocol;
use crate::address::{Address, AddressPair, IpVersion};

/// Bits of [`Class::flags`].
pub mod flags {
    /// The IP header is cut, of the wrong version, or inconsistent; or an extension header is cut,
    /// or there are too many of them. Nothing is said about what lies behind.
    pub const MALFORMED: u16 = 1;
    /// Part of a fragmented datagram (an IPv6 atomic fragment is none).
    pub const FRAGMENT: u16 = 1 << 1;
    /// A fragment at an offset above 0: carries no transport header.
    pub const LATER_FRAGMENT: u16 = 1 << 2;
    /// At least one VLAN tag.
    pub const VLAN: u16 = 1 << 3;
    /// Carries a tunnel (IP-in-IP, GRE, VXLAN, Geneve, GTP-U, Teredo): counted by its outer header
    /// only.
    pub const TUNNELLED: u16 = 1 << 4;
    /// An unfragmented UDP datagram holding a DNS message: a DNS port at either end and at least 12
    /// captured payload bytes. `dns_id` and `dns_flags` are set.
    pub const DNS_UDP: u16 = 1 << 5;
    /// A TCP segment (or the first fragment of one) with a DNS port at either end and captured
    /// payload, SYN, FIN or RST: it goes to stream reassembly.
    pub const DNS_TCP: u16 = 1 << 6;
    /// A fragment of a datagram that may hold a DNS message in UDP: the first fragment where a port
    /// is a DNS port or the ports lie in a later fragment; any later fragment, whose ports are
    /// unknown, of UDP or, in IPv6, of extension headers that may have UDP behind them.
    pub const DNS_FRAGMENT: u16 = 1 << 7;
    /// The capture holds fewer payload bytes than the headers promise.
    pub const TRUNCATED_CAPTURE: u16 = 1 << 8;
    /// `source` and `destination` are unknown although the link layer says IP: the fixed part of
    /// the header is cut or invalid. Always with [`MALFORMED`].
    pub const NO_ADDRESSES: u16 = 1 << 9;
    /// The first fragment of an IPv6 datagram whose fragmentable part begins with an extension
    /// header: its later fragments carry that header's number for every transport (RFC 8200 section
    /// 4.5).
    pub const EXTENSION_FIRST: u16 = 1 << 10;

    /// Packets for DNS analysis.
    pub const ANY_DNS: u16 = DNS_UDP | DNS_TCP | DNS_FRAGMENT;
}

/// Bits of [`Class::tcp_flags`] (RFC 9293 section 3.1).
pub mod tcp_flags {
    /// The sender has no more to send.
    pub const FIN: u8 = 1;
    /// Opens a connection.
    pub const SYN: u8 = 1 << 1;
    /// Breaks a connection off.
    pub const RST: u8 = 1 << 2;
    /// The acknowledgement number is valid.
    pub const ACK: u8 = 1 << 4;
}

/// Whether the capture holds all bytes of a packet or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captured {
    /// All of them.
    Whole,
    /// Only the first ones.
    Part,
}

/// The classifier's findings about one packet. Plain numbers and bytes only, so that BPF can
/// build one in place.
///
/// Offsets are bytes from the packet's first byte; 0 if the packet has no such part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Class {
    /// Bytes of the source address, see [`Class::source`].
    pub source: [u8; 16],
    /// Bytes of the destination address, see [`Class::destination`].
    pub destination: [u8; 16],
    /// See [`flags`].
    pub flags: u16,
    /// Source port (UDP, TCP), host byte order; 0 if unknown.
    pub source_port: u16,
    /// Destination port (UDP, TCP), host byte order; 0 if unknown.
    pub destination_port: u16,
    /// Offset of the outermost IP header.
    pub network_offset: u16,
    /// Offset of the transport header (or of a later fragment's data); meaningless in a malformed
    /// packet.
    pub transport_offset: u16,
    /// Offset of the UDP or TCP payload, or of a later fragment's data.
    pub payload_offset: u16,
    /// Captured payload bytes of UDP, TCP, or a later fragment: ends at the smallest of UDP length,
    /// IP length and capture.
    pub payload_len: u16,
    /// DNS message id (only with [`flags::DNS_UDP`]).
    pub dns_id: u16,
    /// The second 16 bits of the DNS header: QR, Opcode, ..., RCODE (only with [`flags::DNS_UDP`]).
    pub dns_flags: u16,
    /// Of a non-IP frame: the EtherType that ended the way to an IP header, if it is
    /// unexpected; else 0.
    pub unknown_ethertype: u16,
    /// `None` for a non-IP frame. The link layer decides, not the version in the IP header.
    pub ip_version: Option<IpVersion>,
    /// IPv4 protocol, or the last IPv6 next-header value reached; meaningless unless `ip_version`
    /// is set and the packet is not malformed.
    pub protocol: u8,
    /// TCP flags (CWR ECE URG ACK PSH RST SYN FIN), 0 without a TCP header.
    pub tcp_flags: u8,
    /// Keeps the size a multiple of 8 without hidden bytes.
    pub reserved: u8,
}

/// Size of [`Class`] in 64-bit words.
const WORDS: usize = size_of::<Class>() / size_of::<u64>();
const _: () =
    assert!(size_of::<Class>() == WORDS * size_of::<u64>() && align_of::<Class>() == align_of::<u64>());

impl Class {
    /// Back to the default: all zeros.
    #[inline(always)]
    pub fn reset(&mut self) {
        if cfg!(target_arch = "bpf") {
            let words = core::ptr::from_mut(self).cast::<u64>();
            let mut i = 0;
            while i < WORDS {
                // SAFETY: `words` points to WORDS aligned words of which this is one (asserted
                // above), and zero is a valid value of every field. Volatile, so that it does not
                // become a call to memset, which in BPF costs 35 ns.
                unsafe { words.add(i).write_volatile(0) };
                i += 1;
            }
        } else {
            *self = Self::default();
        }
    }

    /// Whether any of the `flags` is set.
    #[inline(always)]
    pub const fn has(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }

    /// Whether the capture holds the whole DNS message.
    #[inline(always)]
    pub const fn captured(&self) -> Captured {
        if self.has(flags::TRUNCATED_CAPTURE) { Captured::Part } else { Captured::Whole }
    }

    /// Whether reassembly of fragments needs the packet: as a part of a datagram that may hold DNS,
    /// or because it shows that the other fragments of its datagram do not.
    #[inline(always)]
    pub const fn is_fragment_of_use(&self) -> bool {
        self.has(flags::FRAGMENT)
            && !self.has(flags::MALFORMED)
            && (self.protocol == protocol::UDP || self.has(flags::DNS_FRAGMENT | flags::EXTENSION_FIRST))
    }

    /// The version of the addresses, if there are any.
    #[inline(always)]
    const fn address_version(&self) -> Option<IpVersion> {
        if self.has(flags::NO_ADDRESSES) { None } else { self.ip_version }
    }

    /// The source address; `None` without a (whole) IP header.
    #[inline(always)]
    pub const fn source(&self) -> Option<Address<'_>> {
        match self.address_version() {
            Some(version) => Some(Address::new(version, &self.source)),
            None => None,
        }
    }

    /// The destination address; `None` without a (whole) IP header.
    #[inline(always)]
    pub const fn destination(&self) -> Option<Address<'_>> {
        match self.address_version() {
            Some(version) => Some(Address::new(version, &self.destination)),
            None => None,
        }
    }

    /// The IP version of a packet that is known to have one, because it holds DNS or has a known
    /// direction. The kernel programs save the branch that asking for it would cost.
    #[inline(always)]
    pub const fn known_ip_version(&self) -> IpVersion {
        match self.ip_version {
            Some(IpVersion::V4) => IpVersion::V4,
            Some(IpVersion::V6) | None => IpVersion::V6,
        }
    }

    /// A copy of both addresses; `None` without a (whole) IP header.
    #[inline(always)]
    pub const fn addresses(&self) -> Option<AddressPair> {
        match self.address_version() {
            Some(version) => Some(AddressPair::new(version, self.source, self.destination)),
            None => None,
        }
    }
}
