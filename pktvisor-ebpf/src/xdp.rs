//! Sees every packet that an interface receives, before the host's network stack does.
//!
//! Minimum kernel version: 5.18 (packets in several buffers).

use core::ffi::c_void;

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::helpers::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use pktvisor_common::classify;
use pktvisor_common::kernel::config::KernelConfig;
use pktvisor_common::kernel::control::{cpu_entry, epoch};
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::record::{RecordHeader, flags};
use pktvisor_common::wire::Wire;

use crate::account::account;
use crate::classify::{LinkLayer, classify_again, classify_packet};
use crate::deep::{self, PacketBytes};
use crate::log;
use crate::maps::{CONTROL, CPU};

/// A longer frame is a jumbo frame. It may lie in several buffers, of which a program reads only
/// the first. A shorter frame in several buffers shows by an IP header that promises more than the
/// first buffer holds.
const FRAME_LEN: u32 = 1518;
const CUT: u16 = classify::flags::MALFORMED | classify::flags::TRUNCATED_CAPTURE;

/// Counts the packet and lets it pass; a copy is punted if its flow is sampled.
#[xdp(frags)]
pub fn pktvisor_xdp(context: XdpContext) -> u32 {
    inspect(&context);
    XDP_PASS
}

#[inline(always)]
fn inspect(context: &XdpContext) {
    let Some(control) = CONTROL.get(0) else { return };
    if control.is_attaching(|| context.ingress_ifindex() as u32) {
        return;
    }
    let live = control.live();
    let Some(cpu) = CPU.get_ptr_mut(cpu_entry(live)) else { return };
    // SAFETY: the entry is this processor's own, and no other program runs on it before this one is
    // done.
    let cpu = unsafe { &mut *cpu };
    let config = control.config();
    let len = classify_frame(context, config, cpu);
    let punted = account(cpu, control, live, &Wire::single(len));
    log::packet(context, cpu, punted.is_some());
    if let Some(direction) = punted {
        let header = RecordHeader {
            ifindex: context.ingress_ifindex() as u32,
            wire_len: len,
            packets: 1,
            link_type: LinkLayer::Configured.link_type().0,
            direction: direction as u8,
            flags: flags::XDP | flags::of_epoch(epoch(live)),
            ..RecordHeader::default()
        };
        deep::send(context, len, header, config.shards, cpu);
    }
}

/// Classifies a frame; returns its length.
#[inline(always)]
pub(crate) fn classify_frame(context: &XdpContext, config: &KernelConfig, cpu: &mut CpuState) -> u32 {
    let (data, data_end) = (context.data(), context.data_end());
    let mut len = (data_end - data) as u32;
    classify_packet(LinkLayer::Configured, data, data_end, len, &config.dns_ports, cpu);
    if len > FRAME_LEN || cpu.class.has(CUT) {
        // SAFETY: a program's context is valid.
        let whole_len = unsafe { bpf_xdp_get_buff_len(context.ctx) } as u32;
        if whole_len != len {
            len = whole_len;
            classify_again(LinkLayer::Configured, data, data_end, len, &config.dns_ports, cpu);
        }
    }
    // SAFETY: a valid field; volatile, so that the verifier forgets what it knows of the length and
    // checks what follows once.
    unsafe {
        let noted = &raw mut cpu.wire.bytes;
        noted.write_volatile(len);
        noted.read_volatile()
    }
}

impl PacketBytes for XdpContext {
    #[inline(always)]
    fn linear(&self) -> (usize, usize) {
        (self.data(), self.data_end())
    }

    #[inline(always)]
    unsafe fn copy(&self, to: *mut c_void, len: u32) -> Result<(), ()> {
        // SAFETY: the context is valid, the caller has made room.
        match unsafe { bpf_xdp_load_bytes(self.ctx, 0, to, len) } {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}

/// Does nothing, so that the benchmark can measure the others against it.
#[xdp(frags)]
pub fn pktvisor_nothing(_: XdpContext) -> u32 {
    XDP_PASS
}
