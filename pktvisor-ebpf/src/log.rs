//! Reports the classification of every packet, for debugging. Only objects built with the feature
//! `log` do so, since it costs more than everything else. The agent writes the reports to its log
//! at level debug.

use aya_ebpf::EbpfContext;
#[cfg(feature = "log")]
use pktvisor_common::address::IpVersion;
use pktvisor_common::kernel::cpu::CpuState;

/// Reports the packet just counted, and whether it is punted.
#[cfg(feature = "log")]
#[inline(always)]
pub(crate) fn packet<C: EbpfContext>(context: &C, cpu: &CpuState, is_punted: bool) {
    let class = &cpu.class;
    aya_log_ebpf::debug!(
        context,
        "IP version {} protocol {} ports {} > {} flags {:x} punted {}",
        class.ip_version.map_or(0, IpVersion::number),
        class.protocol,
        class.source_port,
        class.destination_port,
        class.flags,
        u8::from(is_punted)
    );
}

/// Nothing.
#[cfg(not(feature = "log"))]
#[inline(always)]
pub(crate) fn packet<C: EbpfContext>(_context: &C, _cpu: &CpuState, _is_punted: bool) {}
