//! Capture files: reading, pacing and writing them.
//!
//! [`Capture`] is the reader: it takes pcap and pcapng, plain, gzip or zstd, from a path or from any
//! [`std::io::Read`], and lends out one [`PacketRef`] at a time. [`Pacer`] makes packet time follow the wall clock.
//! [`write::PcapWriter`] keeps packets.
//!
//! A packet is bytes and a time here, nothing more. Everything that reads or writes a capture
//! depends on this crate: the agent's replay and the sender.

pub mod pace;
pub mod read;
pub mod write;

pub use pace::{Pace, Pacer};
pub use read::{ByteOrder, Capture, PacketRef, ReadError, ReadWarning};
