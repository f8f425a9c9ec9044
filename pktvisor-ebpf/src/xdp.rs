//! Counts every packet that an interface receives, before the host's network stack sees it.
//!
//! Minimum kernel version: 5.3 (bounded loops).

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use pktvisor_common::classify::{Class, LinkType, classify};
use pktvisor_common::config::KernelConfig;
use pktvisor_common::direction::direction;
use pktvisor_common::reader::PacketReader;

use crate::maps::{CLASS, CONFIG, COUNTERS};
use crate::reader::DirectReader;

/// What the interface's packets begin with; set by the agent before loading, so that the verifier removes the code
/// for all other link types.
#[unsafe(no_mangle)]
static LINK_TYPE: u16 = LinkType::ETHERNET.0;

/// Counts the packet and lets it pass.
#[xdp]
pub fn pktvisor_xdp(context: XdpContext) -> u32 {
    count(&context);
    XDP_PASS
}

#[inline(always)]
fn count(context: &XdpContext) {
    let Some(config) = CONFIG.get(0) else { return };
    let Some(counters) = COUNTERS.get_ptr_mut(0) else { return };
    let Some(class) = CLASS.get_ptr_mut(0) else { return };
    // SAFETY: both entries are this CPU's own, and no other program on this CPU runs before this one is done.
    let (counters, class) = unsafe { (&mut *counters, &mut *class) };
    let len = classify_packet(context.data(), context.data_end(), config, class);
    counters.count(class, direction(class, &config.host), len);
}

/// A function of its own, and a call in BPF: a fifth of the code that inlining makes of it, and faster. The bounds
/// are passed as they are, because the verifier forgets what a context passed by pointer is. It returns the packet's
/// length, because what a function without result leaves in the result's register may be a pointer, which the verifier
/// refuses.
#[inline(never)]
fn classify_packet(data: usize, data_end: usize, config: &KernelConfig, class: &mut Class) -> u32 {
    // SAFETY: the bounds come from the context, and nothing in this program moves the packet.
    let reader = unsafe { DirectReader::new(data, data_end) };
    // SAFETY: a valid static; volatile because its value is replaced in the object before loading.
    let link_type = LinkType(unsafe { core::ptr::read_volatile(&raw const LINK_TYPE) });
    classify(&reader, link_type, &config.dns_ports, class);
    reader.captured_len() as u32
}
