//! Faults of captures. An error means that a capture cannot be read, a warning that it could not be
//! read to its end.

use std::fmt;
use std::io;
use std::path::PathBuf;

use terminal_text::Escaped;

/// Why a capture cannot be read, or not any further. Except in [`ReadError::Open`], the caller
/// names the file.
///
/// Each message is complete: it contains the operating system's reason, which is not also a
/// `source`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path cannot be opened.
    #[error("cannot open {path}: {reason}", path = Escaped(path.display()))]
    Open {
        /// As it was given.
        path: PathBuf,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// The operating system failed to read, or a decompressor to start.
    #[error("reading failed after byte {offset}: {reason}")]
    Io {
        /// Offset in the (decompressed) capture up to which it was read.
        offset: u64,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// There is no byte to read.
    #[error("the capture is empty: it has no header, not even one for zero packets")]
    Empty,
    /// The first bytes belong to no known capture format.
    #[error("not a pcap or pcapng capture: it begins with the bytes {}{}", Hex(first_bytes), Hint(*looks_like))]
    NotACapture {
        /// The first bytes, at most 8.
        first_bytes: Vec<u8>,
        /// The format they belong to, if it is known.
        looks_like: Option<&'static str>,
    },
    /// The data ends within the file header.
    #[error("the capture is cut off in its header, after {have} bytes: it contains no packets")]
    HeaderCutOff {
        /// Bytes that exist.
        have: u64,
    },
    /// The file header contradicts itself.
    #[error("the capture's header is damaged: {reason}")]
    DamagedHeader {
        /// The contradiction.
        reason: StopReason,
    },
    /// The compressed data cannot be decompressed as far as the file header reaches.
    #[error("cannot decompress the {compression} data: {reason}")]
    Decompress {
        /// The format its first bytes announce.
        compression: super::Compression,
        /// The decompressor's words.
        reason: String,
    },
    /// An unknown version of the format.
    #[error(
        "{container} version {major}.{minor} at byte {offset} is not understood; convert the capture with editcap -F pcap"
    )]
    UnsupportedVersion {
        /// "pcap" or "pcapng".
        container: &'static str,
        /// Major version number.
        major: u16,
        /// Minor version number.
        minor: u16,
        /// Where the header with that version starts.
        offset: u64,
    },
    /// Bits of the pcap link-type field that must be zero are not (draft-ietf-opsawg-pcap, section
    /// 4).
    #[error("pcap link-type field {field:#010x} has reserved bits set, so its meaning is unknown")]
    ReservedLinkTypeBits {
        /// The whole field.
        field: u32,
    },
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

struct Hint(Option<&'static str>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, ", like {hint}"))
    }
}

/// Why the packets of a capture end before the capture does. All packets before that place were
/// read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadWarning {
    /// Where the first record starts that was not read, in bytes from the start of the
    /// (decompressed) capture.
    pub offset: u64,
    /// Whether `offset` counts decompressed bytes.
    pub decompressed: bool,
    /// The fault at that place.
    pub reason: StopReason,
}

impl fmt::Display for ReadWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, reason, .. } = self;
        let counted = if self.decompressed { " (decompressed)" } else { "" };
        write!(f, "the capture was read up to byte {offset}{counted}, and not beyond: {reason}")
    }
}

/// The fault of the first record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StopReason {
    /// The data ends within a record.
    #[error("it is cut off in the middle of a record, at byte {end}")]
    CutOff {
        /// The capture's length in bytes.
        end: u64,
    },
    /// The file lost bytes while it was read: it was shortened, or overwritten, or its device
    /// fails.
    #[error(
        "the data there is gone: the file was changed while it was read, or its device failed (it now has {len} bytes)"
    )]
    Gone {
        /// The file's length now, in bytes.
        len: u64,
    },
    /// The compressed data is complete, and other data follows it.
    #[error("the data behind the {compression} data is not compressed, and is ignored")]
    BehindCompression {
        /// The compression of the data before it.
        compression: super::Compression,
    },
    /// A record has neither a time nor a length.
    #[error("there are zeros instead of a packet: the file was emptied or never written there")]
    Zeros,
    /// Another capture begins where a record could, as when captures were joined, and cannot be
    /// read.
    #[error("another capture begins there, but it cannot be read: {reason}")]
    AnotherCapture {
        /// Its fault.
        reason: String,
    },
    /// The compressed data ends early or is damaged.
    #[error("its compressed data is cut off or damaged ({reason})")]
    Compression {
        /// The decompressor's words.
        reason: String,
    },
    /// A packet claims more captured bytes than any capture program writes.
    #[error(
        "the packet there claims {length} captured bytes, over the limit of {limit}: the data is damaged"
    )]
    PacketTooLong {
        /// The claimed length.
        length: u32,
        /// The longest plausible packet of its link type.
        limit: u32,
    },
    /// A pcapng block's length is no multiple of four, too short for its type, or out of all
    /// proportion.
    #[error("the block of type {block_type:#x} there claims an impossible length of {length} bytes")]
    BlockLength {
        /// The block's type.
        block_type: u32,
        /// Its total length.
        length: u32,
    },
    /// The length at a pcapng block's end is not that at its start.
    #[error("the block there has length {first} at its start and {last} at its end: the data is damaged")]
    BlockLengthsDiffer {
        /// At the start.
        first: u32,
        /// At the end.
        last: u32,
    },
    /// A pcapng packet claims more bytes than its block has.
    #[error("the packet there claims {length} captured bytes in a block with room for {room}")]
    PacketBeyondBlock {
        /// The claimed length.
        length: u32,
        /// The room in the block.
        room: u32,
    },
    /// A pcapng packet refers to an interface that its section has not described.
    #[error("the packet there belongs to interface {interface}, but its section describes {known} so far")]
    UnknownInterface {
        /// The number referred to.
        interface: u32,
        /// Interfaces described so far.
        known: usize,
    },
    /// An interface's options run over their end or have a wrong length, so that its clock is not
    /// known.
    #[error("the options of the interface described there are damaged")]
    InterfaceOptions,
    /// A section describes more interfaces than are kept.
    #[error("the section describes more than {limit} interfaces")]
    TooManyInterfaces {
        /// Most interfaces of a section.
        limit: usize,
    },
    /// A section header without its byte-order mark.
    #[error("the section header there has no byte-order mark: the data is damaged")]
    SectionHeader,
}

/// Why a reader has no further record. Boxed, because it occurs once in a capture and must not
/// enlarge each record's result.
#[derive(Debug)]
pub(super) enum ReadStop {
    End,
    /// The file header of another capture comes next.
    AnotherCapture,
    Warning {
        offset: u64,
        reason: StopReason,
    },
    Error(ReadError),
}

impl ReadStop {
    #[cold]
    pub(super) fn damage(offset: u64, reason: StopReason) -> Box<Self> {
        Box::new(Self::Warning { offset, reason })
    }

    #[cold]
    pub(super) fn error(error: ReadError) -> Box<Self> {
        Box::new(Self::Error(error))
    }
}
