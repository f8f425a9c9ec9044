//! Punts packets to the agent: a record in a ring buffer of this processor.
//!
//! The program reserves room in one of a few sizes, because the verifier wants a constant, and
//! copies the packet straight into it. It copies small packets itself, since a call of a helper
//! costs as much as a good part of the classification. For others it calls a helper, which collects
//! the bytes from all buffers.
//!
//! The program wakes nobody up: the agent polls the rings, and a wake-up costs more than everything
//! else.

use core::arch::asm;
use core::ffi::c_void;
use core::hint::black_box;

use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::{
    bpf_get_smp_processor_id, bpf_ktime_get_ns, bpf_ringbuf_discard, bpf_ringbuf_reserve, bpf_ringbuf_submit,
};
use pktvisor_common::classify::flags;
use pktvisor_common::kernel::cpu::{CpuState, Punts};
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN, LARGE, RecordHeader, SMALL, SMALL_MAX};
use pktvisor_common::sharding::Shards;

use crate::maps::DEEP;
use crate::reader::bounded;

const NO_WAKEUP: u64 = BPF_RB_NO_WAKEUP as u64;

/// The bytes of a packet, in one piece or several.
pub(crate) trait PacketBytes {
    /// The part that can be read directly: the context's `data` and `data_end`.
    fn linear(&self) -> (usize, usize);

    /// Copies the first `len` bytes to `to`.
    ///
    /// # Safety
    ///
    /// There must be room for them.
    unsafe fn copy(&self, to: *mut c_void, len: u32) -> Result<(), ()>;
}

/// The outcome of sending a record.
enum SendOutcome {
    Delivered,
    RingFull,
    Unreadable,
}

/// Nanoseconds of CLOCK_MONOTONIC.
#[inline(always)]
pub(crate) fn now_ns() -> u64 {
    // SAFETY: has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

/// Punts the first [`CAPTURED_MAX`] of the `len` bytes of a packet and counts the outcome. Fills in
/// the time and the captured length of `header`.
#[inline(always)]
pub(crate) fn send(
    packet: &impl PacketBytes,
    len: u32,
    mut header: RecordHeader,
    shards: Shards,
    cpu: &mut CpuState,
) {
    // Only packets that may hold DNS are in the ledger. Other fragments go along because they show
    // which fragments reassembly need not keep.
    let packets = if cpu.class.has(flags::ANY_DNS) { u64::from(header.packets) } else { 0 };
    let captured_len = if len as usize > CAPTURED_MAX { CAPTURED_MAX } else { len as usize };
    header.timestamp_ns = now_ns();
    header.captured_len = captured_len as u16;
    // SAFETY: has no preconditions.
    let processor = unsafe { bpf_get_smp_processor_id() };
    let Some(ring) = DEEP.get(shards.place(processor, shards.of(&cpu.class))) else { return };
    let ring = core::ptr::from_ref(ring).cast_mut().cast();
    let (data, data_end) = packet.linear();
    let sent = if captured_len <= SMALL_MAX && data_end - data == captured_len {
        send_small(data, data_end, captured_len, header, ring)
    } else {
        send_large(packet, captured_len, header, ring)
    };
    let Punts { delivered, lost_ring_full, lost_unreadable, .. } = &mut cpu.punted;
    *match sent {
        SendOutcome::Delivered => delivered,
        SendOutcome::RingFull => lost_ring_full,
        SendOutcome::Unreadable => lost_unreadable,
    } += packets;
}

/// A packet of `len` bytes that lies from `data` to `data_end`.
#[inline(always)]
fn send_small(
    data: usize,
    data_end: usize,
    len: usize,
    header: RecordHeader,
    ring: *mut c_void,
) -> SendOutcome {
    let (record, room) = reserve(&SMALL, len, ring);
    if record.is_null() {
        return SendOutcome::RingFull;
    }
    // SAFETY: `reserve` made room for a header and `room` bytes, aligned to 8; what is read lies
    // between `data` and `data_end`. The verifier checks all of it again. The record is submitted
    // or discarded exactly once.
    unsafe {
        record.cast::<RecordHeader>().write(header);
        let bytes = record.add(HEADER_LEN);
        let mut offset = 0;
        while offset < room && data + offset + 8 <= data_end {
            bytes.add(offset).cast::<u64>().write(((data + offset) as *const u64).read_unaligned());
            offset += 8;
        }
        // The rest is the end of the last 8 bytes, of which some have been copied already.
        let last = bounded(len.wrapping_sub(8));
        let start = data + last;
        if last > room - 8 || start + 8 > data_end {
            bpf_ringbuf_discard(record, NO_WAKEUP);
            return SendOutcome::Unreadable;
        }
        bytes.add(last).cast::<u64>().write_unaligned((start as *const u64).read_unaligned());
        bpf_ringbuf_submit(record, NO_WAKEUP);
    }
    SendOutcome::Delivered
}

/// A packet in several pieces, or of more bytes.
#[inline(always)]
fn send_large(packet: &impl PacketBytes, len: usize, header: RecordHeader, ring: *mut c_void) -> SendOutcome {
    // Known to be bounded to the verifier only if the compiler does not know it.
    let len = black_box(len);
    let (record, room) = reserve(&LARGE, len, ring);
    if record.is_null() {
        return SendOutcome::RingFull;
    }
    // SAFETY: `reserve` made room for a header and `room` bytes.
    let copied = unsafe { packet.copy(record.add(HEADER_LEN), within(len, room) as u32) };
    // SAFETY: there is room for the header, aligned to 8 bytes; a reserved record is given back
    // exactly once.
    unsafe {
        record.cast::<RecordHeader>().write(header);
        match copied {
            Ok(()) => {
                bpf_ringbuf_submit(record, NO_WAKEUP);
                SendOutcome::Delivered
            }
            Err(()) => {
                bpf_ringbuf_discard(record, NO_WAKEUP);
                SendOutcome::Unreadable
            }
        }
    }
}

/// The same length, in a register that the verifier knows to hold 1 to `room`. A comparison that
/// the compiler makes may use a copy of the register, which teaches the verifier nothing before
/// Linux 6.8.
#[inline(always)]
fn within(mut len: usize, room: usize) -> usize {
    // SAFETY: arithmetic on registers.
    unsafe {
        asm!(
            "if {len} > 0 goto +1",
            "{len} = 1",
            "if {len} <= {room} goto +1",
            "{len} = {room}",
            len = inout(reg) len,
            room = in(reg) room,
            options(pure, nomem, nostack)
        );
    }
    len
}

/// A record with room for a header and at least `len` bytes, and for how many; null if there is
/// none.
#[inline(always)]
fn reserve<const N: usize>(sizes: &[usize; N], len: usize, ring: *mut c_void) -> (*mut c_void, usize) {
    let mut i = 0;
    while i < N {
        if len <= sizes[i] - HEADER_LEN {
            // SAFETY: `ring` is a ring buffer, of which the map holds nothing else.
            return (unsafe { bpf_ringbuf_reserve(ring, sizes[i] as u64, 0) }, sizes[i] - HEADER_LEN);
        }
        i += 1;
    }
    (core::ptr::null_mut(), 0)
}
