//! Packets that a queue has received at once, lent while they are looked at.

use std::ptr;
use std::slice;

use pktvisor_common::kernel::record::{HEADER_LEN, RecordHeader};
use xsk_rs::{FrameDesc, Umem};

/// Records in the order in which they came.
#[derive(Debug)]
pub struct Burst<'a> {
    umem: &'a Umem,
    frames: slice::Iter<'a, FrameDesc>,
    frame_bytes: usize,
    unreadable: u64,
}

impl<'a> Burst<'a> {
    /// # Safety
    ///
    /// The frames must be of `umem`, whose frames have `frame_bytes` bytes, as the kernel returned them, and not be given
    /// back to it while this lives.
    pub(super) unsafe fn new(umem: &'a Umem, frames: &'a [FrameDesc], frame_bytes: usize) -> Self {
        Self { umem, frames: frames.iter(), frame_bytes, unreadable: 0 }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.frames.len() == 0
    }

    /// The next record: what the program says of a packet, and its bytes.
    #[inline]
    pub fn next_record(&mut self) -> Option<(RecordHeader, &'a [u8])> {
        loop {
            let frame = self.frames.next()?;
            match RecordHeader::split(self.record(frame)) {
                Some(record) => return Some(record),
                None => self.unreadable += 1,
            }
        }
    }

    /// Frames passed over so far because no record lay in them.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The packet with the metadata that lies directly before it; empty if there is no room for any.
    #[inline]
    fn record(&self, frame: &FrameDesc) -> &'a [u8] {
        let room = frame.addr() % self.frame_bytes;
        if room < HEADER_LEN {
            return &[];
        }
        // SAFETY: `new` was promised that the frame is ours and of this memory.
        let packet = unsafe { self.umem.data(frame) };
        let packet = packet.contents();
        // The memory was mapped, and handed to the kernel, as one: what lies before the packet is reached by its address.
        let start = ptr::with_exposed_provenance::<u8>(packet.as_ptr().expose_provenance() - HEADER_LEN);
        // SAFETY: the frame begins `room` bytes before the packet, which is more than HEADER_LEN: all bytes are the
        // frame's, which is ours.
        unsafe { slice::from_raw_parts(start, HEADER_LEN + packet.len()) }
    }
}
