//! What the agent tells the kernel programs about packets.

use crate::classify::DnsPorts;
use crate::direction::PrefixList;
use crate::sampling::SampleRate;

/// Host prefixes that are compared one by one, 1 to 2 ns each; more need a trie.
pub const INLINE_PREFIXES_MAX: usize = 16;

/// One copy of the configuration in [`Control`](super::control::Control).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct KernelConfig {
    /// The part of DNS flows that is handed up.
    pub sample_rate: SampleRate,
    /// HOST.
    pub host: PrefixList<INLINE_PREFIXES_MAX>,
    /// Where DNS is spoken.
    pub dns_ports: DnsPorts,
    /// Keeps the size a multiple of 8 without hidden bytes.
    pub reserved: [u16; 3],
}

const _: () = assert!(size_of::<KernelConfig>() == 8 + 8 + INLINE_PREFIXES_MAX * 40 + 24);

impl KernelConfig {
    /// DNS on port 53, all of it analysed, no HOST.
    pub const DEFAULT: Self = Self {
        sample_rate: SampleRate::ALL,
        host: PrefixList::new(),
        dns_ports: DnsPorts::DEFAULT,
        reserved: [0; 3],
    };
}

impl Default for KernelConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}
