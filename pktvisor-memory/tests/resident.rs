//! Large blocks leave no memory behind, even if others lie between them.
//!
//! The only test of its process, because it measures the memory of all threads.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use pktvisor_memory::{allocator, huge_pages};

const BLOCKS: usize = 16;
const BLOCK_BYTES: usize = 2 << 20;

/// Resident memory of this process.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    // SAFETY: asks for a constant of the system.
    pages * usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap()
}

/// The resident memory of blocks of which every second one has been dropped.
fn bytes_of_half<T>(make: impl Fn() -> T) -> usize {
    let before = resident_bytes();
    // By default glibc keeps blocks of up to this size as soon as one has been freed.
    drop(vec![7_u8; 4 * BLOCK_BYTES]);
    let mut blocks: Vec<_> = (0..BLOCKS).map(|_| Some(make())).collect();
    assert!(resident_bytes() - before >= BLOCKS * BLOCK_BYTES);
    blocks.iter_mut().step_by(2).for_each(|block| *block = None);
    resident_bytes() - before
}

#[test]
fn dropped_blocks_leave_no_memory_behind() {
    const HALF: usize = BLOCKS * BLOCK_BYTES / 2;
    const FEW: usize = 2 * BLOCK_BYTES;
    // Before the allocator is told to: a large table is no part of its memory.
    let bytes = bytes_of_half(|| huge_pages::Array::new(7_u64, BLOCK_BYTES / 8));
    assert!(bytes < HALF + FEW, "{bytes} bytes of tables");
    allocator::return_large_blocks();
    let bytes = bytes_of_half(|| vec![7_u8; BLOCK_BYTES]);
    assert!(bytes < HALF + FEW, "{bytes} bytes of vectors");
}
