//! The value of the map `CONTROL`: the agent writes it through shared memory, every program reads
//! it.
//!
//! Data that cannot be written atomically exists twice. The agent writes the standby copy, then the
//! word that selects the live one, and waits until no program can still use the old copy before it
//! writes that again.

use super::config::KernelConfig;

/// The one entry of `CONTROL`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Control {
    /// The live copy of `configs`, 0 or 1.
    pub live_config: u32,
    /// The epoch and the live copies of the sketches: bits of [`live`]. One word, so that a program
    /// sees all changes of a flip or none. A program reads it once for each packet
    /// ([`Control::live`]).
    pub live_sketches: u32,
    /// Index of the interface whose hooks are being attached, 0 for none. Its packets are not
    /// counted yet: as long as one hook is missing, one direction would be.
    pub attaching: u32,
    /// Keeps what follows aligned without hidden bytes.
    pub reserved: u32,
    /// The configuration, twice.
    pub configs: [KernelConfig; 2],
}

/// Bits of [`Control::live_sketches`].
pub mod live {
    /// The copy of the counters and of the [heavy hitters](crate::kernel::heavy): the low bit of
    /// the [epoch](super::epoch).
    pub const HEAVY: u32 = 1;
    /// The copy of the [cardinality](crate::hll) registers.
    pub const CARDINALITY: u32 = 1 << 1;
    /// The high bit of the [epoch](super::epoch).
    pub const EPOCH_HIGH: u32 = 1 << 2;
}

/// Number of epochs; the first one follows the last one.
pub const EPOCHS: u32 = 4;

/// The epoch, below [`EPOCHS`]: the agent begins the next one at each flip. A program counts a
/// packet and punts its record in the same epoch, so that both can be cut at the same packet.
#[inline(always)]
pub const fn epoch(live_sketches: u32) -> u32 {
    (live_sketches & live::HEAVY) | ((live_sketches & live::EPOCH_HIGH) >> 1)
}

/// Whether a period ends with the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The epoch alone.
    Epoch,
    /// A period too: its cardinality registers become the standby copy.
    Period,
}

/// The word that begins the next epoch.
pub const fn flipped(live_sketches: u32, ends: Ends) -> u32 {
    let next = live_sketches ^ live::HEAVY;
    let next = if next & live::HEAVY == 0 { next ^ live::EPOCH_HIGH } else { next };
    match ends {
        Ends::Epoch => next,
        Ends::Period => next ^ live::CARDINALITY,
    }
}

/// Entries of the map `CPU`: two copies.
pub const CPU_ENTRIES: usize = 2;

/// The entry of `CPU` that `live_sketches` says.
#[inline(always)]
pub const fn cpu_entry(live_sketches: u32) -> u32 {
    live_sketches & live::HEAVY
}

/// Entries of the map `CARDINALITY`: two copies of both directions.
pub const CARDINALITY_ENTRIES: usize = 4;
/// Entries of the map `XSKS`: sockets that there can be.
pub const XSKS_ENTRIES: u32 = 1024;
/// Entries of the map `HEAVY`: two copies.
pub const HEAVY_ENTRIES: usize = 2;

/// The entry of `CARDINALITY` for sources of received packets in the copy that `live_sketches`
/// says; that for destinations of sent packets follows it.
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
    /// The word that says which copies are live. Volatile, so that a program reads it once and
    /// keeps to what it read.
    #[inline(always)]
    pub fn live(&self) -> u32 {
        // SAFETY: a valid reference to an aligned word.
        unsafe { (&raw const self.live_sketches).read_volatile() }
    }

    /// Whether packets of the interface are not counted yet.
    #[inline(always)]
    pub fn is_attaching(&self, ifindex: impl FnOnce() -> u32) -> bool {
        self.attaching != 0 && self.attaching == ifindex()
    }

    /// The live configuration.
    #[inline(always)]
    pub fn config(&self) -> &KernelConfig {
        // The agent writes 0 or 1; the mask proves it to the verifier.
        &self.configs[(self.live_config & 1) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flip_begins_the_next_epoch_and_takes_the_other_copy_of_the_counters() {
        let mut live = 0;
        for n in 0..2 * EPOCHS {
            assert_eq!(epoch(live), n % EPOCHS);
            assert_eq!((cpu_entry(live), heavy_entry(live)), (n % 2, n % 2));
            assert_eq!(cardinality_entry(live), if n < 3 { 0 } else { 2 });
            live = flipped(live, if n == 2 { Ends::Period } else { Ends::Epoch });
        }
    }
}
