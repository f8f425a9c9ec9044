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
    /// The live copies of the sketches: bits of [`live`]. One word, so that programs see either change or both.
    pub live_sketches: u32,
    /// The configuration, twice.
    pub configs: [KernelConfig; 2],
}

/// Bits of [`Control::live_sketches`].
pub mod live {
    /// The copy of the [heavy hitters](crate::kernel::heavy).
    pub const HEAVY: u32 = 1;
    /// The copy of the [cardinality](crate::hll) registers.
    pub const CARDINALITY: u32 = 1 << 1;
}

/// Entries of the map `CARDINALITY`: two copies of both directions.
pub const CARDINALITY_ENTRIES: usize = 4;
/// Entries of the map `XSKS`: sockets that there can be.
pub const XSKS_ENTRIES: u32 = 1024;
/// Entries of the map `HEAVY`: two copies.
pub const HEAVY_ENTRIES: usize = 2;

/// The entry of `CARDINALITY` for sources of received packets in the copy that `live_sketches` says; that for
/// destinations of sent packets follows it.
#[inline(always)]
pub const fn cardinality_entry(live_sketches: u32) -> u32 {
    live_sketches & live::CARDINALITY
}

/// The entry of `HEAVY` that `live_sketches` says.
#[inline(always)]
pub const fn heavy_entry(live_sketches: u32) -> u32 {
    live_sketches & live::HEAVY
}

impl Control {
    /// The configuration that counts.
    #[inline(always)]
    pub fn config(&self) -> &KernelConfig {
        // The mask tells the verifier what the agent promises.
        &self.configs[(self.live_config & 1) as usize]
    }
}
