//! IP protocol numbers (<https://www.iana.org/assignments/protocol-numbers>).

/// RFC 9293.
pub const TCP: u8 = 6;
/// RFC 768.
pub const UDP: u8 = 17;

pub(super) const IPV4: u8 = 4;
pub(super) const IPV6: u8 = 41;
pub(super) const GRE: u8 = 47;
pub(super) const IPIP: u8 = 94;
pub(super) const ETHERIP: u8 = 97;
pub(super) const MPLS: u8 = 137;

/// IPv6 next-header values that are looked through (RFC 8200 section 4). Authentication (51) and
/// encryption (50) are not: what follows them belongs to the security layer.
pub(super) mod next_header {
    pub(in crate::classify) const HOP_BY_HOP: u8 = 0;
    pub(in crate::classify) const ROUTING: u8 = 43;
    pub(in crate::classify) const FRAGMENT: u8 = 44;
    pub(in crate::classify) const DESTINATION: u8 = 60;
}
