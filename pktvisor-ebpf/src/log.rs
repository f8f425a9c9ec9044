//! Tells of every packet what a program made of it: for debugging, and only in objects built with the feature `log`, since
//! it costs more than all the rest. The agent writes it to its log at level debug.

use aya_ebpf::EbpfContext;
#[cfg(feature = "log")]
use pktvisor_common::address::IpVersion;
use pktvisor_common::kernel::cpu::CpuState;

/// What is known of the packet just counted, and whether it goes up.
#[cfg(feature = "log")]
#[inline(always)]
pub(crate) fn packet<C: EbpfContext>(context: &C, cpu: &CpuState, goes_up: bool) {
    let class = &cpu.class;
    aya_log_ebpf::debug!(
        context,
        "IP version {} protocol {} ports {} > {} flags {:x} goes up {}",
        class.ip_version.map_or(0, IpVersion::number),
        class.protocol,
        class.source_port,
        class.destination_port,
        class.flags,
        u8::from(goes_up)
    );
}

/// Nothing.
#[cfg(not(feature = "log"))]
#[inline(always)]
pub(crate) fn packet<C: EbpfContext>(_context: &C, _cpu: &CpuState, _goes_up: bool) {}
