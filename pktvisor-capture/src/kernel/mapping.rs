//! Memory shared with the kernel.

use std::io;
use std::os::fd::BorrowedFd;

use memmap2::{MmapOptions, MmapRaw};
use nix::unistd::{SysconfVar, sysconf};

/// The permitted access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

/// Maps `len` bytes of a map's memory from `offset` on, which is a multiple of the page size. The
/// kernel writes to it, so it is reached by pointers and atomics only.
pub(super) fn share(map: BorrowedFd<'_>, offset: usize, len: usize, access: Access) -> io::Result<MmapRaw> {
    let mut options = MmapOptions::new();
    options.offset(offset as u64).len(len);
    match access {
        Access::Read => options.map_raw_read_only(&map),
        Access::ReadWrite => options.map_raw(&map),
    }
}

/// Bytes of a page of memory.
pub(super) fn page_size() -> usize {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}
