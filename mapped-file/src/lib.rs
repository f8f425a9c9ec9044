//! A file mapped into memory that other processes may shorten or overwrite.
//!
//! Reading a mapped page that the file has lost, or that its device cannot deliver, raises SIGBUS
//! (mmap(2)): any user who may shorten the file could end the process. Here such a page reads as
//! zeros, and the mapping reports that it is [damaged](MappedFile::is_damaged).
//!
//! memmap2 maps, advises and unmaps. Only the signal handler, which replaces lost pages, uses libc.

mod guard;

use std::fs::File;
use std::io;
use std::ops::Range;

use guard::Guard;
use memmap2::{Advice, Mmap, MmapOptions, UncheckedAdvice};

/// Bytes that a processor fetches at once.
#[cfg(all(target_arch = "x86_64", not(feature = "no-prefetch")))]
const LINE_BYTES: usize = 64;

/// A regular file mapped for reading, with the length that it had then.
///
/// Bytes that others write into the file may appear at any time, so do not trust them more than
/// bytes from a socket. Rust promises nothing for bytes that change while they are borrowed, and
/// nothing can prevent writes to a file. As with every mapping, its writers are trusted not to
/// write at the very moment in which a record is read.
#[derive(Debug)]
pub struct MappedFile {
    // Declared first, so that it is dropped before the addresses are unmapped and may be reused.
    guard: Guard,
    map: Mmap,
}

impl MappedFile {
    /// Maps the whole file.
    ///
    /// # Errors
    /// The file is empty or of a kind that cannot be mapped, the address space has no room for it,
    /// or 64 files are mapped already. Such a file can still be read.
    pub fn new(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "not a regular file"));
        }
        if metadata.len() == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"));
        }
        let len = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // SAFETY: the map is only read, as bytes, for which any value is valid. Each access is
        // checked against the map's length, which stays the same. The guard replaces lost pages.
        // The writers of the file must not write to a byte while it is borrowed (see the type).
        let map = unsafe { MmapOptions::new().len(len).map(file) }?;
        let guard = Guard::over(map.as_ptr_range())?;
        Ok(Self { guard, map })
    }

    /// The file's bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether a page that was touched so far is lost and reads as zeros: the file was shortened,
    /// or its device failed.
    #[inline(always)]
    pub fn is_damaged(&self) -> bool {
        self.guard.has_caught()
    }

    /// Advises the kernel that the file will be read from its start to its end.
    pub fn advise_sequential_reads(&self) {
        if cfg!(feature = "no-prefetch") {
            return;
        }
        // A hint: reading works without it.
        let _ = self.map.advise(Advice::Sequential);
    }

    /// Prefetches a range into the processor's cache. It need not be within the file.
    ///
    /// Processors detect by themselves that memory is read in order, but only within a page.
    #[inline(always)]
    pub fn prefetch(&self, start: usize, len: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "no-prefetch")))]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let (mut line, end) = (start, start + len);
            while line < end {
                // SAFETY: a prefetch has no effect that the program could see and faults on no
                // address; SSE is part of x86-64.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(self.map.as_ptr().wrapping_add(line).cast()) };
                line += LINE_BYTES;
            }
        }
        #[cfg(any(not(target_arch = "x86_64"), feature = "no-prefetch"))]
        let _ = (start, len);
    }

    /// Removes the pages of a range from resident memory. They return when they are touched.
    pub fn release(&mut self, range: Range<usize>) {
        // SAFETY: nothing is borrowed from the map (`&mut self`), and nobody writes to it. A page
        // that is touched again is loaded from the file, or is the page of zeros that replaced it.
        let _ =
            unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}
