//! What a packet is: one pass over its headers, the same in the kernel and in userspace.
//!
//! [`classify`] reads a packet through a [`PacketReader`](crate::reader::PacketReader) and fills a [`Class`].
//! It looks through link layers (VLAN, MPLS, PPPoE, LLC/SNAP), never through IP tunnels: everything it says is
//! about the outermost IP header.

/// A link type as in capture files (<https://www.tcpdump.org/linktypes.html>) and as told for a live interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in either byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without address and control bytes.
    pub const PPP: Self = Self(9);
    /// Raw IP as some systems number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP: the version nibble tells.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// Bits of [`Class::flags`].
pub mod flags {
    /// The IP header is cut, of the wrong version, or inconsistent; or too many extension headers.
    pub const MALFORMED: u16 = 1;
    /// Part of a fragmented datagram (an IPv6 atomic fragment is none).
    pub const FRAGMENT: u16 = 1 << 1;
    /// A fragment at an offset above 0: carries no transport header.
    pub const LATER_FRAGMENT: u16 = 1 << 2;
    /// At least one VLAN tag.
    pub const VLAN: u16 = 1 << 3;
    /// Carries a tunnel (IP-in-IP, GRE, VXLAN, Geneve, GTP-U, Teredo): counted by its outer header only.
    pub const TUNNELLED: u16 = 1 << 4;
    /// An unfragmented UDP datagram holding a DNS message: a DNS port at either end and at least 12 captured
    /// payload bytes. `dns_id` and `dns_flags` are set.
    pub const DNS_UDP: u16 = 1 << 5;
    /// A TCP segment with a DNS port at either end and payload, SYN, FIN or RST: it goes to stream reassembly.
    pub const DNS_TCP: u16 = 1 << 6;
    /// A fragment of a UDP datagram that may hold a DNS message: the first fragment where a port is a DNS port,
    /// any later fragment (its ports are unknown).
    pub const DNS_FRAGMENT: u16 = 1 << 7;
    /// The capture holds fewer payload bytes than the headers promise.
    pub const TRUNCATED_CAPTURE: u16 = 1 << 8;
}

/// What the classifier found out about one packet. Plain integers only, so that BPF can build one in place.
///
/// Offsets are bytes from the packet's first byte; 0 where there is no such thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Class {
    /// Source address: IPv6, or IPv4 in the first 4 bytes and zeros.
    pub source: [u8; 16],
    /// Destination address, likewise.
    pub destination: [u8; 16],
    /// See [`flags`].
    pub flags: u16,
    /// Source port (UDP, TCP), host byte order; 0 if unknown.
    pub source_port: u16,
    /// Destination port, likewise.
    pub destination_port: u16,
    /// Offset of the outermost IP header.
    pub network_offset: u16,
    /// Offset of the transport header (or of a later fragment's data).
    pub transport_offset: u16,
    /// Offset of the UDP or TCP payload.
    pub payload_offset: u16,
    /// Captured payload bytes of UDP, TCP, or a later fragment: ends at the smallest of UDP length, IP length and
    /// capture.
    pub payload_len: u16,
    /// DNS message id (only with [`flags::DNS_UDP`]).
    pub dns_id: u16,
    /// The second 16 bits of the DNS header: QR, Opcode, ..., RCODE (only with [`flags::DNS_UDP`]).
    pub dns_flags: u16,
    /// 4, 6, or 0 for a non-IP frame. Decided by the link layer, whatever the IP header says.
    pub ip_version: u8,
    /// IPv4 protocol, or the last IPv6 next-header value reached; meaningless unless `ip_version` is set and the
    /// packet is not malformed.
    pub protocol: u8,
    /// TCP flags (CWR ECE URG ACK PSH RST SYN FIN), 0 without a TCP header.
    pub tcp_flags: u8,
    /// Keeps the size a multiple of 8 without hidden bytes.
    pub reserved: [u8; 3],
}
