//! The bytes of a capture, as one window that slides over a mapped file or over the buffer of a
//! stream.
//!
//! A format gets the bytes it needs from [`Input::need`], reads them, and consumes them with
//! [`Input::take`]. The source of the bytes matters only when the window is too short.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use super::compression::{Compression, looks_like};
use super::error::{ReadError, ReadStop, StopReason};
use super::mapping::MappedCapture;
use super::members;
use super::stream::BufferedStream;

#[derive(Debug)]
pub(super) struct Input {
    storage: Storage,
    /// The window, within the storage's bytes.
    start: usize,
    end: usize,
    /// Offset in the capture of the storage's first byte.
    base: u64,
    /// Set once there will be no more bytes.
    ended: Option<Ended>,
}

#[derive(Debug)]
enum Storage {
    Mapped(MappedCapture),
    Streamed(BufferedStream),
}

#[derive(Debug)]
enum Ended {
    Whole,
    Failed(io::Error),
}

impl Input {
    pub(super) fn from_file(file: File, metadata: &Metadata) -> Result<Self, ReadError> {
        // Files of /proc report a size of 0 and still have content.
        if !metadata.is_file() || metadata.len() == 0 {
            return Self::from_reader(file, None);
        }
        let mut first_bytes = [0; 4];
        let is_plain = match file.read_exact_at(&mut first_bytes, 0) {
            Ok(()) => Compression::detect(&first_bytes).is_none(),
            // Too short for a capture, or unreadable: the stream finds the same and reports it.
            Err(_) => false,
        };
        match if is_plain { MappedCapture::new(file) } else { Err(file) } {
            Ok(mapping) => Ok(Self::new(Storage::Mapped(mapping))),
            Err(file) => Self::from_reader(file, Some(metadata.len())),
        }
    }

    pub(super) fn from_reader(
        reader: impl Read + Send + 'static,
        total: Option<u64>,
    ) -> Result<Self, ReadError> {
        Ok(Self::new(Storage::Streamed(BufferedStream::new(reader, total)?)))
    }

    /// Goes on reading a stream in a thread of its own. A mapped file needs none.
    pub(super) fn read_ahead(&mut self) {
        if let Storage::Streamed(stream) = &mut self.storage {
            stream.read_ahead();
        }
    }

    fn new(storage: Storage) -> Self {
        Self { storage, start: 0, end: 0, base: 0, ended: None }
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        match &self.storage {
            Storage::Mapped(mapping) => mapping.bytes(),
            Storage::Streamed(stream) => stream.bytes(),
        }
    }

