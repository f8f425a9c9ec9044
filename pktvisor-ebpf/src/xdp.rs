//! Sees every packet that an interface receives, before the host's network stack does.
//!
//! Minimum kernel version: 5.18 (packets in several buffers).

use core::ffi::c_void;

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::helpers::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use pktvisor_common::kernel::record::{RecordHeader, flags};
use pktvisor_common::kernel::wire::Wire;

use crate::account::account;
use crate::classify::{Link, classify_packet};
use crate::deep::{self, Bytes};
use crate::maps::{CONTROL, CPU};

/// Counts the packet and lets it pass; a copy goes up if it is chosen.
#[xdp(frags)]
pub fn pktvisor_xdp(context: XdpContext) -> u32 {
    inspect(&context);
    XDP_PASS
}

#[inline(always)]
fn inspect(context: &XdpContext) {
    let Some(control) = CONTROL.get(0) else { return };
    let Some(cpu) = CPU.get_ptr_mut(0) else { return };
    // SAFETY: the entry is this processor's own, and no other program runs on it before this one is done.
    let cpu = unsafe { &mut *cpu };
    let config = control.config();
    // SAFETY: a program's context is valid.
    let len = unsafe { bpf_xdp_get_buff_len(context.ctx) } as u32;
    classify_packet(Link::Configured, context.data(), context.data_end(), len, &config.dns_ports, cpu);
    if let Some(direction) = account(cpu, config, &Wire::single(len)) {
        let header = RecordHeader {
            ifindex: context.ingress_ifindex() as u32,
            wire_len: len,
            packets: 1,
            link_type: Link::Configured.link_type().0,
            direction: direction as u8,
            flags: flags::XDP,
            ..RecordHeader::default()
        };
        deep::send(context, len, header, cpu);
    }
}

impl Bytes for XdpContext {
    #[inline(always)]
    unsafe fn copy(&self, to: *mut c_void, len: u32) -> Result<(), ()> {
        // SAFETY: the context is valid, the caller has made room.
        match unsafe { bpf_xdp_load_bytes(self.ctx, 0, to, len) } {
            0 => Ok(()),
            _ => Err(()),
        }
    }
}
