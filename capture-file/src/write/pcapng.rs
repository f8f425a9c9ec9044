//! Encodes a section of pcapng, block by block, for streams.
//!
//! The format is that of <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/>, little
//! endian, with time stamps in nanoseconds.

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
const VERSION: u32 = 1;
const SECTION_LEN_UNKNOWN: u64 = u64::MAX;

const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_USER_APPLICATION: u16 = 4;
const OPTION_TIMESTAMP_RESOLUTION: u16 = 9;
const OPTION_RECEIVED: u16 = 4;
const OPTION_DROPPED: u16 = 5;

/// Units of 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// The longest text of an option.
const TEXT_BYTES_MAX: usize = 4096;

/// Appends the blocks of one section to a buffer. Packets of each link type belong to an interface
/// of their own.
#[derive(Debug, Default)]
pub struct PcapngEncoder {
    /// The link types of the interfaces, in order.
    interfaces: Vec<u16>,
}

impl PcapngEncoder {
    /// Appends the header of the section, with the program that writes it and a comment.
    pub fn header(&self, out: &mut Vec<u8>, program: &str, comment: &str) {
        block(out, SECTION_HEADER, |out| {
            out.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
            out.extend_from_slice(&VERSION.to_le_bytes());
            out.extend_from_slice(&SECTION_LEN_UNKNOWN.to_le_bytes());
            text(out, OPTION_USER_APPLICATION, program);
            text(out, OPTION_COMMENT, comment);
            option(out, OPTION_END, &[]);
        });
    }

    /// Appends a packet that was `wire_len` bytes long and of which `data` was captured.
    pub fn packet(
        &mut self,
        out: &mut Vec<u8>,
        link_type: u16,
        timestamp_ns: u64,
        wire_len: u32,
        data: &[u8],
    ) {
        let interface = self.interface(out, link_type);
        block(out, ENHANCED_PACKET, |out| {
            let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let time = [(timestamp_ns >> 32) as u32, timestamp_ns as u32];
            for field in [interface, time[0], time[1], captured, wire_len] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            padded(out, data);
        });
    }

    /// Appends the numbers of packets that were received and, of these, dropped: the statistics of
    /// the first interface, which is described first if there was no packet.
    pub fn statistics(
        &mut self,
        out: &mut Vec<u8>,
        timestamp_ns: u64,
        received: u64,
        dropped: u64,
        comment: &str,
    ) {
        if self.interfaces.is_empty() {
            // Ethernet: there is no packet that could be of another type.
            self.interface(out, 1);
        }
        block(out, INTERFACE_STATISTICS, |out| {
            for field in [0, (timestamp_ns >> 32) as u32, timestamp_ns as u32] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            option(out, OPTION_RECEIVED, &received.to_le_bytes());
            option(out, OPTION_DROPPED, &dropped.to_le_bytes());
            text(out, OPTION_COMMENT, comment);
            option(out, OPTION_END, &[]);
        });
    }

    /// Appends a block without contents. A stream that has nothing to send notices by it that the
    /// other end has gone.
    pub fn nothing(&self, out: &mut Vec<u8>) {
        // A record of type 0 and length 0 ends the list of names.
        block(out, NAME_RESOLUTION, |out| out.extend_from_slice(&[0; 4]));
    }

    /// The number of the interface of this link type, which is described first if it is new.
    fn interface(&mut self, out: &mut Vec<u8>, link_type: u16) -> u32 {
        let known = self.interfaces.iter().position(|known| *known == link_type);
        let number = known.unwrap_or_else(|| {
            block(out, INTERFACE_DESCRIPTION, |out| {
                // Link type, 16 reserved bits, and no limit of the length.
                out.extend_from_slice(&u32::from(link_type).to_le_bytes());
                out.extend_from_slice(&0_u32.to_le_bytes());
                option(out, OPTION_TIMESTAMP_RESOLUTION, &[NANOSECONDS]);
                option(out, OPTION_END, &[]);
            });
            self.interfaces.push(link_type);
            self.interfaces.len() - 1
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

/// Appends a block: its type, its length, its body, and the length again.
fn block(out: &mut Vec<u8>, block_type: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&block_type.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let len = u32::try_from(out.len() - start + 4).unwrap_or(u32::MAX).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&len);
    out.extend_from_slice(&len);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    padded(out, value);
}

fn text(out: &mut Vec<u8>, code: u16, text: &str) {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    option(out, code, &text.as_bytes()[..end]);
}

/// Appends bytes and zeros up to a multiple of 4.
fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capture;

    #[test]
    fn our_reader_reads_what_was_encoded() {
        let mut encoder = PcapngEncoder::default();
        let mut out = Vec::new();
        encoder.header(&mut out, "a program", "a comment");
        let packets = [
            (1_u16, 1_700_000_000_123_456_789_u64, 60_u32, &[0xaa; 3][..]),
            (113, 1_700_000_000_123_456_790, 4, &[0xbb; 4]),
            (1, 1_700_000_001_000_000_000, 9000, &[]),
        ];
        for (link_type, timestamp_ns, wire_len, data) in packets {
            encoder.nothing(&mut out);
            encoder.packet(&mut out, link_type, timestamp_ns, wire_len, data);
        }
        encoder.statistics(&mut out, 1_700_000_002_000_000_000, 5, 2, "the end");
        assert_eq!(out.len() % 4, 0);
        let mut capture = Capture::from_reader(std::io::Cursor::new(out)).unwrap();
        for (link_type, timestamp_ns, wire_len, data) in packets {
            let read = capture.next_packet().unwrap().unwrap();
            assert_eq!((read.link_type, read.timestamp_ns), (link_type, timestamp_ns));
            assert_eq!((read.wire_len, read.data), (wire_len, data));
        }
        assert!(capture.next_packet().unwrap().is_none());
        assert!(capture.warning().is_none(), "{:?}", capture.warning());
    }

    #[test]
    fn a_section_without_packets_has_statistics_too() {
        let mut encoder = PcapngEncoder::default();
        let mut out = Vec::new();
        encoder.header(&mut out, "", &"ä".repeat(TEXT_BYTES_MAX));
        encoder.statistics(&mut out, 0, 0, 0, "");
        let mut capture = Capture::from_reader(std::io::Cursor::new(out)).unwrap();
        assert!(capture.next_packet().unwrap().is_none());
        assert!(capture.warning().is_none(), "{:?}", capture.warning());
    }
}
