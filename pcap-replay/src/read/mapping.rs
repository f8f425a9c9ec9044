//! A capture file in memory, made present a piece at a time.
//!
//! Touching a mapped page takes a fault, and touching one that the file no longer has kills the process. So before the
//! reader enters a piece, the file's size is looked at again and the kernel is asked to map the whole piece at once;
//! the piece behind the reader is given back, so that resident memory does not grow with the file.

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap, MmapOptions, UncheckedAdvice};

/// How far ahead of the reader pages are made present.
const PIECE_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Mapping {
    map: Mmap,
    file: File,
    /// Up to here the file is known to be there.
    present: usize,
    /// Up to here pages were given back.
    released: usize,
}

impl Mapping {
    /// Maps the whole of a regular file.
    pub(super) fn new(file: File, len: u64) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // SAFETY: the map is only read. A file that others change while it is mapped gives other bytes, which every
        // reader of captures must survive anyway, as all of them are untrusted; one that is shortened gives SIGBUS,
        // which ends the process and breaks no memory (see `Capture::open`).
        let map = unsafe { MmapOptions::new().len(len).map(&file) }?;
        // Advice is a hint: reading works without.
        let _ = map.advise(Advice::Sequential);
        Ok(Self { map, file, present: 0, released: 0 })
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    /// Makes present what a reader at `start` needs to have `want` bytes, or as many as the file has; returns the end
    /// of what is present.
    ///
    /// # Errors
    /// The file's size cannot be had, or its data cannot be read from its device.
    pub(super) fn advance(&mut self, start: usize, want: usize) -> io::Result<usize> {
        self.release(start);
        let size = usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX).min(self.map.len());
        let end =
            self.present.max(start).saturating_add(PIECE_BYTES).max(start.saturating_add(want)).min(size);
        if end > self.present {
            self.populate(self.present, end)?;
        }
        self.present = end;
        Ok(end)
    }

    #[cfg(target_os = "linux")]
    fn populate(&self, from: usize, to: usize) -> io::Result<()> {
        match self.map.advise_range(Advice::PopulateRead, from, to - from) {
            // EFAULT stands for the SIGBUS that touching the pages would bring.
            Err(error) if error.raw_os_error() == Some(14) => {
                Err(io::Error::other("the file's data cannot be read from its device"))
            }
            // Kernels before 5.14 do not know the advice; they fault the pages in one by one.
            _ => Ok(()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn populate(&self, _from: usize, _to: usize) -> io::Result<()> {
        Ok(())
    }

    fn release(&mut self, start: usize) {
        // Whole pieces only: the page that the reader stands in stays.
        let behind = start / PIECE_BYTES * PIECE_BYTES;
        if behind > self.released {
            // SAFETY: nothing is borrowed from the map (`&mut self`), and it is a shared file mapping that nobody
            // writes to: a released page that is touched again comes back from the file.
            let _ = unsafe {
                self.map.unchecked_advise_range(
                    UncheckedAdvice::DontNeed,
                    self.released,
                    behind - self.released,
                )
            };
            self.released = behind;
        }
    }
}
