//! How the C library's allocator treats large blocks.

/// Blocks of at least this size are mappings of their own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES: libc::c_int = 256 << 10;

/// Pools of free memory. Threads that find one in use take the next.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS_MAX: libc::c_int = 2;

/// Has glibc return large blocks to the kernel when they are freed, and keep few pools of small
/// ones. Call it before the first thread starts. Has no effect with another C library.
///
/// Lists are made by one thread, copied by a second and merged by a third, and each copy has dozens
/// of blocks of up to some megabytes. By default glibc puts blocks of up to 32 MiB into pools, as
/// soon as one of that size has been freed, and has eight pools a processor. Each pool then keeps
/// the room of its largest copy, with holes that fit no other block.
///
/// Threads that wait for packets allocate nothing for a packet, so they do not contend for pools.
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets two numbers of the allocator under its lock. It refuses a number that it does not
    // take, and goes on with its own.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS_MAX);
    }
}
