//! Captures that were cut off, damaged, or never were captures.

use proptest::prelude::*;

use super::build::{Build, small_pcap, small_pcapng};
use super::{packets, read, warned};
use crate::read::byte_order::ByteOrder;
use crate::read::{ReadError, StopReason};

/// Where each record of a capture ends, found by its numbers; the header's end first.
fn pcap_ends(count: usize) -> Vec<usize> {
    (0..=count)
        .scan(24, |end, n| {
            *end += if n == 0 { 0 } else { 16 + n };
            Some(*end)
        })
        .collect()
}

#[test]
fn a_pcap_cut_off_anywhere_gives_its_whole_packets_and_one_warning() {
    let bytes = small_pcap(6);
    let all = packets(&bytes);
    let ends = pcap_ends(6);
    assert_eq!(ends.last(), Some(&bytes.len()));
    for len in ends[0]..bytes.len() {
        let (packets, warning) = read(&bytes[..len]).unwrap();
        let whole = ends.iter().filter(|end| **end <= len).count() - 1;
        assert_eq!(packets, all[..whole], "{len} bytes");
        match warning {
            None => assert_eq!(len, ends[whole], "a cut between packets is an end"),
            Some(warning) => {
                assert_eq!(warning.offset, ends[whole] as u64, "{len} bytes");
                assert_eq!(warning.reason, StopReason::CutOff { end: len as u64 });
                assert!(len > ends[whole]);
            }
        }
    }
}

#[test]
fn a_pcapng_cut_off_anywhere_gives_its_whole_packets_and_one_warning() {
    let bytes = small_pcapng(6);
    let all = packets(&bytes);
    // Section, interface, then a foreign block and a packet each time.
    let mut ends = vec![28, 48];
    for n in 1..=6_usize {
        ends.push(ends[ends.len() - 1] + 16);
        ends.push(ends[ends.len() - 1] + 32 + n.next_multiple_of(4));
    }
    assert_eq!(ends.last(), Some(&bytes.len()));
    for len in ends[0]..=bytes.len() {
        let (packets, warning) = read(&bytes[..len]).unwrap();
        let blocks = ends.iter().filter(|end| **end <= len).count();
        assert_eq!(packets, all[..blocks.saturating_sub(2) / 2], "{len} bytes");
        let begun = ends[blocks - 1];
        assert_eq!(warning.is_some(), len > begun, "{len} bytes");
        if let Some(warning) = warning {
            assert_eq!(
                (warning.offset, warning.reason),
                (begun as u64, StopReason::CutOff { end: len as u64 })
            );
        }
    }
}

#[test]
fn a_capture_cut_off_in_its_header_is_one_error() {
    for (bytes, header) in [(small_pcap(1), 24), (small_pcapng(1), 28)] {
        for len in 1..header {
            let error = read(&bytes[..len]).unwrap_err();
            match len {
                1..4 => assert!(matches!(error, ReadError::NotACapture { .. }), "{len}: {error}"),
                _ => assert!(
                    matches!(error, ReadError::HeaderCutOff { have } if have == len as u64),
                    "{len}: {error}"
                ),
            }
        }
    }
}

#[test]
fn an_empty_file_is_one_error() {
    assert!(matches!(read(b"").unwrap_err(), ReadError::Empty));
}

#[test]
fn another_format_is_one_error_that_shows_its_first_bytes() {
    let error = read(b"{\"not\": \"a capture\"}").unwrap_err().to_string();
    assert!(error.contains("7b 22 6e 6f 74 22 3a 20"), "{error}");
    let error = read(b"\xfd7zXZ\0\0\0\0").unwrap_err().to_string();
    assert!(error.contains("xz -d"), "{error}");
    // The type of a section header without its byte-order mark.
    assert!(matches!(
        read(b"\n\r\r\n some text of several lines").unwrap_err(),
        ReadError::NotACapture { .. }
    ));
}

#[test]
fn a_section_header_that_contradicts_itself_is_one_error() {
    let mut bytes = small_pcapng(1);
    bytes[27] ^= 1;
    assert!(matches!(read(&bytes).unwrap_err(), ReadError::DamagedHeader { .. }));
    let mut bytes = small_pcapng(1);
    bytes[7] = 20;
    assert!(matches!(read(&bytes).unwrap_err(), ReadError::DamagedHeader { .. }));
}

#[test]
fn packets_before_an_implausible_length_are_read() {
    let good = small_pcap(3);
    for length in [262_145, u32::MAX] {
        let header = Build::new(ByteOrder::Little).raw(&good).u32(9).u32(9).u32(length).u32(64);
        let (packets, warning) = warned(&header.raw(&[0; 4096]).bytes);
        assert_eq!(packets.len(), 3);
        assert_eq!(warning.offset, good.len() as u64);
        assert_eq!(warning.reason, StopReason::PacketTooLong { length, limit: 262_144 });
        assert!(warning.to_string().contains(&format!("byte {}", good.len())), "{warning}");
    }
}

