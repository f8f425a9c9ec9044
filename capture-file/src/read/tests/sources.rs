//! A capture reads the same from every source.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::thread;

use super::build::{Build, small_pcap, small_pcapng};
use super::{Packet, packets, read_all};
use crate::read::byte_order::ByteOrder;
use crate::read::{Capture, ReadError, ReadWarning, StopReason};

/// Gives one byte at a time, and is interrupted before each.
struct Trickle {
    bytes: io::Cursor<Vec<u8>>,
    interrupted: bool,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(1);
        self.bytes.read(&mut buffer[..len])
    }
}

const PACKETS: u32 = 60_000;

/// Packets enough to fill several pieces of a mapping and several buffers.
fn large_pcap() -> Vec<u8> {
    let header = Build::new(ByteOrder::Little).pcap_header(0xa1b2_3c4d, (2, 4), 1);
    (0..PACKETS)
        .fold(header, |build, n| build.pcap_packet(n, n, &[n as u8; 90][..60 + n as usize % 30]))
        .bytes
}

/// The same packets.
fn large_pcapng() -> Vec<u8> {
    let header = Build::new(ByteOrder::Big).section().ethernet();
    (0..PACKETS)
        .fold(header, |build, n| build.enhanced(0, u64::from(n), &[n as u8; 90][..60 + n as usize % 30]))
        .bytes
}

#[test]
fn a_mapped_file_a_stream_and_a_trickle_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a", small_pcap(40)), ("b", small_pcapng(40)), ("c", large_pcap())] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let expected = packets(&bytes);
        assert_eq!(read_all(Capture::open(&path).unwrap()).unwrap(), (expected.clone(), None), "{name}");
        let trickle = Trickle { bytes: io::Cursor::new(bytes), interrupted: false };
        assert_eq!(read_all(Capture::from_reader(trickle).unwrap()).unwrap(), (expected, None), "{name}");
    }
}

#[test]
fn a_mapped_file_cut_off_anywhere_ends_like_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.cap");
    for bytes in [small_pcap(3), small_pcapng(3)] {
        for len in 28..bytes.len() {
            fs::write(&path, &bytes[..len]).unwrap();
            let mapped = read_all(Capture::open(&path).unwrap()).unwrap();
            assert_eq!(mapped, super::read(&bytes[..len]).unwrap(), "{len} bytes");
        }
    }
}

#[test]
fn packets_from_a_pipe_come_as_they_are_written() {
    let (reader, mut writer) = io::pipe().unwrap();
    let bytes = small_pcap(2);
    // Header and first packet; the second one follows only when the first was read.
    writer.write_all(&bytes[..41]).unwrap();
    let mut capture = Capture::from_reader(reader).unwrap();
    assert_eq!(capture.next_packet().unwrap().unwrap().data, [1]);
    assert!(!capture.is_next_at_hand());
    let rest = bytes[41..].to_vec();
    let writing = thread::spawn(move || writer.write_all(&rest).unwrap());
    assert_eq!(capture.next_packet().unwrap().unwrap().data, [2, 2]);
    assert!(capture.next_packet().unwrap().is_none());
    assert!(capture.warning().is_none());
    writing.join().unwrap();
}

#[test]
fn a_packet_at_hand_is_known_to_be_there() {
    let pcapng = Build::new(ByteOrder::Big).section().ethernet().enhanced(0, 1, &[1]).enhanced(0, 2, &[2; 2]);
    for bytes in [small_pcap(2), pcapng.bytes] {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(&bytes).unwrap();
        let mut capture = Capture::from_reader(reader).unwrap();
        capture.next_packet().unwrap().unwrap();
        assert!(capture.is_next_at_hand());
        capture.next_packet().unwrap().unwrap();
        // The pipe is open, so a reader would have to wait for more.
        assert!(!capture.is_next_at_hand());
    }
}

/// The packets and the warning of a file whose length becomes `len` bytes after its first packet
/// was read.
fn shortened(bytes: &[u8], len: u64) -> (Vec<Packet>, Option<ReadWarning>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shrinking.pcap");
    fs::write(&path, bytes).unwrap();
    let mut capture = Capture::open(&path).unwrap();
    assert!(capture.next_packet().unwrap().is_some());
    OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
    read_all(capture).unwrap()
}

#[test]
fn a_shortened_file_gives_the_packets_that_are_left_and_one_warning() {
    for bytes in [large_pcap(), large_pcapng()] {
        let whole = packets(&bytes);
        // Behind the resident part; in the middle of a resident page; the whole file.
        for len in [(3 << 20) + 1, (1 << 20) + 100, 0] {
            assert!(bytes.len() as u64 > len + (1 << 20));
            let (read, warning) = shortened(&bytes, len);
            let warning = warning.unwrap();
            assert_eq!(warning.reason, StopReason::Gone { len });
            // A page at a time.
            assert!(
                warning.offset <= len.next_multiple_of(4096).max(4096) && warning.offset + 4096 >= len,
                "{warning:?}"
            );
            assert!(read == whole[1..=read.len()], "{} packets of {len} bytes", read.len());
        }
    }
}

