//! Packets that a queue has received at once, lent while they are looked at.

use std::ptr;
use std::slice;

use pktvisor_common::classify::LinkType;
use pktvisor_common::kernel::record::{CAPTURED_MAX, HEADER_LEN, RecordHeader, flags};
use xsk_rs::{FrameDesc, Umem};

use crate::capture::kernel::monotonic_ns;

/// Where the frames of a burst lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The memory that they are of.
    pub(super) umem: &'a Umem,
    /// Size of each frame in it.
    pub(super) frame_bytes: usize,
    /// The interface that they came by.
    pub(super) ifindex: u32,
}

/// Records in the order in which they came.
#[derive(Debug)]
pub struct Burst<'a> {
    place: Place<'a>,
    frames: slice::Iter<'a, FrameDesc>,
}

impl<'a> Burst<'a> {
    /// # Safety
    ///
    /// The frames must be of the memory at `place`, as the kernel returned them, and not be given back to it while this
    /// lives.
    pub(super) unsafe fn new(place: Place<'a>, frames: &'a [FrameDesc]) -> Self {
        Self { place, frames: frames.iter() }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.frames.len() == 0
    }

    /// The next record: what the program says of a packet, and its bytes. Drivers without room for what it says leave that
    /// to us: such a packet is stamped when it is read.
    #[inline]
    pub fn next_record(&mut self) -> Option<(RecordHeader, &'a [u8])> {
        let (with_metadata, packet) = self.frame()?;
        match RecordHeader::split(with_metadata) {
            Some((header, _)) if self.is_of(&header, packet) => Some((header, packet)),
            _ => Some((self.header_of(packet), packet)),
        }
    }

    /// Whether the program has just written the header for this packet. Without one, there is what was there before:
    /// nothing, or something of the driver's.
    #[inline]
    fn is_of(&self, header: &RecordHeader, packet: &[u8]) -> bool {
        usize::from(header.captured_len) == packet.len()
            && header.ifindex == self.place.ifindex
            && header.flags == flags::XDP
            && header.packets == 1
    }

    /// What the program would have said, but for the direction, which is found out again.
    #[cold]
    fn header_of(&self, packet: &[u8]) -> RecordHeader {
        RecordHeader {
            timestamp_ns: monotonic_ns(),
            ifindex: self.place.ifindex,
            wire_len: packet.len() as u32,
            captured_len: packet.len().min(CAPTURED_MAX) as u16,
            packets: 1,
            link_type: LinkType::ETHERNET.0,
            flags: flags::XDP,
            ..RecordHeader::default()
        }
    }

    /// The next packet: with the metadata that lies directly before it, or nothing where there is no room for any; and
    /// alone.
    #[inline]
    fn frame(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let frame = self.frames.next()?;
        // SAFETY: `new` was promised that the frame is ours and of this memory.
        let packet = unsafe { self.place.umem.data(frame) }.contents();
        if frame.addr() % self.place.frame_bytes < HEADER_LEN {
            return Some((&[], packet));
        }
        // The memory was mapped, and handed to the kernel, as one: what lies before the packet is reached by its address.
        let start = ptr::with_exposed_provenance::<u8>(packet.as_ptr().expose_provenance() - HEADER_LEN);
        // SAFETY: the frame begins at least HEADER_LEN bytes before the packet: all bytes are the frame's, which is ours.
        let with_metadata = unsafe { slice::from_raw_parts(start, HEADER_LEN + packet.len()) };
        Some((with_metadata, packet))
    }
}
