//! Sees every packet of an interface that a mirror port feeds, and lets none of them reach the
//! host: it punts sampled ones to an AF_XDP socket of their receive queue and drops the others.
//!
//! Minimum kernel version: 5.18 (packets in several buffers).

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_REDIRECT};
use aya_ebpf::helpers::bpf_xdp_adjust_meta;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use pktvisor_common::classify::flags as class_flags;
use pktvisor_common::kernel::control::{cpu_entry, epoch};
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN, RecordHeader, flags};
use pktvisor_common::wire::Wire;

use crate::account::account;
use crate::classify::LinkLayer;
use crate::deep;
use crate::log;
use crate::maps::{CONTROL, CPU, XSKS};
use crate::xdp::classify_frame;

/// Counts the packet, then punts it to a socket or drops it.
#[xdp(frags)]
pub fn pktvisor_tap(context: XdpContext) -> u32 {
    take(&context)
}

#[inline(always)]
fn take(context: &XdpContext) -> u32 {
    let Some(control) = CONTROL.get(0) else { return XDP_DROP };
    let live = control.live();
    let Some(cpu) = CPU.get_ptr_mut(cpu_entry(live)) else { return XDP_DROP };
    // SAFETY: the entry is this processor's own, and no other program runs on it before this one is
    // done.
    let cpu = unsafe { &mut *cpu };
    let config = control.config();
    let len = classify_frame(context, config, cpu);
    let punted = account(cpu, control, live, &Wire::single(len));
    log::packet(context, cpu, punted.is_some());
    let Some(direction) = punted else { return XDP_DROP };
    let captured_len = if len as usize > CAPTURED_MAX { CAPTURED_MAX } else { len as usize };
    let header = RecordHeader {
        timestamp_ns: deep::now_ns(),
        ifindex: context.ingress_ifindex() as u32,
        wire_len: len,
        captured_len: captured_len as u16,
        packets: 1,
        link_type: LinkLayer::Configured.link_type().0,
        direction: direction as u8,
        flags: flags::XDP | flags::of_epoch(epoch(live)),
    };
    let shards = config.shards;
    let socket = shards.place(context.rx_queue_index(), shards.of(&cpu.class));
    hand_over(context, header, socket, cpu)
}

/// Writes the header before the packet and sends both to the socket.
#[inline(always)]
fn hand_over(context: &XdpContext, header: RecordHeader, socket: u32, cpu: &mut CpuState) -> u32 {
    // Only packets that may hold DNS are in the ledger. Other fragments go along because they show
    // which fragments reassembly need not keep.
    let packets = u64::from(cpu.class.has(class_flags::ANY_DNS));
    write_header(context, header);
    match XSKS.redirect(socket, u64::from(XDP_DROP)) {
        Ok(XDP_REDIRECT) => {
            cpu.punted.delivered += packets;
            XDP_REDIRECT
        }
        _ => {
            cpu.punted.lost_no_socket += packets;
            XDP_DROP
        }
    }
}

/// Some drivers have no room for metadata. The agent recognises a header that belongs to its packet
/// and manages without one.
#[inline(always)]
fn write_header(context: &XdpContext, header: RecordHeader) {
    // SAFETY: a program's context is valid; nothing refers to the packet's bytes any more, which
    // may now be elsewhere.
    if unsafe { bpf_xdp_adjust_meta(context.ctx, -(HEADER_LEN as i32)) } != 0 {
        return;
    }
    let metadata = context.metadata();
    if metadata + HEADER_LEN <= context.metadata_end() {
        // SAFETY: there is room for the header, as has just been checked; metadata is aligned to 4
        // bytes at least.
        unsafe { (metadata as *mut RecordHeader).write_unaligned(header) };
    }
}
