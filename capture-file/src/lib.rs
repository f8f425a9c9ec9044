//! Capture files: reading, pacing and writing them.
//!
//! [`Capture`] is the reader: it takes pcap and pcapng, plain, gzip or zstd, from a path or from any
//! [`std::io::Read`], and lends out one [`PacketRef`] at a time. [`Pacer`] makes packet time follow the wall clock.
//! [`write::PcapWriter`] keeps packets.
//!
//! A packet is bytes and a time here, nothing more: what they mean is not this crate's business. Whatever reads or writes a
//! capture depends on it, the agent's replay as well as the sender.

pub mod pace;
pub mod read;
pub mod write;

pub use pace::{Pace, Pacer};
pub use read::{ByteOrder, Capture, PacketRef, ReadError, ReadWarning};
