//! What is done with a classified packet, whichever program saw it: counted, and perhaps chosen.

use pktvisor_common::classify::flags;
use pktvisor_common::direction::{Direction, direction};
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::wire::Wire;
use pktvisor_common::sampling::{needs_reassembly, packet_hash};

/// Counts the packets of `cpu.class`; the direction, where they are to go up to deep analysis.
#[inline(always)]
pub(crate) fn account(cpu: &mut CpuState, config: &KernelConfig, wire: &Wire) -> Option<Direction> {
    let class = &cpu.class;
    let direction = direction(class, &config.host);
    cpu.counters.count_all(class, direction, wire);
    if class.has(flags::DNS_UDP) {
        if config.sample_rate.chooses(packet_hash(class)) {
            return Some(direction);
        }
        cpu.counters.packets.dns_not_chosen += u64::from(wire.packets);
        None
    } else {
        needs_reassembly(class).then_some(direction)
    }
}
