//! What the programs share with the agent. The layouts are types of `pktvisor-common`.

use aya_ebpf::btf_maps::{Array, PerCpuArray};
use aya_ebpf::macros::btf_map;
use pktvisor_common::classify::Class;
use pktvisor_common::config::KernelConfig;
use pktvisor_common::counters::Counters;

/// One entry, written by the agent before a program is attached and whenever something changes.
#[btf_map]
pub(crate) static CONFIG: Array<KernelConfig, 1> = Array::new();

/// One entry, never reset: the agent subtracts what it has read before.
#[btf_map]
pub(crate) static COUNTERS: PerCpuArray<Counters, 1> = PerCpuArray::new();

/// Where the running program keeps what it found out about its packet. Not on the stack: of what lies there the
/// verifier remembers every value on every path, and checks what follows as often; what lies in a map it forgets.
#[btf_map]
pub(crate) static CLASS: PerCpuArray<Class, 1> = PerCpuArray::new();
