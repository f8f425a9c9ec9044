//! The value of the map `CONTROL`: written by the agent through shared memory, read by every program.
//!
//! What cannot be written in one go is there twice. The agent writes the copy that no program uses, then the word that
//! says which one is live, and waits until no program can still use the old one before it writes that.

use super::config::KernelConfig;

/// The one entry of `CONTROL`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Control {
    /// The live copy of `configs`, 0 or 1.
    pub live_config: u32,
    /// The live copy of the heavy hitters, 0 or 1.
    pub live_heavy: u32,
    /// The live copy of the cardinality registers, 0 or 1.
    pub live_cardinality: u32,
    /// Keeps what follows aligned without hidden bytes.
    pub reserved: u32,
    /// The configuration, twice.
    pub configs: [KernelConfig; 2],
}

impl Control {
    /// The configuration that counts.
    #[inline(always)]
    pub fn config(&self) -> &KernelConfig {
        // The mask tells the verifier what the agent promises.
        &self.configs[(self.live_config & 1) as usize]
    }
}
