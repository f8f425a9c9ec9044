//! The interface of the two kinds of socket.

use std::io;

/// Takes frames for the kernel.
pub(super) trait Outlet {
    /// Takes a copy of a frame that fits the interface; hands the copies to the kernel when a batch
    /// is full.
    fn push(&mut self, frame: &[u8], queue: u32) -> io::Result<()>;

    /// Hands over everything taken so far and returns when the kernel has it.
    fn flush(&mut self) -> io::Result<()>;

    /// Frames that the interface's driver dropped, as far as the kernel reports them.
    fn dropped(&self) -> u64;
}
