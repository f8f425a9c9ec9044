//! Sees every packet at the traffic control hooks: what an interface is about to send, and what it
//! has received where XDP is unavailable.
//!
//! Programs see the kernel's view of a packet: segmentation offload makes one buffer of many
//! packets, and a VLAN tag is in the metadata. Minimum kernel version: 5.10 for the helpers, of
//! which 5.8 brings the ring buffers.

use core::ffi::c_void;

use aya_ebpf::bindings::{__sk_buff, TC_ACT_UNSPEC};
use aya_ebpf::helpers::{bpf_skb_load_bytes, bpf_skb_pull_data};
use aya_ebpf::macros::classifier;
use aya_ebpf::programs::TcContext;
use pktvisor_common::classify;
use pktvisor_common::direction::LinkDirection;
use pktvisor_common::kernel::control::{cpu_entry, epoch};
use pktvisor_common::kernel::record::{RecordHeader, flags};
use pktvisor_common::wire::Wire;

use crate::account::account;
use crate::classify::{LinkLayer, classify_again, classify_packet};
use crate::deep::{self, PacketBytes};
use crate::log;
use crate::maps::{CONTROL, CPU};

/// How much of a packet is made readable where a header does not lie in its linear part, in bytes.
const PULLED: u32 = 2048;
/// Bytes of a VLAN tag.
const TAG_LEN: u32 = 4;

/// Received packets of an interface with a link-layer header.
#[classifier]
pub fn pktvisor_ingress(context: TcContext) -> i32 {
    inspect(&context, LinkDirection::Ingress, LinkLayer::Configured)
}

/// Sent packets of an interface with a link-layer header.
#[classifier]
pub fn pktvisor_egress(context: TcContext) -> i32 {
    inspect(&context, LinkDirection::Egress, LinkLayer::Configured)
}

/// Received packets of an interface without one.
#[classifier]
pub fn pktvisor_ingress_raw(context: TcContext) -> i32 {
    inspect(&context, LinkDirection::Ingress, LinkLayer::Raw)
}

/// Sent packets of an interface without one.
#[classifier]
pub fn pktvisor_egress_raw(context: TcContext) -> i32 {
    inspect(&context, LinkDirection::Egress, LinkLayer::Raw)
}

/// Counts the packet and leaves it to the next program; a copy is punted if its flow is sampled.
#[inline(always)]
fn inspect(context: &TcContext, direction: LinkDirection, link: LinkLayer) -> i32 {
    count(context, direction, link);
    // TCX_NEXT, and the same for a classifier of a qdisc.
    TC_ACT_UNSPEC
}

#[inline(always)]
fn count(context: &TcContext, direction: LinkDirection, link: LinkLayer) {
    let Some(control) = CONTROL.get(0) else { return };
    // SAFETY: a program's context is valid.
    if control.is_attaching(|| unsafe { (*context.skb.skb).ifindex }) {
        return;
    }
    let live = control.live();
    let Some(cpu) = CPU.get_ptr_mut(cpu_entry(live)) else { return };
    // SAFETY: the entry is this processor's own, and no other program runs on it before this one is
    // done.
    let cpu = unsafe { &mut *cpu };
    let config = control.config();
    let len = context.len();
    classify_packet(link, context.data(), context.data_end(), len, &config.dns_ports, cpu);
    if cpu.missed != 0 && cpu.missed <= u64::from(len) {
        // SAFETY: a program's context is valid. Without success the packet stays as it was
        // understood.
        unsafe { bpf_skb_pull_data(context.skb.skb, if len < PULLED { len } else { PULLED }) };
        classify_again(link, context.data(), context.data_end(), len, &config.dns_ports, cpu);
    }
    // SAFETY: as above.
    let skb = unsafe { &*context.skb.skb };
    let mut wire = wire(skb, len, u32::from(cpu.class.payload_offset), direction);
    if skb.vlan_present != 0 {
        wire.add_to_each(TAG_LEN);
        cpu.class.flags |= classify::flags::VLAN;
    }
    // SAFETY: a valid reference; volatile, so that the verifier sees unknown numbers come back.
    let wire = unsafe {
        let noted = &raw mut cpu.wire;
        noted.write_volatile(wire);
        noted.read_volatile()
    };
    let punted = account(cpu, control, live, &wire);
    log::packet(context, cpu, punted.is_some());
    if let Some(direction) = punted {
        let header = RecordHeader {
            ifindex: skb.ifindex,
            wire_len: wire.bytes,
            packets: if wire.packets > u32::from(u16::MAX) { u16::MAX } else { wire.packets as u16 },
            link_type: link.link_type().0,
            direction: direction as u8,
            flags: flags::of_epoch(epoch(live)),
            ..RecordHeader::default()
        };
        deep::send(context, len, header, config.shards, cpu);
    }
}

/// The packets that a buffer stands for, without a tag that was taken out.
#[inline(always)]
fn wire(skb: &__sk_buff, len: u32, payload_offset: u32, direction: LinkDirection) -> Wire {
    if skb.gso_size == 0 {
        return Wire::single(len);
    }
    let mut wire = Wire::segmented(len, payload_offset, skb.gso_size, skb.gso_segs);
    if direction == LinkDirection::Egress && skb.wire_len > len && wire.packets > 1 {
        // The kernel has computed it, also for headers that the classifier does not parse.
        wire.segment_len = (skb.wire_len - len) / (wire.packets - 1) + skb.gso_size;
        wire.bytes = skb.wire_len;
    }
    wire
}

impl PacketBytes for TcContext {
    #[inline(always)]
    fn linear(&self) -> (usize, usize) {
        (self.data(), self.data_end())
    }

    #[inline(always)]
    unsafe fn copy(&self, to: *mut c_void, len: u32) -> Result<(), ()> {
        // SAFETY: the context is valid, the caller has made room.
        match unsafe { bpf_skb_load_bytes(self.skb.skb.cast(), 0, to, len) } {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}