#[test]
fn a_packet_whose_data_begins_in_a_lost_page_is_not_read() {
    let header = Build::new(ByteOrder::Little).pcap_header(0xa1b2_3c4d, (2, 4), 1);
    // The header of the second packet ends with the first page.
    let first = [1; 4096 - 24 - 16 - 16];
    let bytes = header.pcap_packet(0, 0, &first).pcap_packet(0, 0, &[2; 100]).bytes;
    let (packets, warning) = shortened(&bytes, 4096);
    assert_eq!(packets, []);
    let offset = 4096 - 16;
    let reason = StopReason::Gone { len: 4096 };
    assert_eq!(warning, Some(ReadWarning { offset, decompressed: false, reason }));
}

#[test]
fn a_file_shortened_to_any_length_gives_only_packets_that_were_in_it() {
    // Packets that end in zeros as most do that are padded, over some pages.
    let header = Build::new(ByteOrder::Little).pcap_header(0xa1b2_3c4d, (2, 4), 1);
    let packet = |n: usize| [vec![n as u8; 40 + n * 37 % 500], vec![0; n % 30]].concat();
    let pcap = (1..60).fold(header, |build, n| build.pcap_packet(n as u32, n as u32, &packet(n))).bytes;
    let header = Build::new(ByteOrder::Big).section().ethernet();
    let pcapng = (1..60).fold(header, |build, n| build.enhanced(0, n as u64, &packet(n))).bytes;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shrinking.pcap");
    for bytes in [pcap, pcapng] {
        let whole = packets(&bytes);
        for len in (0..bytes.len()).step_by(31) {
            fs::write(&path, &bytes).unwrap();
            let mut capture = Capture::open(&path).unwrap();
            assert!(capture.next_packet().unwrap().is_some());
            OpenOptions::new().write(true).open(&path).unwrap().set_len(len as u64).unwrap();
            let (read, warning) = read_all(capture).unwrap();
            assert!(read == whole[1..=read.len()], "{len} bytes");
            assert!(matches!(warning.unwrap().reason, StopReason::Gone { .. }));
        }
    }
}

#[test]
fn a_file_emptied_and_written_on_behind_a_hole_gives_no_packet_of_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rotated.pcap");
    for bytes in [large_pcap(), large_pcapng()] {
        fs::write(&path, &bytes).unwrap();
        let whole = packets(&bytes);
        let mut capture = Capture::open(&path).unwrap();
        assert!(capture.next_packet().unwrap().is_some());
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(0).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        let (read, warning) = read_all(capture).unwrap();
        assert!(read == whole[1..=read.len()] && warning.is_some());
    }
}

#[test]
fn bytes_appended_while_a_file_is_read_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pcap");
    let bytes = large_pcap();
    let half = bytes.len() / 2;
    fs::write(&path, &bytes[..half]).unwrap();
    let mut capture = Capture::open(&path).unwrap();
    assert!(capture.next_packet().unwrap().is_some());
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&bytes[half..]).unwrap();
    let (packets, warning) = read_all(capture).unwrap();
    assert_eq!((packets.len(), warning), (PACKETS as usize - 1, None));
}

#[test]
fn progress_reaches_the_files_size() {
    let folder = tempfile::tempdir().unwrap();
    let plain = large_pcap();
    for (name, bytes) in [("plain", plain.clone()), ("zst", zstd::encode_all(plain.as_slice(), 1).unwrap())] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        let mut capture = Capture::open(&path).unwrap();
        let mut last = capture.position_bytes();
        while capture.next_packet().unwrap().is_some() {
            assert!(capture.position_bytes() >= last);
            last = capture.position_bytes();
        }
        assert_eq!(Some(capture.position_bytes()), capture.total_bytes(), "{name}");
    }
    assert_eq!(Capture::from_reader(io::Cursor::new(plain)).unwrap().total_bytes(), None);
}

#[test]
fn a_path_that_cannot_be_read_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing.pcap")] {
        let error = Capture::open(&path).unwrap_err();
        assert!(matches!(error, ReadError::Open { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    let empty = folder.path().join("empty.pcap");
    fs::write(&empty, b"").unwrap();
    assert!(matches!(Capture::open(&empty).unwrap_err(), ReadError::Empty));
}

#[test]
fn a_device_that_fails_is_an_error_after_the_packets_before_it() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    let bytes = small_pcap(3);
    let len = bytes.len() as u64;
    let mut capture = Capture::from_reader(io::Cursor::new(bytes).chain(Failing)).unwrap();
    for _ in 0..3 {
        assert!(capture.next_packet().unwrap().is_some());
    }
    let error = capture.next_packet().unwrap_err();
    assert!(matches!(error, ReadError::Io { offset, .. } if offset == len), "{error}");
    assert!(capture.next_packet().unwrap().is_none());
}

#[test]
fn a_capture_can_be_handed_to_another_thread() {
    let capture = Capture::from_reader(io::Cursor::new(small_pcap(5))).unwrap();
    let (packets, _) = thread::spawn(move || read_all(capture)).join().unwrap().unwrap();
    assert_eq!(packets.len(), 5);
}
