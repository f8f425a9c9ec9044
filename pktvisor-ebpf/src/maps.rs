//! What the programs share with the agent. The layouts are types of `pktvisor-common`.

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::btf_maps::{Array, ArrayOfMaps, PerCpuArray, RingBuf, XskMap};
use aya_ebpf::macros::btf_map;
use pktvisor_common::hll::REGISTERS;
use pktvisor_common::kernel::control::{
    CARDINALITY_ENTRIES, CPU_ENTRIES, Control, HEAVY_ENTRIES, XSKS_ENTRIES,
};
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::filtered::FILTERED_ENTRIES;
use pktvisor_common::kernel::heavy::HeavyTable;

/// One entry, which the agent has in its memory.
#[btf_map]
pub(crate) static CONTROL: Array<Control, 1, { BPF_F_MMAPABLE as usize }> = Array::new();

/// Two copies of where the running processor counts.
#[btf_map]
pub(crate) static CPU: PerCpuArray<CpuState, CPU_ENTRIES> = PerCpuArray::new();

/// Two copies of the running processor's heavy hitters.
#[btf_map]
pub(crate) static HEAVY: PerCpuArray<HeavyTable, HEAVY_ENTRIES> = PerCpuArray::new();

/// Two copies of the running processor's registers, for addresses that send to HOST and that HOST
/// sends to.
#[btf_map]
pub(crate) static CARDINALITY: PerCpuArray<[u8; REGISTERS], CARDINALITY_ENTRIES> = PerCpuArray::new();

/// Ring buffers for each possible processor, one for every shard, at
/// [`Shards::place`](pktvisor_common::sharding::Shards::place): with one for all, processors would
/// wait for each other. The agent creates them; it replaces the sizes given here.
#[btf_map]
pub(crate) static DEEP: ArrayOfMaps<RingBuf<u8, 4096>, 1> = ArrayOfMaps::new();

/// Counted up by the filter programs that the agent generates and places before these.
#[btf_map]
pub(crate) static FILTERED: PerCpuArray<u64, FILTERED_ENTRIES> = PerCpuArray::new();

/// In `tap` mode: the sockets of each receive queue, one for every shard, at
/// [`Shards::place`](pktvisor_common::sharding::Shards::place).
#[btf_map]
pub(crate) static XSKS: XskMap<{ XSKS_ENTRIES as usize }> = XskMap::new();
