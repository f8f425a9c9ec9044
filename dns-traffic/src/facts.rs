//! The facts of a generated packet, from which the true answer is computed without reading the
//! packet's bytes.

use std::net::IpAddr;

use super::names::NameKey;

/// One packet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The outermost IP header; `None` for a frame without IP.
    pub(crate) ip: Option<IpFacts>,
    /// Whether the frame has a VLAN tag.
    pub(crate) vlan: bool,
    /// The DNS messages that this packet completes.
    pub(crate) messages: Vec<MessageFacts>,
}

/// The outermost IP header and what follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IpFacts {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) fragment: bool,
    /// Flags of a TCP segment, else 0.
    pub(crate) tcp_flags: u8,
}

/// Transport of a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum MessageTransport {
    Udp,
    Tcp,
}

/// One DNS message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageFacts {
    pub(crate) transport: MessageTransport,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) id: u16,
    pub(crate) opcode: u8,
    /// RD, and in a response RA.
    pub(crate) recursion: bool,
    pub(crate) response: bool,
    /// Octets, once it is written.
    pub(crate) bytes: u64,
    /// Includes the extended bits of EDNS.
    pub(crate) rcode: u16,
    /// `None` if the message has no question, or none that can be parsed.
    pub(crate) question: Option<(NameKey, u16)>,
    /// Cannot be parsed after its header.
    pub(crate) malformed: bool,
    pub(crate) edns: Option<EdnsFacts>,
    /// Records in the answer section.
    pub(crate) answers: u16,
    /// Header flags AA and TC (RFC 1035 section 4.1.1); no message has AD.
    pub(crate) authoritative: bool,
    pub(crate) truncated: bool,
}

/// An OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EdnsFacts {
    pub(crate) udp_size: u16,
    pub(crate) dnssec_ok: bool,
    /// A /24 of IPv4.
    pub(crate) client_subnet: Option<[u8; 3]>,
    pub(crate) cookie: bool,
}
