//! Captures that cannot be mapped (pipes, devices and compressed files), read through a buffer of
//! bounded size.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use super::ahead::{Passing, ReadAhead};
use super::compression::{Compression, Meter, Metered};
use super::error::ReadError;
use super::members::Members;

/// The buffer's first size; it fits into the second-level cache of a core.
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes that are decompressed at once. A decompressor that meets damage discards the output of the
/// same call, so a smaller piece keeps more packets before the damage.
const DECOMPRESS_BYTES: usize = 16 << 10;

pub(super) struct BufferedStream {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    meter: Arc<Meter>,
    compression: Option<Compression>,
    total: Option<u64>,
}

impl BufferedStream {
    /// Reads `reader`, and decompresses it if its first bytes announce compressed data; `total` is
    /// its length in bytes.
    ///
    /// # Errors
    /// The stream is empty or cannot be read.
    pub(super) fn new(reader: impl Read + Send + 'static, total: Option<u64>) -> Result<Self, ReadError> {
        let failed = |reason| ReadError::Io { offset: 0, reason };
        let (mut metered, meter) = Metered::new(reader);
        let mut first_bytes = Vec::with_capacity(4);
        (&mut metered).take(4).read_to_end(&mut first_bytes).map_err(failed)?;
        if first_bytes.is_empty() {
            return Err(ReadError::Empty);
        }
        let compression = Compression::detect(&first_bytes);
        let stored = io::Cursor::new(first_bytes).chain(metered);
        let reader: Box<dyn Read + Send> = match compression {
            Some(_) => Box::new(Members::new(stored)),
            None => Box::new(stored),
        };
        Ok(Self { reader, buffer: vec![0; BUFFER_BYTES], meter, compression, total })
    }

    /// Goes on reading in a thread of its own, if there can be one.
    pub(super) fn read_ahead(&mut self) {
        let reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        let portion = if self.compression.is_some() { DECOMPRESS_BYTES } else { BUFFER_BYTES };
        // Only a file never waits for its writer.
        let passing = if self.total.is_some() { Passing::Full } else { Passing::AtOnce };
        self.reader = match ReadAhead::start(reader, portion, passing) {
            Ok(ahead) => Box::new(ahead),
            Err(reader) => reader,
        };
    }

    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Moves the bytes that are not taken yet to the start of the buffer.
    pub(super) fn keep(&mut self, untaken: Range<usize>) {
        self.buffer.copy_within(untaken, 0);
    }

    /// Reads once behind the `filled` bytes of the buffer, which grows towards `want` bytes as they
    /// arrive.
    pub(super) fn read(&mut self, filled: usize, want: usize) -> io::Result<usize> {
        if filled >= self.buffer.len() {
            self.buffer.resize(want.min(self.buffer.len().saturating_mul(2)), 0);
        }
        let at_most = if self.compression.is_some() { DECOMPRESS_BYTES } else { usize::MAX };
        let space = self.buffer.get_mut(filled..).unwrap_or_default();
        let len = space.len().min(at_most);
        self.reader.read(space.get_mut(..len).unwrap_or_default())
    }

    pub(super) fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Stored bytes that were taken.
    pub(super) fn stored_position(&self) -> u64 {
        self.meter.bytes()
    }

    pub(super) fn stored_total(&self) -> Option<u64> {
        self.total
    }

    /// Whether the stored stream failed, and not the decompression.
    pub(super) fn stored_failed(&self) -> bool {
        self.meter.failed()
    }
}

impl fmt::Debug for BufferedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("compression", &self.compression).finish_non_exhaustive()
    }
}
