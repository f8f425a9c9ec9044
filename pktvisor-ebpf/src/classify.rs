//! The classifier, called in the kernel.

use pktvisor_common::classify::{DnsPorts, LinkType, classify};
use pktvisor_common::kernel::cpu::CpuState;

use crate::reader::DirectReader;

/// What a packet begins with where the interface has a link-layer header; set by the agent before
/// loading, so that the verifier removes the code for all other link types.
#[unsafe(no_mangle)]
static LINK_TYPE: u16 = LinkType::ETHERNET.0;

/// Where a program's packets begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkLayer {
    /// With a header of [`LINK_TYPE`].
    Configured,
    /// With the IP header.
    Raw,
}

impl LinkLayer {
    #[inline(always)]
    pub(crate) fn link_type(self) -> LinkType {
        match self {
            // SAFETY: a valid static; volatile because its value is replaced in the object before
            // loading.
            Self::Configured => LinkType(unsafe { core::ptr::read_volatile(&raw const LINK_TYPE) }),
            Self::Raw => LinkType::RAW,
        }
    }
}

/// Classifies into `cpu.class`; `cpu.missed` says whether a header lies beyond `data_end`. Inlined,
/// because where the kernel protects returns from speculation, a call costs a third of the whole
/// program.
#[inline(always)]
pub(crate) fn classify_packet(
    link: LinkLayer,
    data: usize,
    data_end: usize,
    len: u32,
    dns_ports: &DnsPorts,
    cpu: &mut CpuState,
) {
    cpu.missed = 0;
    // SAFETY: the bounds come from the context, nothing here moves the packet, and `cpu` outlives
    // the reader.
    let reader = unsafe { DirectReader::new(data, data_end, len as usize, &raw mut cpu.missed) };
    classify(&reader, link.link_type(), dns_ports, &mut cpu.class);
}

/// The same for the few packets of which more bytes became known after they were classified.
#[inline(always)]
pub(crate) fn classify_again(
    link: LinkLayer,
    data: usize,
    data_end: usize,
    len: u32,
    dns_ports: &DnsPorts,
    cpu: &mut CpuState,
) {
    match link {
        LinkLayer::Configured => configured_again(data, data_end, len, dns_ports, cpu),
        LinkLayer::Raw => raw_again(data, data_end, len, dns_ports, cpu),
    };
}

// Functions of their own, and calls in BPF. The bounds are passed as they are, because the verifier
// forgets what a context passed by pointer is. They return a number, because what a function
// without result leaves in the result's register may be a pointer, which the verifier refuses.

#[inline(never)]
fn configured_again(data: usize, data_end: usize, len: u32, dns_ports: &DnsPorts, cpu: &mut CpuState) -> u64 {
    classify_packet(LinkLayer::Configured, data, data_end, len, dns_ports, cpu);
    0
}

#[inline(never)]
fn raw_again(data: usize, data_end: usize, len: u32, dns_ports: &DnsPorts, cpu: &mut CpuState) -> u64 {
    classify_packet(LinkLayer::Raw, data, data_end, len, dns_ports, cpu);
    0
}
