//! Reading captures: an `input` delivers bytes, a format turns them into packets, and [`Capture`]
//! combines both.
//!
//! ```text
//! open() ── mapped file ───────────────┐
//! from_reader() ── gzip │ zstd │ plain ┴─ Input: a window of bytes ── pcap │ pcapng ── PacketRef
//! ```
//!
//! If a file header stands in the place of a record, another capture begins there and is read as
//! well.
//!
//! A record that is cut off or implausible ends the capture with a [`ReadWarning`]; the packets
//! before it count. A file that is no capture, or has an unknown version, is a [`ReadError`].
//!
//! Sources: draft-ietf-opsawg-pcap (pcap), draft-ietf-opsawg-pcapng (pcapng).

mod ahead;
mod byte_order;
mod compression;
mod error;
mod input;
mod interface;
mod magic;
mod mapping;
mod members;
mod pcap;
mod pcapng;
mod stream;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

pub use byte_order::ByteOrder;
pub use compression::Compression;
pub use error::{ReadError, ReadWarning, StopReason};

use error::ReadStop;
use input::Input;
use pcap::Pcap;
use pcapng::Pcapng;

/// One packet of a capture, lent until the next one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketRef<'a> {
    /// Nanoseconds since 1970-01-01 UTC; times before that are 0. A packet without a time stamp
    /// gets that of the packet before it (0 if it is the first).
    pub timestamp_ns: u64,
    /// Whether `timestamp_ns` is the packet's own.
    pub has_timestamp: bool,
    /// The captured bytes, from the link-layer header on.
    pub data: &'a [u8],
    /// Length on the wire in bytes, never less than `data.len()`.
    pub wire_len: u32,
    /// Link type as registered at tcpdump.org: 1 is Ethernet. The packets of one capture may differ
    /// in it.
    pub link_type: u16,
    /// The interface's number within its pcapng section; 0 in pcap.
    pub interface: u32,
    /// The byte order of its file or pcapng section. Some link types have header fields in it. The
    /// packets of one capture may differ in it.
    pub byte_order: ByteOrder,
}

/// The container a capture is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// The classic format, draft-ietf-opsawg-pcap.
    Pcap,
    /// The block format, draft-ietf-opsawg-pcapng.
    Pcapng,
}

/// A capture being read.
///
/// ```no_run
/// let mut capture = capture_file::Capture::open("trace.pcap.gz")?;
/// while let Some(packet) = capture.next_packet()? {
///     println!("{} ns: {} bytes", packet.timestamp_ns, packet.wire_len);
/// }
/// if let Some(warning) = capture.warning() {
///     eprintln!("{warning}");
/// }
/// # Ok::<(), capture_file::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Capture {
    input: Input,
    reader: Reader,
    container: Container,
    last_timestamp_ns: u64,
    warning: Option<ReadWarning>,
}

#[derive(Debug)]
enum Reader {
    Pcap(Pcap),
    Pcapng(Pcapng),
    Ended,
}

impl Reader {
    /// Reads a file header.
    fn open(input: &mut Input) -> Result<Self, ReadError> {
        Ok(if input.magic()? == magic::SECTION_HEADER.to_be_bytes() {
            Self::Pcapng(Pcapng::open(input)?)
        } else {
            Self::Pcap(Pcap::open(input)?)
        })
    }
}

/// The place of a packet in the input's window, and the fields of its record.
struct CaptureRecord {
    timestamp_ns: Option<u64>,
    data_at: usize,
    data_len: usize,
    wire_len: u32,
    link_type: u16,
    interface: u32,
    byte_order: ByteOrder,
}

