//! Capture files: reading, pacing and writing them.
//!
//! [`Capture`] is the reader: it takes pcap and pcapng, plain, gzip or zstd, from a path or from
//! any [`std::io::Read`], and lends out one [`PacketRef`] at a time. [`Pacer`] makes packet time
//! follow the wall clock. [`write::PcapWriter`] writes packets to files, [`write::PcapngEncoder`] to streams.
//!
//! A packet is only bytes and a time here. The agent's replay and the sender use this crate.

pub mod pace;
pub mod read;
pub mod write;

pub use pace::{Pace, Pacer};
pub use read::{ByteOrder, Capture, PacketRef, ReadError, ReadWarning};