#[test]
fn packets_before_a_damaged_block_are_read() {
    let good = small_pcapng(3);
    let block = |block_type: u32, length: u32, trailer: u32| {
        Build::new(ByteOrder::Big).u32(block_type).u32(length).raw(&[0; 24]).u32(trailer).raw(&[0; 64]).bytes
    };
    let cases = [
        (block(6, 37, 37), StopReason::BlockLength { block_type: 6, length: 37 }),
        (block(6, 28, 28), StopReason::BlockLength { block_type: 6, length: 28 }),
        (block(6, u32::MAX - 3, 0), StopReason::BlockLength { block_type: 6, length: u32::MAX - 3 }),
        (block(6, 36, 32), StopReason::BlockLengthsDiffer { first: 36, last: 32 }),
        (block(1, 16, 16), StopReason::BlockLength { block_type: 1, length: 16 }),
        (block(3, 12, 12), StopReason::BlockLength { block_type: 3, length: 12 }),
        (block(77, 8, 8), StopReason::BlockLength { block_type: 77, length: 8 }),
        (block(77, 0, 0), StopReason::BlockLength { block_type: 77, length: 0 }),
        (block(77, 36, 40), StopReason::BlockLengthsDiffer { first: 36, last: 40 }),
        (block(0x0a0d_0d0a, 36, 36), StopReason::SectionHeader),
    ];
    for (damaged, reason) in cases {
        let (packets, warning) = warned(&[good.as_slice(), &damaged].concat());
        assert_eq!((packets.len(), warning.offset), (3, good.len() as u64), "{reason:?}");
        assert_eq!(warning.reason, reason);
    }
}

#[test]
fn a_packet_longer_than_its_block_is_damage() {
    let good = small_pcapng(3);
    let packet = |captured: u32| {
        let build = Build::new(ByteOrder::Big).raw(&good);
        build.block(6, |body| body.u32(0).u32(0).u32(1).u32(captured).u32(captured).raw(b"1234")).bytes
    };
    assert_eq!(packets(&packet(4)).len(), 4);
    for length in [5, 262_144] {
        assert_eq!(warned(&packet(length)).1.reason, StopReason::PacketBeyondBlock { length, room: 4 });
    }
    let reason = StopReason::PacketTooLong { length: u32::MAX, limit: 262_144 };
    assert_eq!(warned(&packet(u32::MAX)).1.reason, reason);
}

#[test]
fn an_interface_whose_clock_cannot_be_read_is_damage() {
    let build = |options: fn(Build) -> Build| {
        Build::new(ByteOrder::Little).section().interface(1, 0, options).enhanced(0, 1, b"x").bytes
    };
    for options in
        [|o: Build| o.u16(2).u16(400), |o: Build| o.option(9, b"99"), |o: Build| o.option(14, b"1234")]
    {
        let (packets, warning) = warned(&build(options));
        assert_eq!((packets.len(), warning.offset), (0, 28));
        assert_eq!(warning.reason, StopReason::InterfaceOptions);
    }
}

#[test]
fn endless_interfaces_do_not_fill_the_memory() {
    let one = Build::new(ByteOrder::Little).ethernet().bytes;
    let bytes = [Build::new(ByteOrder::Little).section().bytes, one.repeat(70_000)].concat();
    let (_, warning) = warned(&bytes);
    assert_eq!(warning.reason, StopReason::TooManyInterfaces { limit: 65_536 });
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic_and_never_lose_what_came_before(
        flips in prop::collection::vec((0_usize..400, any::<u8>()), 1..6),
        pcapng: bool,
    ) {
        let mut bytes = if pcapng { small_pcapng(8) } else { small_pcap(12) };
        let all = packets(&bytes);
        let header = if pcapng { 48 } else { 24 };
        let mut first = bytes.len();
        for (place, value) in flips {
            let place = header + place % (bytes.len() - header);
            bytes[place] = value;
            first = first.min(place);
        }
        // A flip can make a section header of another version, which is an error.
        if let Ok((packets, _)) = read(&bytes) {
            let untouched = read(&bytes[..first]).unwrap().0.len();
            prop_assert_eq!(&packets[..untouched], &all[..untouched]);
        }
    }

    #[test]
    fn random_bytes_behind_a_header_never_panic(
        noise in prop::collection::vec(any::<u8>(), 0..600),
        pcapng: bool,
    ) {
        let header = if pcapng { small_pcapng(0) } else { small_pcap(0) };
        let _ = read(&[header, noise].concat());
    }

    #[test]
    fn random_bytes_never_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&noise);
    }

    #[test]
    fn random_blocks_never_panic(
        blocks in prop::collection::vec((0_u32..8, prop::collection::vec(any::<u8>(), 0..60)), 0..20),
    ) {
        let header = Build::new(ByteOrder::Little).section().ethernet();
        let bytes = blocks.into_iter().fold(header, |build, (kind, body)| build.block(kind, |b| b.raw(&body))).bytes;
        let _ = read(&bytes);
    }
}
