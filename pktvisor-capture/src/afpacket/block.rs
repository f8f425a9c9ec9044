//! A block of packets that the kernel has handed over, lent for as long as it is read.

use std::mem::offset_of;

use libc::{tpacket_block_desc, tpacket_hdr_v1};
use pktvisor_common::packet::Packet;
use pktvisor_common::wire::Wire;

use super::VirtioHeader;
use super::bytes::u32_at;
use super::frame::FrameHeader;
use super::ring::BlockRing;

/// Packets in the order in which they came. Dropped, it goes back to the kernel.
#[derive(Debug)]
pub struct Block<'a> {
    ring: &'a mut BlockRing,
    virtio_header: VirtioHeader,
    frames_left: u32,
    next_frame: usize,
}

impl<'a> Block<'a> {
    /// The ring's next block, if the kernel has handed it over.
    pub(super) fn next_of(ring: &'a mut BlockRing, virtio_header: VirtioHeader) -> Option<Self> {
        const HEADER: usize = offset_of!(tpacket_block_desc, hdr);
        let bytes = ring.block()?;
        let frames_left = u32_at(bytes, HEADER + offset_of!(tpacket_hdr_v1, num_pkts)).unwrap_or(0);
        let first = u32_at(bytes, HEADER + offset_of!(tpacket_hdr_v1, offset_to_first_pkt)).unwrap_or(0);
        Some(Self { ring, virtio_header, frames_left, next_frame: first as usize })
    }

    /// The next packet, lent until the next call, and what it was on the wire. Not an iterator,
    /// since packets must not outlive their block.
    pub fn next_packet(&mut self) -> Option<(Packet<'_>, Wire)> {
        let (header, at) = loop {
            let (header, at) = self.next_header()?;
            if !header.is_seen_twice() {
                break (header, at);
            }
        };
        header.packet(self.ring.block()?.get_mut(at..)?, self.virtio_header)
    }

    /// The next frame's header and where the frame begins.
    fn next_header(&mut self) -> Option<(FrameHeader, usize)> {
        self.frames_left = self.frames_left.checked_sub(1)?;
        let at = self.next_frame;
        let header = FrameHeader::read(self.ring.block()?.get(at..)?)?;
        self.next_frame = at.checked_add(header.next_offset)?;
        Some((header, at))
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.ring.release();
    }
}
