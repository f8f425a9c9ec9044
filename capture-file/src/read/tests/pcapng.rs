//! The block format's sections, interfaces, clocks and packet blocks.

use super::build::{BOTH_ORDERS, Build, small_pcap, small_pcapng};
use super::{packets, read, warned};
use crate::read::byte_order::ByteOrder;
use crate::read::{ReadError, StopReason};

fn times(bytes: &[u8]) -> Vec<u64> {
    packets(bytes).iter().map(|packet| packet.timestamp_ns).collect()
}

#[test]
fn the_same_packets_read_the_same_from_either_container() {
    assert_eq!(packets(&small_pcapng(9)), packets(&small_pcap(9)));
}

#[test]
fn packets_are_read_in_both_byte_orders() {
    for order in BOTH_ORDERS {
        let bytes = Build::new(order)
            .section()
            .interface(101, 0, |options| options.tsresol(9).raw(&[0; 4]))
            .enhanced(0, 1_700_000_000_123_456_789, b"12345")
            .bytes;
        let packet = &packets(&bytes)[0];
        assert_eq!(packet.timestamp_ns, 1_700_000_000_123_456_789, "{order:?}");
        assert_eq!(
            (packet.data.as_slice(), packet.wire_len, packet.link_type),
            (b"12345".as_slice(), 5, 101)
        );
    }
}

#[test]
fn each_section_has_its_own_byte_order_and_interfaces() {
    let first = Build::new(ByteOrder::Little)
        .section()
        .interface(1, 0, |options| options)
        .enhanced(0, 1, b"one")
        .bytes;
    let second = Build::new(ByteOrder::Big)
        .section_of(1, 2, 4096)
        .interface(113, 0, |options| options.tsresol(0))
        .interface(228, 0, |options| options.tsresol(3))
        .enhanced(1, 2, b"two")
        .enhanced(0, 3, b"three")
        .bytes;
    let read = packets(&[first, second].concat());
    let seen = read.iter().map(|p| (p.timestamp_ns, p.link_type, p.interface)).collect::<Vec<_>>();
    assert_eq!(seen, [(1_000, 1, 0), (2_000_000, 228, 1), (3_000_000_000, 113, 0)]);
}

#[test]
fn an_interface_of_the_section_before_is_unknown() {
    let first = Build::new(ByteOrder::Little).section().ethernet().enhanced(0, 1, b"one").bytes;
    let bytes = Build::new(ByteOrder::Little).raw(&first).section().enhanced(0, 2, b"two").bytes;
    let (packets, warning) = warned(&bytes);
    assert_eq!(packets.len(), 1);
    assert_eq!(warning.offset, first.len() as u64 + 28);
    assert_eq!(warning.reason, StopReason::UnknownInterface { interface: 0, known: 0 });
}

#[test]
fn resolutions_of_ten_and_two_give_nanoseconds() {
    let at = |tsresol: u8, ticks: u64| {
        let build = Build::new(ByteOrder::Big).section().interface(1, 0, |options| options.tsresol(tsresol));
        times(&build.enhanced(0, ticks, b"x").bytes)[0]
    };
    assert_eq!(at(0, 3), 3_000_000_000);
    assert_eq!(at(3, 3), 3_000_000);
    assert_eq!(at(9, 3), 3);
    assert_eq!(at(12, 3_999), 3);
    assert_eq!(at(0x80, 3), 3_000_000_000);
    assert_eq!(at(0x80 | 20, 3 << 19), 1_500_000_000);
    assert_eq!(at(0x80 | 63, u64::MAX), 1_999_999_999);
    assert_eq!(at(6, u64::MAX), u64::MAX);
}

#[test]
fn the_default_resolution_is_a_microsecond() {
    assert_eq!(
        times(&Build::new(ByteOrder::Little).section().ethernet().enhanced(0, 3, b"x").bytes),
        [3_000]
    );
}

#[test]
fn an_interfaces_offset_is_added_in_seconds() {
    let at = |offset: i64| {
        let build = Build::new(ByteOrder::Big)
            .section()
            .interface(1, 0, |options| options.option(2, b"eth0").tsoffset(offset).tsresol(9).option(0, b""));
        times(&build.enhanced(0, 1_500_000_000, b"x").bytes)[0]
    };
    assert_eq!(at(1_700_000_000), 1_700_000_001_500_000_000);
    assert_eq!(at(-1), 500_000_000);
    assert_eq!(at(-2), 0, "before 1970");
    assert_eq!(at(i64::MAX), u64::MAX);
    assert_eq!(at(i64::MIN), 0);
}

