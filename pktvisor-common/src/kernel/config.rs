//! The configuration of the kernel programs.

use super::hosts::HostTable;
use crate::classify::DnsPorts;
use crate::sampling::SampleRate;
use crate::sharding::Shards;

/// One copy of the configuration in [`Control`](super::control::Control).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct KernelConfig {
    /// The share of DNS flows that is punted.
    pub sample_rate: SampleRate,
    /// Makes it hard to guess which addresses share a bucket of the [heavy hitters](super::heavy).
    pub hash_key: u64,
    /// Ports that carry DNS.
    pub dns_ports: DnsPorts,
    /// The worker threads that punted packets are divided among.
    pub shards: Shards,
    /// Keeps what follows aligned without hidden bytes.
    pub reserved: [u16; 2],
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
        shards: Shards::ONE,
        reserved: [0; 2],
        host: HostTable::EMPTY,
    };
}

impl Default for KernelConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
