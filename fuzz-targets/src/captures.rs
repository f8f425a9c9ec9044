//! Capture files of each kind: pcap and pcapng in both byte orders, plain, gzip and zstd, as a stream
//! and mapped.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use capture_file::Capture;
use flate2::Crc;
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::work;

/// Most packets that are read of one input, because a compressed file can hold millions.
const PACKETS_MAX: usize = 4096;
/// An input is at most a few kilobytes, of which gzip makes at most a thousand times as many.
const TIME_MAX: Duration = Duration::from_secs(2);

/// A byte with what surrounds the file and how many bytes a read returns, and the file.
pub fn run(data: &[u8]) {
    let Some((&kind, file)) = data.split_first() else { return };
    work::within(TIME_MAX, || match kind % 4 {
        0 => check_streamed(kind, file),
        1 => drop(read(Capture::from_reader(Portions::of(kind, file.to_vec())))),
        2 => check_compressed(kind, file, gzip(file)),
        _ => check_compressed(kind, file, zstd(file)),
    });
}

/// A stream whose reads return few bytes, as a pipe's do.
struct Portions {
    bytes: Cursor<Vec<u8>>,
    portion: usize,
}

impl Portions {
    /// The upper bits of an input's first byte choose the size.
    fn of(kind: u8, bytes: Vec<u8>) -> Self {
        let portion = [usize::MAX, 1, 7, 64, 100, 500, 1000, 4096][usize::from(kind / 4 % 8)];
        Self { bytes: Cursor::new(bytes), portion }
    }
}

impl Read for Portions {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.portion);
        self.bytes.read(&mut buffer[..len])
    }
}

/// A stream has the packets of the file. Only where compressed data is damaged, reads of other sizes
/// than those of a file decide how much of it is decompressed before.
fn check_streamed(kind: u8, file: &[u8]) {
    let (stream, mapped) = (Portions::of(kind, file.to_vec()), mapped(file));
    let reads_as_a_file = stream.portion == usize::MAX;
    let streamed = read(Capture::from_reader(stream));
    if !mapped.is_whole && begins_compressed(file) && !reads_as_a_file {
        assert!(!streamed.is_whole, "damage is noticed in a file only");
    } else {
        assert_eq!(streamed, mapped, "as a stream and as a file");
    }
}

/// Whether a file begins as gzip or zstd data do.
fn begins_compressed(file: &[u8]) -> bool {
    matches!(file, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// A file that is compressed has the same packets. One that is compressed twice is no capture.
fn check_compressed(kind: u8, file: &[u8], compressed: Vec<u8>) {
    let capture = Capture::from_reader(Cursor::new(file.to_vec()));
    if capture.as_ref().is_ok_and(|capture| capture.compression().is_some()) {
        return;
    }
    let plain = read(capture);
    let found = read(Capture::from_reader(Portions::of(kind, compressed)));
    assert_eq!(plain.packets, found.packets);
    assert_eq!((plain.digest, plain.is_whole), (found.digest, found.is_whole));
}

/// What was read of a file.
#[derive(Debug, PartialEq, Eq)]
struct CaptureContent {
    packets: usize,
    /// Of all packets.
    digest: u64,
    /// Whether it ended without a warning and without an error.
    is_whole: bool,
}

fn read(capture: Result<Capture, capture_file::ReadError>) -> CaptureContent {
    let mut content = CaptureContent { packets: 0, digest: 0, is_whole: false };
    let mut capture = match capture {
        Ok(capture) => capture,
        Err(error) => {
            assert_sentence(&error.to_string());
            return content;
        }
    };
    while content.packets < PACKETS_MAX {
        match capture.next_packet() {
            Ok(Some(packet)) => {
                assert!(packet.wire_len as usize >= packet.data.len());
                content.packets += 1;
                let ends = [packet.data.first(), packet.data.last()]
                    .map(|end| end.map_or(0, |byte| u64::from(*byte)));
                for number in
                    [packet.timestamp_ns, packet.data.len() as u64, packet.wire_len.into(), ends[0], ends[1]]
                {
                    content.digest = (content.digest ^ number).wrapping_mul(0x0000_0100_0000_01b3);
                }
            }
            Ok(None) => {
                content.is_whole = capture.warning().is_none();
                break;
            }
            Err(error) => {
                assert_sentence(&error.to_string());
                break;
            }
        }
    }
    if let Some(warning) = capture.warning() {
        assert_sentence(&warning.to_string());
    }
    content
}

fn assert_sentence(text: &str) {
    assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
}

thread_local! {
    /// The file of every input of this thread: a new one takes longer than to read it.
    static FILE: File =
        memfd_create("capture", MFdFlags::MFD_CLOEXEC).expect("memory for a file").into();
}

fn mapped(content: &[u8]) -> CaptureContent {
    FILE.with(|file| {
        file.set_len(content.len() as u64).and_then(|()| file.write_all_at(content, 0)).expect("room");
        read(Capture::open(format!("/proc/self/fd/{}", file.as_raw_fd())))
    })
}

/// A member of blocks that are not compressed (RFC 1951 section 3.2.4, RFC 1952 section 2.3).
fn gzip(file: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 4096;
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for block in file.chunks(BLOCK_BYTES) {
        let len = block.len() as u16;
        member.push(0);
        member.extend(len.to_le_bytes());
        member.extend((!len).to_le_bytes());
        member.extend_from_slice(block);
    }
    // The last block, of no bytes.
    member.extend([1, 0, 0, 0xff, 0xff]);
    let mut checksum = Crc::new();
    checksum.update(file);
    member.extend(checksum.sum().to_le_bytes());
    member.extend(checksum.amount().to_le_bytes());
    member
}

/// A frame of blocks that are not compressed (RFC 8878 section 3.1.1), because to set up a
/// compressor takes longer than everything else.
fn zstd(file: &[u8]) -> Vec<u8> {
    const BLOCK_BYTES: usize = 4096;
    const WINDOW_OF_4_KIB: u8 = 2 << 3;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, WINDOW_OF_4_KIB];
    for block in file.chunks(BLOCK_BYTES) {
        frame.extend_from_slice(&((block.len() as u32) << 3).to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    // The last block, of no bytes.
    frame.extend_from_slice(&[1, 0, 0]);
    frame
}