#[test]
fn a_simple_packet_has_the_time_of_the_one_before() {
    let bytes = Build::new(ByteOrder::Little)
        .section()
        .ethernet()
        .simple(4, b"1234")
        .enhanced(0, 7, b"x")
        .simple(4, b"5678")
        .bytes;
    let seen = packets(&bytes).iter().map(|p| (p.timestamp_ns, p.has_timestamp)).collect::<Vec<_>>();
    assert_eq!(seen, [(0, false), (7_000, true), (7_000, false)]);
}

#[test]
fn a_simple_packet_is_as_long_as_its_block_and_the_snapshot_length_allow() {
    let read = |snap_len: u32, original: u32, data: &[u8]| {
        let build = Build::new(ByteOrder::Big).section().interface(1, snap_len, |options| options);
        let packet = packets(&build.simple(original, data).bytes).remove(0);
        (packet.data.len(), packet.wire_len)
    };
    assert_eq!(read(0, 5, b"12345"), (5, 5), "padding is no data");
    assert_eq!(read(5, 60, b"12345"), (5, 60));
    assert_eq!(read(0, 60, b"12345678"), (8, 60), "the block is shorter than the snapshot length");
    assert_eq!(read(6, 3, b"123"), (3, 3));
    assert_eq!(read(0, 0, b""), (0, 0));
}

#[test]
fn a_simple_packet_without_an_interface_is_damage() {
    let (packets, warning) = warned(&Build::new(ByteOrder::Big).section().simple(4, b"1234").bytes);
    assert_eq!((packets.len(), warning.offset), (0, 28));
}

#[test]
fn the_obsolete_packet_block_is_read() {
    for order in BOTH_ORDERS {
        let build = Build::new(order).section().ethernet().interface(228, 0, |options| options.tsresol(9));
        let bytes = build
            .block(2, |body| {
                body.u16(1)
                    .u16(999)
                    .u32(0)
                    .u32(77)
                    .u32(3)
                    .u32(60)
                    .raw(b"abc")
                    .raw(&[0])
                    .option(2, b"\0\0\0\0")
            })
            .bytes;
        let packet = &packets(&bytes)[0];
        assert_eq!((packet.timestamp_ns, packet.link_type, packet.interface), (77, 228, 1), "{order:?}");
        assert_eq!((packet.data.as_slice(), packet.wire_len), (b"abc".as_slice(), 60));
    }
}

#[test]
fn packet_options_are_not_part_of_the_data() {
    let build = Build::new(ByteOrder::Little).section().ethernet();
    let bytes = build
        .block(6, |body| {
            body.u32(0).u32(0).u32(1).u32(3).u32(3).raw(b"abc\0").option(1, b"a comment").option(0, b"")
        })
        .enhanced(0, 2, b"next")
        .bytes;
    let data = packets(&bytes).into_iter().map(|packet| packet.data).collect::<Vec<_>>();
    assert_eq!(data, [b"abc".to_vec(), b"next".to_vec()]);
}

#[test]
fn blocks_of_other_types_are_skipped_whatever_their_size() {
    let long = vec![0xff; 600_000];
    let bytes = Build::new(ByteOrder::Big)
        .section()
        .block(5, |body| body.raw(b"statistics!!"))
        .ethernet()
        .block(0x0bad_0bad, |body| body)
        .block(0x8000_0001, |body| body.raw(&long))
        .enhanced(0, 1, b"x")
        .block(4, |body| body.raw(b"names"))
        .bytes;
    assert_eq!(packets(&bytes).len(), 1);
}

#[test]
fn another_version_is_an_error_that_names_it() {
    for (major, minor) in [(0, 0), (1, 1), (1, 3), (2, 0)] {
        let bytes = Build::new(ByteOrder::Big).section_of(major, minor, 0).bytes;
        let error = read(&bytes).unwrap_err();
        assert!(error.to_string().contains(&format!("pcapng version {major}.{minor} at byte 0")), "{error}");
    }
}

#[test]
fn another_version_in_a_later_section_is_an_error_too() {
    let first = Build::new(ByteOrder::Little).section().ethernet().enhanced(0, 1, b"one").bytes;
    let bytes = Build::new(ByteOrder::Big).raw(&first).section_of(2, 0, 0).bytes;
    let error = read(&bytes).unwrap_err();
    let at = first.len() as u64;
    assert!(
        matches!(error, ReadError::UnsupportedVersion { major: 2, offset, .. } if offset == at),
        "{error}"
    );
}
