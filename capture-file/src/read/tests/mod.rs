//! Captures built byte by byte, in every variant of both containers, and read back.

mod build;
mod compressed;
mod damage;
mod joined;
mod pcap;
mod pcapng;
mod sources;

use std::io::Cursor;

use super::Capture;
use super::error::{ReadError, ReadWarning};

/// An owned packet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packet {
    timestamp_ns: u64,
    has_timestamp: bool,
    data: Vec<u8>,
    wire_len: u32,
    link_type: u16,
    interface: u32,
}

/// All packets, and the warning after them.
type Outcome = Result<(Vec<Packet>, Option<ReadWarning>), ReadError>;

fn read_all(mut capture: Capture) -> Outcome {
    let mut packets = Vec::new();
    while let Some(packet) = capture.next_packet()? {
        packets.push(Packet {
            timestamp_ns: packet.timestamp_ns,
            has_timestamp: packet.has_timestamp,
            data: packet.data.to_vec(),
            wire_len: packet.wire_len,
            link_type: packet.link_type,
            interface: packet.interface,
        });
        assert!(capture.warning().is_none(), "a warning comes after the last packet");
    }
    assert!(matches!(capture.next_packet(), Ok(None)), "the end stays the end");
    Ok((packets, capture.warning().cloned()))
}

/// Reads a capture as a stream. Reading ahead in another thread changes nothing.
fn read(bytes: &[u8]) -> Outcome {
    let outcome = read_all(Capture::from_reader(Cursor::new(bytes.to_vec()))?);
    let mut ahead = Capture::from_reader(Cursor::new(bytes.to_vec()))?;
    ahead.read_ahead();
    assert_eq!(format!("{:?}", read_all(ahead)), format!("{outcome:?}"));
    outcome
}

/// Reads a capture that must be whole.
fn packets(bytes: &[u8]) -> Vec<Packet> {
    let (packets, warning) = read(bytes).unwrap();
    assert_eq!(warning, None);
    packets
}

/// Reads a capture that must end with a warning.
fn warned(bytes: &[u8]) -> (Vec<Packet>, ReadWarning) {
    let (packets, warning) = read(bytes).unwrap();
    (packets, warning.expect("a warning"))
}
