//! The settings of the store: periods, their clock, and how names are cut.

use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_common::address::{Address, IpVersion};

/// The clock of the periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The time stamps of the packets, for replayed captures.
    #[default]
    Packets,
    /// The wall clock, by [ticks](crate::Batch::tick), because a quiet interface ages too.
    Wall,
}

/// How the store divides time into periods, and how many it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Periods kept, the live one included; at least 1.
    pub periods: usize,
    /// One period for the whole capture.
    pub summary: bool,
    /// How names are cut for the lists.
    pub name_cut: NameCut,
    /// The clock of the periods.
    pub clock: Clock,
}

impl StoreSettings {
    pub(crate) fn recorder(&self) -> RecorderSettings {
        RecorderSettings { name_cut: self.name_cut, client_prefix: None }
    }
}

/// The prefix lengths at which the networks of clients are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientPrefix {
    /// Of IPv4, at most 32.
    pub v4_bits: u8,
    /// Of IPv6, at most 128.
    pub v6_bits: u8,
}

/// A network as a list holds it: the octets that the prefix covers, and behind them its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkKey {
    octets: [u8; 17],
    len: u8,
}

impl ClientPrefix {
    /// The network of an address.
    pub(crate) fn network(self, address: Address<'_>) -> NetworkKey {
        let bits = match address.version() {
            IpVersion::V4 => self.v4_bits.min(32),
            IpVersion::V6 => self.v6_bits.min(128),
        };
        NetworkKey::new(address.octets(), bits)
    }
}

impl NetworkKey {
    /// The network of this length around an address.
    pub(crate) fn new(address: &[u8], bits: u8) -> Self {
        let mut octets = [0; 17];
        let len = usize::from(bits).div_ceil(8).min(address.len()).min(16);
        octets[..len].copy_from_slice(&address[..len]);
        if let Some(last) = octets[..len].last_mut()
            && !bits.is_multiple_of(8)
        {
            *last &= 0xff << (8 - bits % 8);
        }
        octets[len] = bits;
        Self { octets, len: len as u8 + 1 }
    }

    pub(crate) fn as_key(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

/// The settings of a recorder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecorderSettings {
    /// How names are cut for the lists.
    pub name_cut: NameCut,
    /// At which lengths the networks of clients are listed, if they are.
    pub client_prefix: Option<ClientPrefix>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_the_octets_of_its_prefix_and_its_length() {
        let cut = |bits| NetworkKey::new(&[192, 0, 2, 255], bits).as_key().to_vec();
        assert_eq!(cut(24), [192, 0, 2, 24]);
        assert_eq!(cut(26), [192, 0, 2, 192, 26]);
        assert_eq!((cut(32), cut(0)), (vec![192, 0, 2, 255, 32], vec![0]));
    }
}
