//! Writes pcap files with time stamps in nanoseconds.
//!
//! The format is that of <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>, little endian.

use std::io::{self, Write};

use thiserror::Error;

/// The most bytes of a packet that readers accept (libpcap's MAXIMUM_SNAPLEN).
const SNAP_LEN: u32 = 262_144;
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SECOND_NS: u64 = 1_000_000_000;

/// Writes packets of one link type one after the other; give it a buffered writer.
#[derive(Debug)]
pub struct PcapWriter<W> {
    inner: W,
}

impl<W: Write> PcapWriter<W> {
    /// Begins a file of this link type (1 for Ethernet, <https://www.tcpdump.org/linktypes.html>).
    ///
    /// # Errors
    ///
    /// The file header cannot be written.
    pub fn new(mut inner: W, link_type: u16) -> Result<Self, WriteError> {
        let mut header = Vec::with_capacity(24);
        header.extend_from_slice(&MAGIC_NANOSECONDS.to_le_bytes());
        header.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.extend_from_slice(&SNAP_LEN.to_le_bytes());
        header.extend_from_slice(&u32::from(link_type).to_le_bytes());
        inner.write_all(&header).map_err(WriteError::Header)?;
        Ok(Self { inner })
    }

    /// Appends a packet that was `wire_len` bytes long and of which `data` was captured.
    ///
    /// # Errors
    ///
    /// The packet does not fit into the format or cannot be written.
    pub fn write(&mut self, timestamp_ns: u64, wire_len: u32, data: &[u8]) -> Result<(), WriteError> {
        let seconds = u32::try_from(timestamp_ns / SECOND_NS).map_err(|_| WriteError::Time(timestamp_ns))?;
        let captured = u32::try_from(data.len()).ok().filter(|len| *len <= SNAP_LEN);
        let captured = captured.ok_or(WriteError::Length(data.len()))?;
        let mut record = [0; 16];
        let fields = [seconds, (timestamp_ns % SECOND_NS) as u32, captured, wire_len];
        for (bytes, field) in record.chunks_exact_mut(4).zip(fields) {
            bytes.copy_from_slice(&field.to_le_bytes());
        }
        self.inner.write_all(&record).map_err(WriteError::Packet)?;
        self.inner.write_all(data).map_err(WriteError::Packet)
    }

    /// Flushes the buffer and returns the writer.
    ///
    /// # Errors
    ///
    /// The buffer cannot be written.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.inner.flush().map_err(WriteError::Packet)?;
        Ok(self.inner)
    }
}

/// Why a capture file could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// At its beginning.
    #[error("cannot write the pcap file header")]
    Header(#[source] io::Error),
    /// At a packet.
    #[error("cannot write a packet to the pcap file")]
    Packet(#[source] io::Error),
    /// A time stamp after 2106.
    #[error("a time stamp of {0} ns since 1970 does not fit into a pcap file")]
    Time(u64),
    /// A packet larger than readers accept.
    #[error("a packet of {0} bytes does not fit into a pcap file (at most {SNAP_LEN})")]
    Length(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_header_and_records_in_little_endian() {
        let mut writer = PcapWriter::new(Vec::new(), 1).unwrap();
        writer.write(1_700_000_000_123_456_789, 60, &[0xaa; 3]).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes[..4], [0x4d, 0x3c, 0xb2, 0xa1]);
        assert_eq!(bytes[20..24], [1, 0, 0, 0]);
        assert_eq!(bytes[24..28], 1_700_000_000_u32.to_le_bytes());
        assert_eq!(bytes[28..32], 123_456_789_u32.to_le_bytes());
        assert_eq!(bytes[32..40], [3, 0, 0, 0, 60, 0, 0, 0]);
        assert_eq!(bytes[40..], [0xaa; 3]);
    }

    #[test]
    fn a_time_after_2106_is_refused() {
        let mut writer = PcapWriter::new(Vec::new(), 1).unwrap();
        let error = writer.write(u64::MAX, 0, &[]).unwrap_err();
        assert!(matches!(error, WriteError::Time(u64::MAX)));
    }
}
