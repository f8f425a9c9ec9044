//! Hands chosen packets to the agent: a record in this processor's ring buffer.
//!
//! Room is reserved in a few sizes (the verifier wants a constant), and the packet's bytes are copied straight into it.
//! Nobody is woken up: the agent looks after the rings by itself, and a wake-up costs more than all the rest.

use core::ffi::c_void;
use core::hint::black_box;

use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::{
    bpf_get_smp_processor_id, bpf_ktime_get_ns, bpf_ringbuf_discard, bpf_ringbuf_reserve, bpf_ringbuf_submit,
};
use pktvisor_common::classify::flags;
use pktvisor_common::kernel::cpu::CpuState;
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN, RESERVED, RecordHeader};

use crate::maps::DEEP;

/// A packet whose bytes can be copied, wherever they lie.
pub(crate) trait Bytes {
    /// Copies the first `len` bytes to `to`.
    ///
    /// # Safety
    ///
    /// There must be room for them.
    unsafe fn copy(&self, to: *mut c_void, len: u32) -> Result<(), ()>;
}

/// Nanoseconds of CLOCK_MONOTONIC.
#[inline(always)]
pub(crate) fn now_ns() -> u64 {
    // SAFETY: has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

/// Sends up the first [`CAPTURED_MAX`] of the `len` bytes of a packet, and counts what became of it. Of `header`, time
/// and captured length are filled in here.
#[inline(always)]
pub(crate) fn send(packet: &impl Bytes, len: u32, mut header: RecordHeader, cpu: &mut CpuState) {
    // Fragments that only tell what need not be kept are no packets of DNS, and in nobody's account.
    let packets = if cpu.class.has(flags::ANY_DNS) { u64::from(header.packets) } else { 0 };
    header.timestamp_ns = now_ns();
    let captured_len = if len as usize > CAPTURED_MAX { CAPTURED_MAX } else { len as usize };
    header.captured_len = captured_len as u16;
    // Known to be bounded to the verifier only if the compiler does not know it.
    let captured_len = black_box(captured_len);
    let record = reserve(captured_len);
    if record.is_null() {
        cpu.handed_up.lost_ring_full += packets;
        return;
    }
    let copied = if captured_len >= 1 && captured_len <= CAPTURED_MAX {
        // SAFETY: `reserve` made room for a header and `captured_len` bytes.
        unsafe { packet.copy(record.add(HEADER_LEN), captured_len as u32) }
    } else {
        Err(())
    };
    // SAFETY: there is room for the header, aligned to 8 bytes; a reserved record is given back exactly once.
    unsafe {
        record.cast::<RecordHeader>().write(header);
        match copied {
            Ok(()) => {
                cpu.handed_up.delivered += packets;
                bpf_ringbuf_submit(record, u64::from(BPF_RB_NO_WAKEUP));
            }
            Err(()) => {
                cpu.handed_up.lost_unreadable += packets;
                bpf_ringbuf_discard(record, u64::from(BPF_RB_NO_WAKEUP));
            }
        }
    }
}

/// Room for a header and `captured_len` bytes; null if there is none.
#[inline(always)]
fn reserve(captured_len: usize) -> *mut c_void {
    // SAFETY: has no preconditions.
    let Some(ring) = DEEP.get(unsafe { bpf_get_smp_processor_id() }) else { return core::ptr::null_mut() };
    let ring = core::ptr::from_ref(ring).cast_mut().cast();
    let mut i = 0;
    while i < RESERVED.len() {
        if captured_len <= RESERVED[i] - HEADER_LEN {
            // SAFETY: `ring` is a ring buffer, of which the map holds nothing else.
            return unsafe { bpf_ringbuf_reserve(ring, RESERVED[i] as u64, 0) };
        }
        i += 1;
    }
    core::ptr::null_mut()
}
