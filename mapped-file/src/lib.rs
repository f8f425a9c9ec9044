//! A file mapped into memory, whatever others do to the file meanwhile.
//!
//! Who touches a mapped page that the file no longer has, or that its device cannot deliver, gets SIGBUS (mmap(2)): any
//! user who may shorten the file could end the process. Here such a page reads as zeros instead, and the mapping says that
//! it is [damaged](MappedFile::is_damaged).

mod guard;

use std::fs::File;
use std::io;
use std::ops::Range;

use guard::Guard;
use memmap2::{Advice, Mmap, MmapOptions, UncheckedAdvice};

/// What a processor fetches at once.
#[cfg(all(target_arch = "x86_64", not(feature = "no-prefetch")))]
const LINE_BYTES: usize = 64;

/// A regular file as it was long when it was mapped, for reading.
///
/// What others write into the file may show at any time, so its bytes deserve no more trust than those of a socket. Rust
/// promises nothing for bytes that change while they are borrowed, and nothing can keep a file from being written: as with
/// every mapping, who may write to the file is trusted not to do so at the very moment in which a record is read.
#[derive(Debug)]
pub struct MappedFile {
    // Off guard before it is unmapped: the addresses may then be another's.
    guard: Guard,
    map: Mmap,
}

impl MappedFile {
    /// Maps all that the file has now.
    ///
    /// # Errors
    /// The file is empty or of a kind that cannot be mapped, the address space has no room for it, or
    /// 64 files are mapped already. Such a file can still be read.
    pub fn new(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "not a regular file"));
        }
        if metadata.len() == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"));
        }
        let len = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        // SAFETY: the map is only read, as bytes, for which any value is valid, and each place in it is checked against
        // its length, which stays. A page that is gone is replaced by the guard. That nobody writes to a byte while it is
        // borrowed is asked of whoever may write to the file (see the type).
        let map = unsafe { MmapOptions::new().len(len).map(file) }?;
        let guard = Guard::over(map.as_ptr_range())?;
        Ok(Self { guard, map })
    }

    /// The file's bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether a page that was touched so far could not be had, and reads as zeros since then: the file was shortened,
    /// or its device failed.
    #[inline(always)]
    pub fn is_damaged(&self) -> bool {
        self.guard.has_caught()
    }

    /// Asks the kernel to read far ahead, because the file will be read from its start to its end.
    pub fn prefetch_sequentially(&self) {
        if cfg!(feature = "no-prefetch") {
            return;
        }
        // A hint: reading works without.
        let _ = self.map.advise(Advice::Sequential);
    }

    /// Asks the processor for a range that will be needed soon; it need not be within the file.
    ///
    /// Processors see by themselves that memory is read in order, but only within a page.
    #[inline(always)]
    pub fn prefetch(&self, start: usize, len: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "no-prefetch")))]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let (mut line, end) = (start, start + len);
            while line < end {
                // SAFETY: a prefetch reads nothing that the program could see and faults on no address; SSE is part of
                // x86-64.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(self.map.as_ptr().wrapping_add(line).cast()) };
                line += LINE_BYTES;
            }
        }
        #[cfg(any(not(target_arch = "x86_64"), feature = "no-prefetch"))]
        let _ = (start, len);
    }

    /// Takes the pages of a range out of resident memory. They come back when they are touched.
    pub fn release(&mut self, range: Range<usize>) {
        // SAFETY: nothing is borrowed from the map (`&mut self`), and nobody writes to it: a page that is touched again
        // comes back from the file, or as the zeros that stand for it.
        let _ =
            unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) };
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}
