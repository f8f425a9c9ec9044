//! Large blocks leave no memory behind, however many small ones lie between them.
//!
//! The only test of its process, because it measures the memory of all threads.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use pktvisor_memory::{allocator, huge_pages};

const BLOCKS: usize = 64;
const BLOCK_BYTES: usize = 1 << 20;

/// Resident memory of this process.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    // SAFETY: asks for a constant of the system.
    pages * usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap()
}

/// What is left, at most, after blocks have been made and dropped several times among small ones
/// that stay.
fn left_bytes<T>(make: impl Fn() -> T) -> usize {
    let before = resident_bytes();
    let mut kept = Vec::new();
    let mut left = 0;
    for _ in 0..4 {
        let mut blocks = Vec::new();
        for _ in 0..BLOCKS {
            blocks.push(make());
            kept.push(vec![7_u8; 1000]);
        }
        assert!(resident_bytes() - before >= BLOCKS * BLOCK_BYTES);
        drop(blocks);
        left = left.max(resident_bytes().saturating_sub(before));
    }
    assert_eq!(kept.len(), 4 * BLOCKS);
    left
}

#[test]
fn large_blocks_leave_no_memory_behind() {
    const FEW: usize = 4 * BLOCK_BYTES;
    // Before the allocator is told to: a large table is no part of its memory.
    let left = left_bytes(|| huge_pages::Array::new(7_u64, BLOCK_BYTES / 8));
    assert!(left < FEW, "tables left {left} bytes");
    allocator::return_large_blocks();
    let left = left_bytes(|| vec![7_u8; BLOCK_BYTES]);
    assert!(left < FEW, "vectors left {left} bytes");
}
