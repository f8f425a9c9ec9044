//! The bytes of a capture, as one window that slides over a buffer.
//!
//! A format asks for the bytes it needs with [`Input::need`], looks at them, and goes on with [`Input::take`]. Only
//! when the window is too short does it matter where the bytes come from.
//!
//! Files are read, not mapped: a replay of a file at hand takes about an eighth less time through a buffer that stays in
//! the cache than through pages that have to be mapped one by one, and a file that is shortened meanwhile is an early
//! end instead of a SIGBUS. Packets are lent from the buffer without a copy.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::sync::Arc;

use super::compression::{Compression, Meter, Metered, looks_like};
use super::error::{ReadError, Stop, StopReason};

/// The buffer of a stream at its start; it fits in a core's second cache.
const BUFFER_BYTES: usize = 256 << 10;

/// How much is decompressed at once. A decompressor that meets damage throws away what it made in the same call, so a
/// smaller piece saves more packets before the damage.
const DECOMPRESS_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(super) struct Input {
    stream: Stream,
    /// The window, within the stream's buffer.
    start: usize,
    end: usize,
    /// Offset in the capture of the buffer's first byte.
    base: u64,
    /// Set once there will be no more bytes.
    ended: Option<Ended>,
}

struct Stream {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    meter: Arc<Meter>,
    compression: Option<Compression>,
    total: Option<u64>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("compression", &self.compression).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Ended {
    Whole,
    Failed(io::Error),
}

impl Input {
    pub(super) fn from_file(file: File, metadata: &Metadata) -> Result<Self, ReadError> {
        // Files of /proc say 0 and have something to read.
        let total = (metadata.is_file() && metadata.len() > 0).then_some(metadata.len());
        Self::from_reader(file, total)
    }

    pub(super) fn from_reader(
        reader: impl Read + Send + 'static,
        total: Option<u64>,
    ) -> Result<Self, ReadError> {
        let io_failed = |reason| ReadError::Io { offset: 0, reason };
        let (mut metered, meter) = Metered::new(reader);
        let first_bytes = first_four(&mut metered).map_err(io_failed)?;
        if first_bytes.is_empty() {
            return Err(ReadError::Empty);
        }
        let compression = Compression::detect(&first_bytes);
        let stored = io::Cursor::new(first_bytes).chain(metered);
        let reader: Box<dyn Read + Send> = match compression {
            Some(compression) => compression.reader(stored).map_err(io_failed)?,
            None => Box::new(stored),
        };
        let buffer = vec![0; BUFFER_BYTES];
        let stream = Stream { reader, buffer, meter, compression, total };
        Ok(Self { stream, start: 0, end: 0, base: 0, ended: None })
    }

    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        &self.stream.buffer
    }

    /// What was read and not taken yet.
    #[inline]
    pub(super) fn window(&self) -> &[u8] {
        self.bytes().get(self.start..self.end).unwrap_or_default()
    }

    /// The next `len` bytes, without taking them, or `None` if the capture has fewer: [`Input::stop`] tells why.
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

    /// Goes on by `len` bytes of the window; returns the place of the first one, for [`Input::slice`].
    #[inline(always)]
    pub(super) fn take(&mut self, len: usize) -> usize {
        let at = self.start;
        self.start = self.end.min(at + len);
        at
    }

    /// Bytes that were taken since the last [`Input::need`].
    #[inline(always)]
    pub(super) fn slice(&self, at: usize, len: usize) -> &[u8] {
        self.bytes().get(at..at + len).unwrap_or_default()
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
            self.base += self.start as u64;
            self.stream.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let outcome = self.stream.read(self.end, want).map(|read| self.end += read);
            match outcome {
                Ok(()) if self.end - self.start > before => {}
                Ok(()) => self.ended = Some(Ended::Whole),
                Err(error) => self.ended = Some(Ended::Failed(error)),
            }
        }
        self.end - self.start >= want
    }

    /// Why the record that starts at `offset` is not there in whole.
    #[cold]
    pub(super) fn stop(&mut self, offset: u64) -> Box<Stop> {
        let end = self.base + self.end as u64;
        match (self.ended.take(), self.compression()) {
            (Some(Ended::Failed(reason)), None) => Stop::error(ReadError::Io { offset: end, reason }),
            (Some(Ended::Failed(reason)), _) if self.stored_failed() => {
                Stop::error(ReadError::Io { offset: end, reason })
            }
            (Some(Ended::Failed(source)), Some(_)) => {
                Stop::damage(offset, StopReason::Compression { reason: source.to_string() })
            }
            _ if offset == end => Box::new(Stop::End),
            _ => Stop::damage(offset, StopReason::CutOff { end }),
        }
    }

    /// What is wrong with a capture whose file header could not be read because of `stop`.
    #[cold]
    pub(super) fn header_error(&mut self, stop: Stop) -> ReadError {
        let have = self.base + self.end as u64;
        let reason = match stop {
            Stop::Error(error) => return error,
            Stop::End => return ReadError::Empty,
            Stop::Warning { reason, .. } => reason,
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
            None => match *self.stop(0) {
                Stop::Warning { reason: StopReason::CutOff { .. }, .. } => Err(self.not_a_capture()),
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
        self.stream.compression
    }

    pub(super) fn stored_position(&self) -> u64 {
        self.stream.meter.bytes()
    }

    pub(super) fn stored_total(&self) -> Option<u64> {
        self.stream.total
    }

    fn stored_failed(&self) -> bool {
        self.stream.meter.failed()
    }
}

impl Stream {
    /// Reads once behind the `filled` bytes of the buffer, which grows towards `want` bytes as they come.
    fn read(&mut self, filled: usize, want: usize) -> io::Result<usize> {
        if filled >= self.buffer.len() {
            self.buffer.resize(want.min(self.buffer.len().saturating_mul(2)), 0);
        }
        let at_most = if self.compression.is_some() { DECOMPRESS_BYTES } else { usize::MAX };
        let space = self.buffer.get_mut(filled..).unwrap_or_default();
        let len = space.len().min(at_most);
        self.reader.read(space.get_mut(..len).unwrap_or_default())
    }
}

/// Up to four bytes; fewer only at the end.
fn first_four(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut first_bytes = Vec::with_capacity(4);
    reader.take(4).read_to_end(&mut first_bytes)?;
    Ok(first_bytes)
}
