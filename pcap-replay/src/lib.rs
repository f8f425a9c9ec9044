//! Reads, paces, generates and sends packet captures.
//!
//! [`Capture`] is the reader: it takes pcap and pcapng, plain, gzip or zstd, from a path or from any
//! [`std::io::Read`], and lends out one [`PacketRef`] at a time. [`Pacer`] makes packet time follow the wall clock.
//! [`send::send`] puts its packets onto an interface.
//! [`generate::Generator`] makes packets of which the right summary is known; [`write::PcapWriter`] keeps them.

pub mod generate;
pub mod pace;
pub mod read;
pub mod send;
pub mod write;

pub use pace::{Pace, Pacer};
pub use read::{ByteOrder, Capture, PacketRef, ReadError, ReadWarning};
