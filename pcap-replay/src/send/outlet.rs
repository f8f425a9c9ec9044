//! What frames are sent through.

use std::io;

/// Takes frames for the kernel.
pub(super) trait Outlet {
    /// Takes a copy of a frame that is no longer than the interface's longest; hands over what has been taken when there
    /// is enough of it.
    fn push(&mut self, frame: &[u8], queue: u32) -> io::Result<()>;

    /// Hands over everything taken so far and returns when the kernel has it.
    fn flush(&mut self) -> io::Result<()>;

    /// Frames handed over that the interface's driver dropped, as far as the kernel tells.
    fn dropped(&self) -> u64;
}
