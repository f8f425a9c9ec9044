//! Captures joined by cat(1): the file header of another one where a record could be.

use std::io::Write;
use std::{fs, io, thread};

use super::build::{BOTH_ORDERS, Build, small_pcap, small_pcapng};
use super::{packets, read_all, warned};
use crate::read::byte_order::ByteOrder;
use crate::read::{Capture, Container, StopReason};

/// Captures of every kind, each with packets of its own kind.
fn kinds() -> Vec<Vec<u8>> {
    let mut kinds = vec![small_pcap(3), small_pcapng(3), small_pcap(0)];
    for order in BOTH_ORDERS {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            let header = Build::new(order).pcap_header(magic, (2, 4), 101);
            kinds.push(header.pcap_packet(7, 8, b"raw").pcap_packet(9, 10, b"").bytes);
        }
        kinds.push(Build::new(order).section().ethernet().enhanced(0, 5, b"ng").bytes);
    }
    // Written where local time was not UTC.
    let zone =
        Build::new(ByteOrder::Little).u32(0xa1b2_c3d4).u16(2).u16(4).u32(3600).u32(0).u32(65_535).u32(1);
    kinds.push(zone.pcap_packet(1, 2, b"zone").bytes);
    kinds
}

#[test]
fn the_packets_of_both_captures_are_read_whatever_their_byte_order_and_link_type() {
    for (i, first) in kinds().iter().enumerate() {
        for (j, second) in kinds().iter().enumerate() {
            let mut expected = packets(first);
            expected.extend(packets(second));
            assert_eq!(packets(&[first.as_slice(), second].concat()), expected, "{i} and {j}");
        }
    }
}

#[test]
fn joined_captures_may_be_compressed_together_or_each() {
    let expected = [packets(&small_pcap(3)), packets(&small_pcapng(2))].concat();
    let gzip = super::compressed::gzip;
    let zstd = super::compressed::zstd;
    let (a, b) = (small_pcap(3), small_pcapng(2));
    for joined in [
        gzip(&[a.as_slice(), &b].concat()),
        [gzip(&a), gzip(&b)].concat(),
        [zstd(&a), zstd(&b)].concat(),
        [gzip(&a), zstd(&b)].concat(),
    ] {
        assert_eq!(packets(&joined), expected);
    }
}

#[test]
fn the_given_example_has_the_packets_of_both_files() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/faults/cat-two.pcap");
    let (read, warning) = read_all(Capture::open(path).unwrap()).unwrap();
    assert_eq!((read.len(), warning), (4, None));
    assert_eq!(packets(&fs::read(path).unwrap()), read, "a stream reads alike");
}

#[test]
fn a_joined_capture_that_cannot_be_read_is_one_sentence_after_the_packets_of_the_first() {
    let first = small_pcap(2);
    let offset = first.len() as u64;
    let newer = Build::new(ByteOrder::Big).pcap_header(0xa1b2_c3d4, (9, 4), 1).pcap_packet(1, 1, b"x").bytes;
    let reserved = Build::new(ByteOrder::Big).pcap_header(0xa1b2_c3d4, (2, 4), 0x0100_0001).bytes;
    let section = Build::new(ByteOrder::Big).section_of(3, 0, 0).bytes;
    let cut = small_pcap(1)[..20].to_vec();
    for second in [newer, reserved, section, cut] {
        let (read, warning) = warned(&[first.as_slice(), &second].concat());
        assert_eq!((read.len(), warning.offset), (2, offset));
        assert!(matches!(warning.reason, StopReason::AnotherCapture { .. }), "{warning}");
    }
}

#[test]
fn a_thousand_headers_are_a_thousand_empty_captures() {
    assert_eq!(packets(&small_pcap(0).repeat(1000)), []);
}

#[test]
fn the_container_is_that_of_the_first() {
    let mut capture =
        Capture::from_reader(io::Cursor::new([small_pcap(1), small_pcapng(1)].concat())).unwrap();
    while capture.next_packet().unwrap().is_some() {}
    assert_eq!(capture.container(), Container::Pcap);
}

#[test]
fn a_joined_header_in_a_pipe_is_not_a_packet_at_hand() {
    for second in [small_pcap(1), small_pcapng(1)] {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(&[small_pcap(1), second[..24].to_vec()].concat()).unwrap();
        let mut capture = Capture::from_reader(reader).unwrap();
        assert!(capture.next_packet().unwrap().is_some());
        assert!(!capture.is_next_at_hand());
        let rest = second[24..].to_vec();
        let writing = thread::spawn(move || writer.write_all(&rest).unwrap());
        assert!(capture.next_packet().unwrap().is_some());
        writing.join().unwrap();
    }
}

#[test]
fn a_packet_without_captured_bytes_is_a_packet() {
    let header = Build::new(ByteOrder::Little).pcap_header(0xa1b2_c3d4, (2, 4), 1);
    // Its time could be a magic number, and its original length is not 0.
    let bytes = header.u32(1).u32(0).u32(0).u32(60).pcap_packet(2, 0, b"").bytes;
    let read = packets(&bytes);
    assert_eq!(read.iter().map(|packet| packet.wire_len).collect::<Vec<_>>(), [60, 0]);
}

#[test]
fn zeros_behind_the_last_packet_are_no_packets() {
    for bytes in [small_pcap(2), small_pcapng(2)] {
        let (read, warning) = warned(&[bytes.clone(), vec![0; 500]].concat());
        assert_eq!(read, packets(&bytes));
        assert_eq!(warning.offset, bytes.len() as u64);
    }
}