    /// Bytes that were read and not taken yet.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        self.bytes().get(self.start..self.end).unwrap_or_default()
    }

    /// The place of the window's first byte, for [`Input::slice`].
    #[inline(always)]
    pub(super) fn window_start(&self) -> usize {
        self.start
    }

    /// The window of a mapped file; `None` of a stream.
    #[inline(always)]
    pub(super) fn mapped_window(&self) -> Option<&[u8]> {
        match &self.storage {
            Storage::Mapped(mapping) => mapping.bytes().get(self.start..self.end),
            Storage::Streamed(_) => None,
        }
    }

    /// As [`is_intact`](Self::is_intact), of bytes of the [mapped window](Self::mapped_window) behind
    /// bytes that were read; false also if it takes longer to find out.
    #[inline(always)]
    pub(super) fn is_plainly_intact(&self, at: usize, len: usize) -> bool {
        matches!(&self.storage, Storage::Mapped(mapping) if mapping.is_plainly_intact(at, len))
    }

    /// The next `len` bytes, without taking them, or `None` if the capture has fewer:
    /// [`Input::stop`] gives the reason.
    #[inline(always)]
    pub(super) fn need(&mut self, len: usize) -> Option<&[u8]> {
        self.has(len).then_some(())?;
        self.bytes().get(self.start..self.start + len)
    }

    /// Whether the capture has `len` more bytes; if so, they can be taken.
    #[inline(always)]
    pub(super) fn has(&mut self, len: usize) -> bool {
        self.end - self.start >= len || self.refill(len)
    }

    /// The next `N` bytes, as [`Input::need`].
    #[inline(always)]
    pub(super) fn need_array<const N: usize>(&mut self) -> Option<&[u8; N]> {
        self.need(N)?.first_chunk()
    }

    /// Goes on by `len` bytes of the window; returns the place of the first one, for
    /// [`Input::slice`].
    #[inline(always)]
    pub(super) fn take(&mut self, len: usize) -> usize {
        let at = self.start;
        self.start = self.end.min(at + len);
        if let Storage::Mapped(mapping) = &self.storage {
            mapping.prefetch_behind(at, len);
        }
        at
    }

    /// Bytes that were taken since the last [`Input::need`].
    #[inline(always)]
    pub(super) fn slice(&self, at: usize, len: usize) -> &[u8] {
        self.bytes().get(at..at + len).unwrap_or_default()
    }

    /// Whether bytes that were taken come from the capture, and not from zeros that replace lost
    /// bytes.
    #[inline(always)]
    pub(super) fn is_intact(&self, at: usize, len: usize) -> bool {
        match &self.storage {
            Storage::Mapped(mapping) => mapping.is_intact(at, len),
            Storage::Streamed(_) => true,
        }
    }

    /// The damage, if the file has lost bytes.
    pub(super) fn loss(&self) -> Option<StopReason> {
        match &self.storage {
            Storage::Mapped(mapping) if mapping.has_lost() => {
                Some(StopReason::Gone { len: mapping.len_now() })
            }
            _ => None,
        }
    }

    /// Offset in the (decompressed) capture of the window's first byte.
    #[inline(always)]
    pub(super) fn position(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Goes on by `len` bytes, however many; false if the capture has fewer.
    pub(super) fn skip(&mut self, len: u64) -> bool {
        let mut left = len;
        loop {
            let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.end - self.start);
            self.take(here);
            left -= here as u64;
            if left == 0 || !self.has(1) {
                return left == 0;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self, want: usize) -> bool {
        while self.ended.is_none() && self.end - self.start < want {
            let before = self.end - self.start;
            let outcome = match &mut self.storage {
                Storage::Mapped(mapping) => {
                    mapping.advance(self.start, want).map(|end| self.end = end.max(self.start))
                }
                Storage::Streamed(stream) => {
                    self.base += self.start as u64;
                    stream.keep(self.start..self.end);
                    self.end -= self.start;
                    self.start = 0;
                    stream.read(self.end, want).map(|read| self.end += read)
                }
            };
            match outcome {
                Ok(()) if self.end - self.start > before => {}
                Ok(()) => self.ended = Some(Ended::Whole),
                Err(error) => self.ended = Some(Ended::Failed(error)),
            }
        }
        self.end - self.start >= want
    }

    /// Why the record that starts at `offset` is incomplete.
    #[cold]
    pub(super) fn stop(&mut self, offset: u64) -> Box<ReadStop> {
        let end = self.base + self.end as u64;
        if let Storage::Mapped(mapping) = &self.storage
            && offset < mapping.len()
            && let Some(reason) = self.loss()
        {
            return ReadStop::damage(offset, reason);
        }
        match (self.ended.take(), self.compression()) {
            (Some(Ended::Failed(reason)), None) => ReadStop::error(ReadError::Io { offset: end, reason }),
            (Some(Ended::Failed(reason)), _) if self.stored_failed() => {
                ReadStop::error(ReadError::Io { offset: end, reason })
            }
            (Some(Ended::Failed(source)), Some(compression)) if members::is_behind_compression(&source) => {
                ReadStop::damage(offset, StopReason::BehindCompression { compression })
            }
            (Some(Ended::Failed(source)), Some(_)) => {
                ReadStop::damage(offset, StopReason::Compression { reason: source.to_string() })
            }
            _ if offset == end => Box::new(ReadStop::End),
            _ => ReadStop::damage(offset, StopReason::CutOff { end }),
        }
    }

    /// The error for a capture whose file header could not be read because of `stop`.
    #[cold]
    pub(super) fn header_error(&mut self, stop: ReadStop) -> ReadError {
        let have = self.base + self.end as u64;
        let reason = match stop {
            ReadStop::Error(error) => return error,
            ReadStop::End | ReadStop::AnotherCapture => return ReadError::Empty,
            ReadStop::Warning { reason, .. } => reason,
        };
        match (reason, self.compression()) {
            (StopReason::Compression { reason }, Some(compression)) => {
                ReadError::Decompress { compression, reason }
            }
            (StopReason::SectionHeader, _) => self.not_a_capture(),
            (StopReason::CutOff { .. }, _) => ReadError::HeaderCutOff { have },
            (reason, _) => ReadError::DamagedHeader { reason },
        }
    }

    /// The first four bytes, without taking them.
    pub(super) fn magic(&mut self) -> Result<[u8; 4], ReadError> {
        match self.need_array() {
            Some(&magic) => Ok(magic),
            None => match *self.stop(self.position()) {
                ReadStop::Warning { reason: StopReason::CutOff { .. }, .. } => Err(self.not_a_capture()),
                stop => Err(self.header_error(stop)),
            },
        }
    }

    #[cold]
    pub(super) fn not_a_capture(&mut self) -> ReadError {
        self.refill(8);
        let window = self.bytes().get(self.start..self.end).unwrap_or_default();
        let first_bytes = window.iter().take(8).copied().collect::<Vec<_>>();
        let looks_like = looks_like(&first_bytes);
        ReadError::NotACapture { first_bytes, looks_like }
    }

    pub(super) fn compression(&self) -> Option<Compression> {
        match &self.storage {
            Storage::Mapped(_) => None,
            Storage::Streamed(stream) => stream.compression(),
        }
    }

    pub(super) fn stored_position(&self) -> u64 {
        match &self.storage {
            Storage::Mapped(_) => self.position(),
            Storage::Streamed(stream) => stream.stored_position(),
        }
    }

    pub(super) fn stored_total(&self) -> Option<u64> {
        match &self.storage {
            Storage::Mapped(mapping) => Some(mapping.len()),
            Storage::Streamed(stream) => stream.stored_total(),
        }
    }

    fn stored_failed(&self) -> bool {
        matches!(&self.storage, Storage::Streamed(stream) if stream.stored_failed())
    }
}