impl Capture {
    /// Opens the capture at `path`: a regular file, a FIFO or a device.
    ///
    /// A plain regular file is mapped into memory and its packets are lent from there without a
    /// copy; everything else is streamed through a bounded buffer. The first bytes of a file decide
    /// its format, never its name. Bytes that are appended during the reading are read as well; a
    /// file that is shortened ends with a warning. For bytes that are overwritten see
    /// [`mapped_file::MappedFile`].
    ///
    /// # Errors
    /// The file cannot be opened or read, is empty, is no capture, or has an unknown version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let failed = |reason| ReadError::Open { path: path.to_owned(), reason };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        Self::new(Input::from_file(file, &metadata)?)
    }

    /// Reads the capture that `reader` delivers, such as standard input.
    ///
    /// Packets are lent from a buffer of 256 KiB, which grows only for a longer record. A read
    /// never waits for a full buffer, so packets from a pipe arrive as they are written.
    ///
    /// # Errors
    /// As [`Capture::open`].
    pub fn from_reader(reader: impl Read + Send + 'static) -> Result<Self, ReadError> {
        Self::new(Input::from_reader(reader, None)?)
    }

    /// Goes on reading in a thread of its own what is not mapped: a compressed file is then
    /// decompressed while its packets are used. It reads half a megabyte ahead at most, and so does
    /// [`position_bytes`](Self::position_bytes). Packets, warnings and errors stay the same. Without
    /// a thread it reads as before.
    pub fn read_ahead(&mut self) {
        self.input.read_ahead();
    }

    fn new(mut input: Input) -> Result<Self, ReadError> {
        let reader = Reader::open(&mut input)?;
        let container = match reader {
            Reader::Pcapng(_) => Container::Pcapng,
            Reader::Pcap(_) | Reader::Ended => Container::Pcap,
        };
        Ok(Self { input, reader, container, last_timestamp_ns: 0, warning: None })
    }

    /// The next packet, or `None` at the end; then [`Capture::warning`] is `None` if the capture
    /// was read completely.
    ///
    /// # Errors
    /// The operating system fails to read, or a pcapng section has an unknown version. Nothing can
    /// be read after an error.
    #[inline(always)]
    pub fn next_packet(&mut self) -> Result<Option<PacketRef<'_>>, ReadError> {
        let plain = match &self.reader {
            Reader::Pcap(pcap) => pcap.plain_record(&mut self.input),
            Reader::Pcapng(_) | Reader::Ended => None,
        };
        let record = match plain {
            Some(record) => record,
            None => match self.next_record()? {
                Some(record) => record,
                None => return Ok(None),
            },
        };
        let timestamp_ns = record.timestamp_ns.unwrap_or(self.last_timestamp_ns);
        self.last_timestamp_ns = timestamp_ns;
        Ok(Some(PacketRef {
            timestamp_ns,
            has_timestamp: record.timestamp_ns.is_some(),
            data: self.input.slice(record.data_at, record.data_len),
            wire_len: record.wire_len,
            link_type: record.link_type,
            interface: record.interface,
            byte_order: record.byte_order,
        }))
    }

    /// The next record of any form; `None` at the end.
    #[inline(never)]
    fn next_record(&mut self) -> Result<Option<CaptureRecord>, ReadError> {
        loop {
            let offset = self.input.position();
            let next = match &mut self.reader {
                Reader::Pcap(pcap) => pcap.next(&mut self.input),
                Reader::Pcapng(pcapng) => pcapng.next(&mut self.input),
                Reader::Ended => return Ok(None),
            };
            let stop = match next {
                Ok(record) if self.input.is_intact(record.data_at, record.data_len) => {
                    return Ok(Some(record));
                }
                Ok(_) => self.input.stop(offset),
                Err(stop) => stop,
            };
            match *stop {
                ReadStop::AnotherCapture => self.continue_with_another(),
                stop => self.end(offset, stop)?,
            }
        }
    }

    /// Continues with the capture whose file header stands in the place of a record, as after
    /// joining files by cat(1).
    #[cold]
    #[inline(never)]
    fn continue_with_another(&mut self) {
        let offset = self.input.position();
        match Reader::open(&mut self.input) {
            Ok(reader) => self.reader = reader,
            Err(error) => {
                let reason = StopReason::AnotherCapture { reason: error.to_string() };
                self.warn(offset, self.input.loss().unwrap_or(reason));
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self, offset: u64, stop: ReadStop) -> Result<(), ReadError> {
        // A record that looks damaged may be zeros that replace lost bytes.
        match (stop, self.input.loss()) {
            (ReadStop::End | ReadStop::AnotherCapture, _) => {}
            (_, Some(loss)) => self.warn(offset, loss),
            (ReadStop::Error(error), None) => {
                self.reader = Reader::Ended;
                return Err(error);
            }
            (ReadStop::Warning { offset, reason }, None) => self.warn(offset, reason),
        }
        self.reader = Reader::Ended;
        Ok(())
    }

    fn warn(&mut self, offset: u64, reason: StopReason) {
        let decompressed = self.input.compression().is_some();
        self.warning = Some(ReadWarning { offset, decompressed, reason });
        self.reader = Reader::Ended;
    }

    /// Whether the next packet can be read without waiting for the writer of a stream: it lies in
    /// memory, or the capture is a regular file.
    #[inline]
    pub fn is_next_at_hand(&self) -> bool {
        self.total_bytes().is_some()
            || match &self.reader {
                Reader::Pcap(pcap) => pcap.begins_with_packet(self.input.window()),
                Reader::Pcapng(pcapng) => pcapng.begins_with_packet(self.input.window()),
                Reader::Ended => true,
            }
    }

    /// Why reading ended early; `None` while packets come and when nothing is missing.
    pub fn warning(&self) -> Option<&ReadWarning> {
        self.warning.as_ref()
    }

    /// The container format, of the first capture where several were joined.
    pub fn container(&self) -> Container {
        self.container
    }

    /// How the capture is compressed.
    pub fn compression(&self) -> Option<Compression> {
        self.input.compression()
    }

    /// Bytes of the stored file or stream that were taken: the numerator of a progress bar.
    pub fn position_bytes(&self) -> u64 {
        self.input.stored_position()
    }

    /// The stored size of the file in bytes; `None` for streams.
    pub fn total_bytes(&self) -> Option<u64> {
        self.input.stored_total()
    }
}
