//! Compressed data as it is stored: members or frames one after the other, then perhaps padding or
//! other data.
//!
//! A gzip file has one or several members (RFC 1952 section 2.2), a zstd file one or several
//! frames, some of them skippable (RFC 8878 section 3.1). Zeros behind the last one are padding, as
//! gzip(1) takes them.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::compression::Compression;

/// Bytes of the file that are read at once.
const STORED_BYTES: usize = 64 << 10;

/// Data that is not compressed follows a whole member.
#[derive(Debug, thiserror::Error)]
#[error("the data that follows is not compressed")]
struct BehindCompression;

/// Whether [`Members`] failed because of data behind the compressed data.
pub(super) fn is_behind_compression(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<BehindCompression>())
}

/// Reads the content of all members.
pub(super) struct Members<R: Read> {
    state: MemberState<R>,
}

enum MemberState<R: Read> {
    /// Before a member, or behind the last one.
    Between(Stored<R>),
    Gzip(flate2::bufread::GzDecoder<Stored<R>>),
    Zstd(zstd::Decoder<'static, Stored<R>>),
    Ended,
}

impl<R: Read> Members<R> {
    /// Reads `stored`, which begins with a member.
    pub(super) fn new(stored: R) -> Self {
        Self { state: MemberState::Between(Stored::new(stored)) }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.state {
                MemberState::Gzip(member) => member.read(buffer)?,
                MemberState::Zstd(frame) => frame.read(buffer)?,
                MemberState::Between(_) => 0,
                MemberState::Ended => return Ok(0),
            };
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.state = match std::mem::replace(&mut self.state, MemberState::Ended) {
                MemberState::Gzip(member) => MemberState::Between(member.into_inner()),
                MemberState::Zstd(frame) => MemberState::Between(frame.finish()),
                MemberState::Between(stored) => stored.next_member()?,
                MemberState::Ended => MemberState::Ended,
            };
        }
    }
}

/// Stored bytes with a view of the next few.
struct Stored<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Stored<R> {
    fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; STORED_BYTES], start: 0, end: 0 }
    }

    /// A decoder for the next member.
    fn next_member(mut self) -> io::Result<MemberState<R>> {
        Ok(match Compression::detect(self.peek()?) {
            Some(Compression::Gzip) => MemberState::Gzip(flate2::bufread::GzDecoder::new(self)),
            Some(Compression::Zstd) => MemberState::Zstd(zstd::Decoder::with_buffer(self)?.single_frame()),
            None if self.has_only_zeros()? => MemberState::Ended,
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, BehindCompression)),
        })
    }

    /// The next four bytes, or as many as there are.
    fn peek(&mut self) -> io::Result<&[u8]> {
        const PEEKED_BYTES: usize = 4;
        if self.end - self.start < PEEKED_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < PEEKED_BYTES {
            match self.reader.read(self.buffer.get_mut(self.end..).unwrap_or_default())? {
                0 => break,
                read => self.end += read,
            }
        }
        Ok(self.left().get(..PEEKED_BYTES).unwrap_or(self.left()))
    }

    /// Skips zeros; returns whether only zeros were left.
    fn has_only_zeros(&mut self) -> io::Result<bool> {
        loop {
            let left = self.fill_buf()?;
            if left.is_empty() {
                return Ok(true);
            }
            if left.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let len = left.len();
            self.consume(len);
        }
    }

    fn left(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }
}

impl<R: Read> Read for Stored<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Stored<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.end = self.reader.read(&mut self.buffer)?;
        }
        Ok(self.left())
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.end.min(self.start + amount);
    }
}

impl<R: Read> fmt::Debug for Members<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").finish_non_exhaustive()
    }
}
