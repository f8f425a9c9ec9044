//! The memory that the kernel shares with a packet socket: a ring of blocks, each the kernel's or
//! ours.
//!
//! The kernel fills a block with packets and hands it over when it is full, or when its time is up;
//! we read it and hand it back. One word of its header (`block_status`) says who owns the block. It
//! is the only word that both sides may look at at any time.

use std::io;
use std::os::fd::OwnedFd;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use memmap2::{MmapOptions, MmapRaw};

/// Offset of the word that says who owns a block, in `struct tpacket_block_desc`.
const STATUS_OFFSET: usize = 8;

/// A mapped ring.
#[derive(Debug)]
pub(super) struct BlockRing {
    memory: MmapRaw,
    block_bytes: usize,
    blocks: usize,
    /// The block that is handed over next.
    next: usize,
}

impl BlockRing {
    /// Maps the ring that the packet socket `fd` was given: `blocks` blocks of `block_bytes` bytes.
    pub(super) fn map(fd: &OwnedFd, block_bytes: usize, blocks: usize) -> io::Result<Self> {
        let memory = MmapOptions::new().len(block_bytes * blocks).map_raw(fd)?;
        Ok(Self { memory, block_bytes, blocks, next: 0 })
    }

    /// Whether the kernel has handed over the next block.
    pub(super) fn is_ready(&self) -> bool {
        // Acquire: what the kernel wrote into the block before it handed it over is seen after.
        self.status().load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// The bytes of the next block, its header included, or `None` while it is the kernel's.
    pub(super) fn block(&mut self) -> Option<&mut [u8]> {
        if !self.is_ready() {
            return None;
        }
        // SAFETY: `next` is below `blocks`, so the block lies within the mapping; it is ours until
        // `release`, which needs `self` while the slice borrows it.
        Some(unsafe { slice::from_raw_parts_mut(self.next_block(), self.block_bytes) })
    }

    /// Hands the block back that was read last.
    pub(super) fn release(&mut self) {
        // Release: we have read what we wanted before the kernel writes into the block again.
        self.status().store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
    }

    fn next_block(&self) -> *mut u8 {
        // SAFETY: `next` is below `blocks`, so the offset lies within the mapping.
        unsafe { self.memory.as_mut_ptr().add(self.next * self.block_bytes) }
    }

    fn status(&self) -> &AtomicU32 {
        // SAFETY: the word lies within the block, blocks begin at page boundaries, so it is
        // aligned; it is only ever reached as an atomic while the kernel may look at it.
        unsafe { AtomicU32::from_ptr(self.next_block().add(STATUS_OFFSET).cast()) }
    }
}
