//! What a packet's first byte belongs to.

/// A link type as in capture files (<https://www.tcpdump.org/linktypes.html>) and as reported for a
/// live interface.
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
    /// FDDI: frame control, addresses, LLC.
    pub const FDDI: Self = Self(10);
    /// Raw IP as some systems number it.
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing (RFC 1662), or Cisco's HDLC: the first byte shows which.
    pub const PPP_SERIAL: Self = Self(50);
    /// PPPoE session frames without their Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP of the version in its first nibble.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC (RFC 1547 section 4.3.1): address, control, EtherType.
    pub const C_HDLC: Self = Self(104);
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// PPP behind one byte with the direction.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log.
    pub const NFLOG: Self = Self(239);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// Every link type that is understood; packets of any other are non-IP frames.
    pub const SUPPORTED: [Self; 17] = [
        Self::NULL,
        Self::ETHERNET,
        Self::PPP,
        Self::FDDI,
        Self::RAW_BSD,
        Self::RAW_OPENBSD,
        Self::PPP_SERIAL,
        Self::PPP_ETHER,
        Self::RAW,
        Self::C_HDLC,
        Self::LOOP,
        Self::LINUX_SLL,
        Self::PPP_WITH_DIR,
        Self::IPV4,
        Self::IPV6,
        Self::NFLOG,
        Self::LINUX_SLL2,
    ];

    /// Whether packets of this link type are looked into.
    pub fn is_supported(self) -> bool {
        Self::SUPPORTED.contains(&self)
    }
}
