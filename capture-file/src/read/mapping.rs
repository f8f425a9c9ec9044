//! A capture file mapped into memory. Only the part around the reader stays resident.

use std::fs::File;
use std::io;

use mapped_file::MappedFile;

/// After so many bytes the reader checks the file's size again and releases the pages behind it, so
/// that resident memory does not grow with the file.
const PIECE_BYTES: usize = 2 << 20;
/// No page of any machine is smaller.
const PAGE_BYTES: usize = 4 << 10;

/// How far ahead of the reader bytes are prefetched: some ten records of DNS. Mapped bytes are in
/// no processor cache, unlike bytes that were just read into a buffer.
const PREFETCH_AHEAD_BYTES: usize = 2 << 10;
/// Most bytes that are prefetched at once.
const PREFETCH_BYTES_MAX: usize = 2 << 10;

#[derive(Debug)]
pub(super) struct MappedCapture {
    map: MappedFile,
    file: File,
    /// Pages before this offset were released.
    released: usize,
}

impl MappedCapture {
    /// Maps the whole of a regular file.
    ///
    /// # Errors
    /// The file cannot be mapped; it can still be read.
    pub(super) fn new(file: File) -> Result<Self, File> {
        match map(&file) {
            Ok(map) => Ok(Self { map, file, released: 0 }),
            Err(_) => Err(file),
        }
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        self.map.bytes()
    }

    pub(super) fn len(&self) -> u64 {
        self.map.bytes().len() as u64
    }

    /// The end of the bytes that a reader at `start` may read if it needs `want` bytes; fewer at
    /// the end of the file. Bytes that were appended since the last call belong to the file.
    ///
    /// # Errors
    /// The file's size is unknown, or the appended bytes cannot be mapped.
    pub(super) fn advance(&mut self, start: usize, want: usize) -> io::Result<usize> {
        self.release(start);
        let size = usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX);
        let wanted = start.saturating_add(want);
        if wanted > self.map.bytes().len() && size > self.map.bytes().len() {
            self.map = map(&self.file)?;
        }
        let ahead = start.saturating_add(PIECE_BYTES);
        Ok(ahead.max(wanted).min(size).min(self.map.bytes().len()))
    }

    /// Prefetches as many bytes ahead of the reader as it just took.
    #[inline(always)]
    pub(super) fn prefetch_behind(&self, at: usize, len: usize) {
        self.map.prefetch(at + PREFETCH_AHEAD_BYTES, len.min(PREFETCH_BYTES_MAX));
    }

    /// Whether a record's data comes from the file, and not from zeros that replace lost bytes.
    ///
    /// Touching every page of the record detects lost pages. Zeros also fill the last page behind
    /// the file's end. If zeros follow the record, its end is therefore compared with the file's
    /// size.
    #[inline(always)]
    pub(super) fn is_intact(&self, at: usize, len: usize) -> bool {
        // The bytes before the data were read already, and with them their page.
        let read = at.saturating_sub(1);
        if read % PAGE_BYTES + len >= PAGE_BYTES {
            self.touch_pages_behind(read, at + len);
        }
        if self.map.is_damaged() {
            return false;
        }
        // The beginning of the next record, which is never zeros.
        let next: Option<&[u8; 16]> = self.map.bytes().get(at + len..).and_then(<[u8]>::first_chunk);
        match next {
            Some(next) if u128::from_ne_bytes(*next) != 0 => true,
            _ => self.len_now() >= (at + len) as u64,
        }
    }

    /// As [`is_intact`](Self::is_intact), but false also if only the long way tells.
    #[inline(always)]
    pub(super) fn is_plainly_intact(&self, at: usize, len: usize) -> bool {
        let next: Option<&[u8; 16]> = self.map.bytes().get(at + len..).and_then(<[u8]>::first_chunk);
        at.saturating_sub(1) % PAGE_BYTES + len < PAGE_BYTES
            && next.is_some_and(|next| u128::from_ne_bytes(*next) != 0)
            && !self.map.is_damaged()
    }

    #[cold]
    #[inline(never)]
    fn touch_pages_behind(&self, read: usize, end: usize) {
        let first = (read / PAGE_BYTES + 1) * PAGE_BYTES;
        for page in (first..end).step_by(PAGE_BYTES) {
            std::hint::black_box(self.map.bytes().get(page).copied());
        }
    }

    /// Whether the file has lost bytes that it had.
    #[cold]
    pub(super) fn has_lost(&self) -> bool {
        self.map.is_damaged() || self.len_now() < self.len()
    }

    /// The file's size now, in bytes.
    #[cold]
    pub(super) fn len_now(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    fn release(&mut self, start: usize) {
        // Whole pieces only, so that the reader's page stays.
        let behind = start / PIECE_BYTES * PIECE_BYTES;
        if behind > self.released {
            self.map.release(self.released..behind);
            self.released = behind;
        }
    }
}

fn map(file: &File) -> io::Result<MappedFile> {
    let map = MappedFile::new(file)?;
    map.advise_sequential_reads();
    Ok(map)
}
