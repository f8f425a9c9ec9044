//! A packet in its frame, and the record that the program wrote before it.

use std::ptr;
use std::slice;

use pktvisor_common::classify::LinkType;
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN, RecordHeader, flags};
use pktvisor_memory::prefetch::prefetch_address;
use xsk_rs::{FrameDesc, Umem};

use crate::kernel::monotonic_ns;

/// Where frames lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory<'a> {
    /// The memory that they are of.
    pub(super) umem: &'a Umem,
    /// Size of each in bytes.
    pub(super) frame_bytes: u32,
    /// The interface that they came by.
    pub(super) ifindex: u32,
}

/// What the program says of a packet, and its bytes. Drivers without room for metadata leave
/// nothing before the packet.
///
/// # Safety
///
/// The frame must be of this memory, as the kernel returned it, and not be given back while its
/// bytes are referred to.
#[inline]
pub(super) unsafe fn record<'a>(memory: &Memory<'a>, frame: &FrameDesc) -> (Option<RecordHeader>, &'a [u8]) {
    // SAFETY: the frame is ours and of this memory, as the caller promises.
    let packet = unsafe { memory.umem.data(frame) }.contents();
    if frame.addr() % (memory.frame_bytes as usize) < HEADER_LEN {
        return (None, packet);
    }
    // The memory was mapped, and handed to the kernel, as one: what lies before the packet is
    // reached by its address.
    let start = ptr::with_exposed_provenance::<u8>(packet.as_ptr().expose_provenance() - HEADER_LEN);
    // SAFETY: the frame begins at least HEADER_LEN bytes before the packet: all bytes are the
    // frame's, which is ours.
    let with_metadata = unsafe { slice::from_raw_parts(start, HEADER_LEN + packet.len()) };
    let header = RecordHeader::split(with_metadata).map(|(header, _)| header);
    (header.filter(|header| is_of(header, packet, memory.ifindex)), packet)
}

/// Prefetches the record before a packet and its first bytes.
#[inline]
pub(super) fn prefetch_record(packet: &[u8]) {
    const LINE_BYTES: usize = 64;
    const LINES: usize = 4;
    for line in 0..LINES {
        prefetch_address(packet.as_ptr().wrapping_sub(HEADER_LEN).wrapping_add(line * LINE_BYTES));
    }
}

/// Whether the program has just written the header for this packet. Otherwise there is what was
/// there before: nothing, or something of the driver's.
#[inline]
fn is_of(header: &RecordHeader, packet: &[u8], ifindex: u32) -> bool {
    usize::from(header.captured_len) == packet.len()
        && header.ifindex == ifindex
        && header.flags & !flags::EPOCH == flags::XDP
        && header.packets == 1
}

/// What the program would have said, but for the direction, which is found out again, and the time,
/// which is now.
#[cold]
pub(super) fn without_record(ifindex: u32, packet: &[u8]) -> RecordHeader {
    RecordHeader {
        timestamp_ns: monotonic_ns(),
        ifindex,
        wire_len: packet.len() as u32,
        captured_len: packet.len().min(CAPTURED_MAX) as u16,
        packets: 1,
        link_type: LinkType::ETHERNET.0,
        flags: flags::XDP,
        ..RecordHeader::default()
    }
}
