//! Compressed captures: detected by their first bytes, decompressed as a stream, metered in stored
//! bytes.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a capture is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952, of one or several members.
    Gzip,
    /// RFC 8878, of one or several frames with windows of at most 128 MiB.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

impl Compression {
    /// The compression that the first four bytes of a file announce. Parallel compressors begin
    /// with a skippable zstd frame.
    pub(super) fn detect(first_bytes: &[u8]) -> Option<Self> {
        match *first_bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The first bytes of formats that people mistake for captures.
pub(super) fn looks_like(first_bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: [(&[u8], &str); 9] = [
        (b"\xfd7zXZ\0", "an xz file: decompress it first (xz -d)"),
        (b"BZh", "a bzip2 file: decompress it first (bunzip2)"),
        (b"\x04\x22\x4d\x18", "an lz4 file: decompress it first (lz4 -d)"),
        (b"PK\x03\x04", "a zip archive: unpack it first (unzip)"),
        (b"\x1f\x8b", "gzip inside compressed data: it was compressed twice"),
        (b"\x28\xb5\x2f\xfd", "zstd inside compressed data: it was compressed twice"),
        (b"snoop\0\0\0", "a snoop capture: convert it first (editcap -F pcap)"),
        (b"GMBU", "a Network Monitor capture: convert it first (editcap -F pcap)"),
        (b"\x7fELF", "a program"),
    ];
    KNOWN.iter().find(|(magic, _)| first_bytes.starts_with(magic)).map(|(_, name)| *name)
}

/// Counts stored bytes and failures below a decompressor, which hides both.
#[derive(Debug, Default)]
pub(super) struct Meter {
    bytes: AtomicU64,
    failed: AtomicBool,
}

impl Meter {
    /// Bytes taken from the stored stream.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the stored stream failed, and not the decompression.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A reader that reports to a [`Meter`] and is not interrupted by signals.
pub(super) struct Metered<R> {
    reader: R,
    meter: Arc<Meter>,
}

impl<R: Read> Metered<R> {
    pub(super) fn new(reader: R) -> (Self, Arc<Meter>) {
        let meter = Arc::new(Meter::default());
        (Self { reader, meter: Arc::clone(&meter) }, meter)
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Ok(read) => {
                    self.meter.bytes.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.meter.failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }
}
