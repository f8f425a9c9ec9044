//! What every program does with a classified packet: it counts the packet and decides whether to
//! punt it.

use pktvisor_common::address::Address;
use pktvisor_common::classify::flags;
use pktvisor_common::direction::{Direction, direction};
use pktvisor_common::hll::Coupon;
use pktvisor_common::kernel::control::{Control, cardinality_entry, heavy_entry};
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::heavy::seen;
use pktvisor_common::sampling::needs_reassembly;
use pktvisor_common::wire::Wire;

use crate::maps::{CARDINALITY, HEAVY};

/// Counts the packets of `cpu.class` in the copies that `live` selects. Returns the direction of
/// packets to punt.
#[inline(always)]
pub(crate) fn account(cpu: &mut CpuState, control: &Control, live: u32, wire: &Wire) -> Option<Direction> {
    let config = control.config();
    let class = &cpu.class;
    let direction = direction(class, &config.host);
    cpu.counters.count_all(class, direction, wire);
    if class.unknown_ethertype != 0 {
        cpu.ethertypes.add(class.unknown_ethertype, u64::from(wire.packets));
        return None;
    }
    match direction {
        Direction::Received => {
            let source = Address::new(class.known_ip_version(), &class.source);
            count_remote(control, live, source, wire.packets, seen::SOURCE_IN, 0);
        }
        Direction::Sent => {
            let destination = Address::new(class.known_ip_version(), &class.destination);
            count_remote(control, live, destination, wire.packets, seen::DESTINATION_OUT, 1);
        }
        Direction::Unknown => {}
    }
    if class.has(flags::DNS_UDP) {
        if config.sample_rate.samples_packet(class) {
            return Some(direction);
        }
        cpu.counters.packets.dns_not_sampled += u64::from(wire.packets);
        None
    } else {
        needs_reassembly(class).then_some(direction)
    }
}

/// Counts packets of a remote address among the heavy hitters, and enters it into the cardinality
/// of its direction unless the table knows that this was done.
#[inline(always)]
fn count_remote(
    control: &Control,
    live: u32,
    address: Address<'_>,
    packets: u32,
    seen: u64,
    cardinality: u32,
) {
    let Some(table) = HEAVY.get_ptr_mut(heavy_entry(live)) else { return };
    // SAFETY: the entry is this processor's own, and no other program runs on it before this one is
    // done.
    let table = unsafe { &mut *table };
    if table.add(address, packets, seen, control.config().hash_key) {
        return;
    }
    let Some(registers) = CARDINALITY.get_ptr_mut(cardinality_entry(live) + cardinality) else { return };
    // SAFETY: as above.
    Coupon::of_address(address).update(unsafe { &mut *registers });
}
