//! Addresses, ports and transport of one packet.

use pktvisor_common::address::{Address, AddressPair};
use pktvisor_common::classify::Class;
pub use pktvisor_common::counters::Transport;

/// One direction of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Sender and receiver.
    pub addresses: AddressPair,
    /// Sender's port.
    pub source_port: u16,
    /// Receiver's port.
    pub destination_port: u16,
    /// UDP or TCP.
    pub transport: Transport,
}

impl Flow {
    /// The flow of a classified packet; `None` without a (whole) IP header.
    #[inline]
    pub fn of(class: &Class, transport: Transport) -> Option<Self> {
        Some(Self {
            addresses: class.addresses()?,
            source_port: class.source_port,
            destination_port: class.destination_port,
            transport,
        })
    }

    /// The sender.
    #[inline(always)]
    pub(crate) fn source_end(&self) -> FlowEnd<'_> {
        FlowEnd { address: self.addresses.source(), port: self.source_port }
    }

    /// The receiver.
    #[inline(always)]
    pub(crate) fn destination_end(&self) -> FlowEnd<'_> {
        FlowEnd { address: self.addresses.destination(), port: self.destination_port }
    }

    /// The opposite direction of the same conversation.
    #[inline]
    pub fn reversed(&self) -> Self {
        Self {
            addresses: self.addresses.reversed(),
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..*self
        }
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowEnd<'a> {
    pub(crate) address: Address<'a>,
    pub(crate) port: u16,
}
