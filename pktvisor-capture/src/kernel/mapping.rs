//! Memory shared with the kernel.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use nix::unistd::{SysconfVar, sysconf};

/// A mapping, unmapped when dropped.
#[derive(Debug)]
pub(super) struct MapMemory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory belongs to nobody else in this process, and can be unmapped from any thread.
unsafe impl Send for MapMemory {}
// SAFETY: a shared mapping only gives out its address; whoever reads or writes there answers for it.
unsafe impl Sync for MapMemory {}

/// What may be done with a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

impl MapMemory {
    /// Maps `len` bytes of what `fd` stands for, from `offset` on, which is a multiple of the page size.
    pub(super) fn new(fd: BorrowedFd<'_>, offset: usize, len: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Read => libc::PROT_READ,
            Access::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        };
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        // SAFETY: a new mapping at an address of the kernel's choice; nothing of ours lies there.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), len, protection, libc::MAP_SHARED, fd.as_raw_fd(), offset)
        };
        match NonNull::new(start.cast::<u8>()) {
            Some(start) if start.as_ptr().cast() != libc::MAP_FAILED => Ok(Self { start, len }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The first byte; aligned to a page.
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for MapMemory {
    fn drop(&mut self) {
        // SAFETY: exactly what was mapped, once; who got an address from here borrowed this.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Bytes of a page of memory.
pub(super) fn page_size() -> usize {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(4096)
}
