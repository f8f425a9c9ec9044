//! Captures of half-open TCP connections and of fragments without the others, from random addresses.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use fastrand::Rng;

/// The watched host.
const HOST: [u8; 4] = [192, 0, 2, 2];
const MACS_AND_IPV4: [u8; 14] = [2, 0x53, 0, 0, 0, 2, 2, 0x53, 0, 0, 0, 1, 8, 0];
const UDP: u8 = 17;
const TCP: u8 = 6;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Writes a pcap file of this many packets.
pub(super) fn write(path: &Path, packets: u64, seed: u64) -> io::Result<()> {
    let mut random = Rng::with_seed(seed);
    let mut file = BufWriter::new(File::create(path)?);
    for number in [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0, 65_535, 1] {
        file.write_all(&number.to_le_bytes())?;
    }
    for n in 0..packets {
        let packet = match n % 4 {
            0 => tcp(&mut random, SYN, 0),
            // The beginning of a message that never ends, behind a gap.
            1 => tcp(&mut random, ACK, 200),
            2 => fragment(&mut random, 0x2000),
            _ => fragment(&mut random, 0x2001),
        };
        let len = packet.len() as u32;
        for number in [1_700_000_000 + (n / 10_000) as u32, (n % 10_000) as u32 * 100, len, len] {
            file.write_all(&number.to_le_bytes())?;
        }
        file.write_all(&packet)?;
    }
    file.flush()
}

fn ip(random: &mut Rng, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = MACS_AND_IPV4.to_vec();
    packet.extend([0x45, 0]);
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend((random.u16(..)).to_be_bytes());
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0]);
    packet.extend([100 + random.u8(..100), random.u8(..), random.u8(..), 1]);
    packet.extend(HOST);
    packet.extend(payload);
    packet
}

fn tcp(random: &mut Rng, flags: u8, len: usize) -> Vec<u8> {
    let mut segment = (random.u16(..) | 0x400).to_be_bytes().to_vec();
    segment.extend([0, 53]);
    segment.extend((random.u32(..)).to_be_bytes());
    segment.extend([0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    if len > 0 {
        segment.extend([0xff, 0xf0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        segment.resize(segment.len() + len, b'x');
    }
    ip(random, TCP, 0, &segment)
}

fn fragment(random: &mut Rng, field: u16) -> Vec<u8> {
    let mut datagram = vec![0x30, 0x39, 0, 53, 5, 220, 0, 0];
    datagram.resize(1000, 7);
    ip(random, UDP, field, &datagram)
}
