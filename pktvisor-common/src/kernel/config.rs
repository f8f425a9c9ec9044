//! What the agent tells the kernel programs about packets.

use super::hosts::HostTable;
use crate::classify::DnsPorts;
use crate::sampling::SampleRate;

/// One copy of the configuration in [`Control`](super::control::Control).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct KernelConfig {
    /// The part of DNS flows that is handed up.
    pub sample_rate: SampleRate,
    /// Makes it hard to guess which addresses share a bucket of the [heavy hitters](super::heavy).
    pub hash_key: u64,
    /// Where DNS is spoken.
    pub dns_ports: DnsPorts,
    /// Keeps what follows aligned without hidden bytes.
    pub reserved: [u16; 3],
    /// HOST.
    pub host: HostTable,
}

const _: () = assert!(size_of::<KernelConfig>() == 2 * 8 + 24 + size_of::<HostTable>());

impl KernelConfig {
    /// DNS on port 53, all of it analysed, no HOST.
    pub const DEFAULT: Self = Self {
        sample_rate: SampleRate::ALL,
        hash_key: 0,
        dns_ports: DnsPorts::DEFAULT,
        reserved: [0; 3],
        host: HostTable::EMPTY,
    };
}

impl Default for KernelConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
