//! Addresses, ports and transport of one packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktvisor_common::classify::Class;
pub use pktvisor_common::counters::Transport;

/// One direction of a conversation. Addresses as in [`Class`]: IPv4 in the first 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Sender.
    pub source: [u8; 16],
    /// Receiver.
    pub destination: [u8; 16],
    /// Sender's port.
    pub source_port: u16,
    /// Receiver's port.
    pub destination_port: u16,
    /// 4 or 6.
    pub ip_version: u8,
    /// UDP or TCP.
    pub transport: Transport,
}

impl Flow {
    /// The flow of a classified packet.
    #[inline]
    pub fn of(class: &Class, transport: Transport) -> Self {
        Self {
            source: class.source,
            destination: class.destination,
            source_port: class.source_port,
            destination_port: class.destination_port,
            ip_version: class.ip_version,
            transport,
        }
    }

    /// The opposite direction of the same conversation.
    #[inline]
    pub fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..*self
        }
    }
}

/// The address in the 16 bytes of a [`Class`] or [`Flow`].
pub fn ip_address(bytes: &[u8; 16], ip_version: u8) -> IpAddr {
    match ip_version {
        4 => Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(),
        _ => Ipv6Addr::from(*bytes).into(),
    }
}
