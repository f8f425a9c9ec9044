//! Compressed captures read like plain ones, as far as they can be decompressed.

use std::io::{self, Read, Write};

use super::build::{small_pcap, small_pcapng};
use super::{packets, read, read_all, warned};
use crate::read::{Capture, Compression, ReadError, StopReason};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

type Compressor = fn(&[u8]) -> Vec<u8>;

const COMPRESSORS: [(Compression, Compressor); 2] = [(Compression::Gzip, gzip), (Compression::Zstd, zstd)];

/// Packets whose bytes do not compress, so that damage hits few of them.
fn noisy_pcap() -> Vec<u8> {
    let mut bytes = small_pcap(200);
    let mut state = 1_u32;
    let mut at = 24;
    for n in 1..=200 {
        for byte in &mut bytes[at + 16..at + 16 + n] {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        at += 16 + n;
    }
    bytes
}

#[test]
fn compressed_captures_read_like_plain_ones() {
    for plain in [small_pcap(50), small_pcapng(50), small_pcap(0)] {
        for (name, compress) in COMPRESSORS {
            assert_eq!(packets(&compress(&plain)), packets(&plain), "{name}");
        }
    }
}

#[test]
fn several_members_or_frames_are_one_capture() {
    let plain = small_pcapng(50);
    for (name, compress) in COMPRESSORS {
        let pieces = plain.chunks(1000).flat_map(compress).collect::<Vec<_>>();
        assert_eq!(packets(&pieces), packets(&plain), "{name}");
    }
}

#[test]
fn a_skippable_frame_may_come_first() {
    let plain = small_pcap(5);
    let bytes = [b"\x50\x2a\x4d\x18\x04\0\0\0abcd".as_slice(), &zstd(&plain)].concat();
    assert_eq!(packets(&bytes), packets(&plain));
}

#[test]
fn a_compressed_capture_cut_off_anywhere_gives_whole_packets_and_a_warning() {
    let plain = small_pcap(40);
    let all = packets(&plain);
    for (name, compress) in COMPRESSORS {
        let compressed = compress(&plain);
        for len in 4..compressed.len() {
            match read(&compressed[..len]) {
                Ok((packets, warning)) => {
                    assert_eq!(packets, all[..packets.len()], "{name}, {len} bytes");
                    let warning = warning.unwrap_or_else(|| panic!("{name}, {len} bytes: no warning"));
                    assert!(warning.decompressed);
                    assert!(matches!(warning.reason, StopReason::Compression { .. }), "{name}: {warning}");
                }
                Err(ReadError::Decompress { compression, .. }) => assert_eq!(compression, name),
                Err(error) => panic!("{name}, {len} bytes: {error}"),
            }
        }
    }
}

#[test]
fn most_packets_before_the_cut_of_a_compressed_capture_are_read() {
    let plain = noisy_pcap();
    let compressed = gzip(&plain);
    let (packets, warning) = warned(&compressed[..compressed.len() / 2]);
    assert!(packets.len() > 50, "{} packets", packets.len());
    let read = 24 + packets.iter().map(|packet| 16 + packet.data.len()).sum::<usize>();
    assert_eq!(warning.offset, read as u64);
}

#[test]
fn damaged_compressed_data_never_panics() {
    let plain = noisy_pcap();
    let all = packets(&plain);
    for (name, compress) in COMPRESSORS {
        let compressed = compress(&plain);
        for place in (4..compressed.len()).step_by(97) {
            let mut damaged = compressed.clone();
            damaged[place] ^= 0x55;
            if let Ok((packets, warning)) = read(&damaged) {
                assert!(packets.len() <= all.len());
                assert!(warning.is_some() || packets.len() == all.len(), "{name}, byte {place}");
            }
        }
    }
}

#[test]
fn a_wrong_checksum_is_a_warning_after_all_packets() {
    let plain = small_pcap(20);
    let mut compressed = gzip(&plain);
    let checksum = compressed.len() - 8;
    compressed[checksum] ^= 1;
    let (read, warning) = warned(&compressed);
    assert_eq!(read, packets(&plain));
    assert_eq!(warning.offset, plain.len() as u64);
}

#[test]
fn compressed_nothing_is_empty_and_compressed_junk_is_no_capture() {
    for (name, compress) in COMPRESSORS {
        assert!(matches!(read(&compress(b"")).unwrap_err(), ReadError::Empty), "{name}");
        assert!(
            matches!(read(&compress(b"hello, world")).unwrap_err(), ReadError::NotACapture { .. }),
            "{name}"
        );
        let twice = read(&compress(&gzip(&small_pcap(1)))).unwrap_err().to_string();
        assert!(twice.contains("twice"), "{name}: {twice}");
    }
}

#[test]
fn a_failing_device_below_a_decompressor_is_an_error_not_damage() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    for (name, compress) in COMPRESSORS {
        let compressed = compress(&noisy_pcap());
        let half = io::Cursor::new(compressed[..compressed.len() / 2].to_vec());
        let outcome = Capture::from_reader(half.chain(Failing)).and_then(read_all);
        let error = outcome.unwrap_err();
        assert!(matches!(error, ReadError::Io { .. }), "{name}: {error}");
        assert!(error.to_string().contains("on fire"), "{name}: {error}");
    }
}

#[test]
fn zero_padding_behind_compressed_data_is_ignored() {
    let plain = small_pcap(5);
    for (name, compress) in COMPRESSORS {
        for padding in [1, 3, 512, 200_000] {
            let padded = [compress(&plain), vec![0; padding]].concat();
            assert_eq!(packets(&padded), packets(&plain), "{name}, {padding} zeros");
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/faults/gzzeros.pcap.gz");
    let (read, warning) = read_all(Capture::open(path).unwrap()).unwrap();
    assert!(!read.is_empty() && warning.is_none(), "{warning:?}");
}

#[test]
fn uncompressed_data_behind_compressed_data_is_one_warning_after_all_packets() {
    let plain = small_pcap(5);
    for (name, compress) in COMPRESSORS {
        for garbage in [b"x".as_slice(), b"\x1f", b"garbage behind", b"\0\0\0x", &small_pcap(1)] {
            let (read, warning) = warned(&[compress(&plain), garbage.to_vec()].concat());
            assert_eq!(read, packets(&plain), "{name}");
            assert_eq!(warning.offset, plain.len() as u64);
            assert_eq!(warning.reason, StopReason::BehindCompression { compression: name });
        }
    }
}

#[test]
fn skippable_frames_may_come_anywhere_between_frames() {
    let plain = small_pcapng(50);
    let skippable = b"\x5f\x2a\x4d\x18\x05\0\0\0abcde".as_slice();
    let (first, second) = plain.split_at(1000);
    let bytes =
        [skippable, skippable, &zstd(first), skippable, &zstd(b""), &zstd(second), skippable].concat();
    assert_eq!(packets(&bytes), packets(&plain));
    assert_eq!(packets(&[bytes, vec![0; 9]].concat()), packets(&plain));
}
