//! What the programs counted, read out of their maps. Needs no capability on Linux 5.19 and later.

use aya::Pod;
use aya::maps::{MapData, PerCpuArray};
use pktvisor_common::counters::Counters;
use pktvisor_common::kernel::cpu::{CpuState, HandedUp};

use super::KernelError;

/// What all processors counted since the programs were loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelCounts {
    /// Every packet.
    pub counters: Counters,
    /// What became of those that were chosen.
    pub handed_up: HandedUp,
    /// Packets that a filter took out before they were counted.
    pub filtered: u64,
}

/// Reads the maps.
pub struct Drain {
    cpu: PerCpuArray<MapData, PodCpuState>,
    filtered: PerCpuArray<MapData, u64>,
}

/// [`CpuState`], as aya can read it.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(super) struct PodCpuState(CpuState);

// SAFETY: made of integers only, without padding.
unsafe impl Pod for PodCpuState {}

impl Drain {
    pub(super) fn new(cpu: PerCpuArray<MapData, PodCpuState>, filtered: PerCpuArray<MapData, u64>) -> Self {
        Self { cpu, filtered }
    }

    /// What was counted so far. Never goes back: subtract what was read before.
    ///
    /// # Errors
    ///
    /// The kernel does not let its maps be read.
    pub fn counts(&self) -> Result<KernelCounts, KernelError> {
        let error = |name| move |source| KernelError::Map { name, source };
        let mut sum = KernelCounts::default();
        for PodCpuState(state) in self.cpu.get(&0, 0).map_err(error("CPU"))?.iter() {
            sum.counters.add(&state.counters);
            sum.handed_up.add(&state.handed_up);
        }
        sum.filtered = self.filtered.get(&0, 0).map_err(error("FILTERED"))?.iter().sum();
        Ok(sum)
    }
}
