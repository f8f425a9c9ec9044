//! A capture file in memory, of which only what lies about the reader is kept there.

use std::fs::File;
use std::io;

use mapped_file::MappedFile;

/// How far the reader goes before the file is looked at again, and the pages behind are given back: resident memory does not
/// grow with the file.
const PIECE_BYTES: usize = 2 << 20;
/// No page of any machine is smaller.
const PAGE_BYTES: usize = 4 << 10;

/// How far ahead of the reader the processor is asked for the file's bytes: some ten records of DNS. They were in no cache,
/// while those that are read into a buffer have just been written there.
const PREFETCH_AHEAD_BYTES: usize = 2 << 10;
/// Most that it is asked for at once.
const PREFETCH_BYTES_MAX: usize = 2 << 10;

#[derive(Debug)]
pub(super) struct MappedCapture {
    map: MappedFile,
    file: File,
    /// Up to here pages were given back.
    released: usize,
}

impl MappedCapture {
    /// Maps the whole of a regular file.
    ///
    /// # Errors
    /// It does not let itself be mapped; it can still be read.
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

    /// How far a reader at `start` can go that needs to have `want` bytes: so far, or to the end of the file. What was
    /// written behind the end meanwhile is part of the file.
    ///
    /// # Errors
    /// The file's size cannot be had, or what was written cannot be mapped.
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

    /// Has the processor fetch as much as was just taken, ahead.
    #[inline(always)]
    pub(super) fn taken(&self, at: usize, len: usize) {
        self.map.prefetch(at + PREFETCH_AHEAD_BYTES, len.min(PREFETCH_BYTES_MAX));
    }

    /// Whether a record's data is the file's, and not zeros that stand for what it has lost since it was looked at.
    ///
    /// Zeros show as such by the pages that are missing, all of which are touched here. From the new end to the end of its
    /// page there are zeros too: where they follow the record as well, the file is asked how long it is.
    #[inline(always)]
    pub(super) fn is_intact(&self, at: usize, len: usize) -> bool {
        // What lies before the data was read, and with it the page that has its last byte.
        let read = at.saturating_sub(1);
        if read % PAGE_BYTES + len >= PAGE_BYTES {
            self.touch_pages_behind(read, at + len);
        }
        if self.map.is_damaged() {
            return false;
        }
        // What the next record begins with, which is never zeros.
        let next: Option<&[u8; 16]> = self.map.bytes().get(at + len..).and_then(<[u8]>::first_chunk);
        match next {
            Some(next) if u128::from_ne_bytes(*next) != 0 => true,
            _ => self.len_now() >= (at + len) as u64,
        }
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

    /// How long the file is now, in bytes.
    #[cold]
    pub(super) fn len_now(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    fn release(&mut self, start: usize) {
        // Whole pieces only: the page that the reader stands in stays.
        let behind = start / PIECE_BYTES * PIECE_BYTES;
        if behind > self.released {
            self.map.release(self.released..behind);
            self.released = behind;
        }
    }
}

fn map(file: &File) -> io::Result<MappedFile> {
    let map = MappedFile::new(file)?;
    map.prefetch_sequentially();
    Ok(map)
}
