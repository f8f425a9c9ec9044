//! The classic format's variants.

use super::build::{BOTH_ORDERS, Build, small_pcap};
use super::{Packet, packets, read};
use crate::read::{Capture, Container, ReadError};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const KUZNETZOV: u32 = 0xa1b2_cd34;

fn packet(timestamp_ns: u64, data: &[u8], link_type: u16) -> Packet {
    let wire_len = data.len() as u32;
    Packet { timestamp_ns, has_timestamp: true, data: data.to_vec(), wire_len, link_type, interface: 0 }
}

#[test]
fn both_units_are_read_in_both_byte_orders() {
    for order in BOTH_ORDERS {
        for (magic, unit_ns) in [(MICROSECONDS, 1000), (NANOSECONDS, 1)] {
            let bytes = Build::new(order)
                .pcap_header(magic, (2, 4), 1)
                .pcap_packet(1_700_000_000, 123_456, b"one")
                .pcap_packet(u32::MAX, 7, b"")
                .bytes;
            let expected = [
                packet(1_700_000_000_000_000_000 + 123_456 * unit_ns, b"one", 1),
                packet(u64::from(u32::MAX) * 1_000_000_000 + 7 * unit_ns, b"", 1),
            ];
            assert_eq!(packets(&bytes), expected, "{order:?} {magic:#x}");
        }
    }
}

#[test]
fn kuznetzovs_longer_packet_headers_are_passed_over() {
    for order in BOTH_ORDERS {
        let mut build = Build::new(order).pcap_header(KUZNETZOV, (2, 4), 113);
        for seconds in [1, 2] {
            build = build.u32(seconds).u32(5).u32(4).u32(60).u32(3).u16(0x0800).raw(&[0, 0]).raw(b"data");
        }
        let expected = [1, 2]
            .map(|seconds| Packet { wire_len: 60, ..packet(seconds * 1_000_000_000 + 5_000, b"data", 113) });
        assert_eq!(packets(&build.bytes), expected, "{order:?}");
    }
}

#[test]
fn a_fraction_of_more_than_a_second_is_carried() {
    let bytes = Build::new(BOTH_ORDERS[0])
        .pcap_header(MICROSECONDS, (2, 4), 1)
        .pcap_packet(10, 1_500_000, b"x")
        .pcap_packet(u32::MAX, u32::MAX, b"x")
        .bytes;
    let times = packets(&bytes).iter().map(|packet| packet.timestamp_ns).collect::<Vec<_>>();
    assert_eq!(times, [11_500_000_000, u64::from(u32::MAX) * 1_000_001_000]);
}

#[test]
fn the_link_type_is_the_lower_half_of_its_field() {
    // Ethernet with a frame check sequence of four bytes, counted in units of two.
    let bytes = Build::new(BOTH_ORDERS[1])
        .pcap_header(MICROSECONDS, (2, 4), 0x2400_0001)
        .pcap_packet(1, 0, b"x")
        .bytes;
    assert_eq!(packets(&bytes)[0].link_type, 1);
    let bytes =
        Build::new(BOTH_ORDERS[1]).pcap_header(MICROSECONDS, (2, 4), 276).pcap_packet(1, 0, b"x").bytes;
    assert_eq!(packets(&bytes)[0].link_type, 276);
}

#[test]
fn reserved_link_type_bits_are_an_error() {
    for bit in 16..26 {
        let bytes = Build::new(BOTH_ORDERS[0]).pcap_header(MICROSECONDS, (2, 4), 1 | 1 << bit).bytes;
        let error = read(&bytes).unwrap_err();
        assert!(
            matches!(error, ReadError::ReservedLinkTypeBits { field } if field == 1 | 1 << bit),
            "{error}"
        );
    }
}

#[test]
fn another_major_version_is_an_error_that_names_it() {
    for major in [0, 1, 3, 543] {
        let bytes =
            Build::new(BOTH_ORDERS[1]).pcap_header(MICROSECONDS, (major, 4), 1).pcap_packet(1, 0, b"x").bytes;
        let error = read(&bytes).unwrap_err();
        assert!(
            matches!(error, ReadError::UnsupportedVersion { container: "pcap", offset: 0, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("version {major}.4")), "{error}");
    }
}

#[test]
fn versions_before_2_4_have_their_lengths_in_reverse_order() {
    for (minor, first, second) in [(2, 60, 4), (3, 60, 4), (3, 4, 60), (4, 4, 60)] {
        let bytes = Build::new(BOTH_ORDERS[0])
            .pcap_header(MICROSECONDS, (2, minor), 1)
            .u32(1)
            .u32(0)
            .u32(first)
            .u32(second)
            .raw(b"data")
            .bytes;
        let packet = &packets(&bytes)[0];
        assert_eq!((packet.data.as_slice(), packet.wire_len), (b"data".as_slice(), 60), "2.{minor}");
    }
}

#[test]
fn the_wire_length_is_never_less_than_the_captured_length() {
    let bytes = Build::new(BOTH_ORDERS[0])
        .pcap_header(MICROSECONDS, (2, 4), 1)
        .u32(1)
        .u32(0)
        .u32(4)
        .u32(2)
        .raw(b"data")
        .bytes;
    assert_eq!(packets(&bytes)[0].wire_len, 4);
}

#[test]
fn a_capture_of_no_packets_is_whole() {
    assert_eq!(packets(&small_pcap(0)), []);
}

#[test]
fn usb_transfers_may_be_longer_than_any_network_packet() {
    let data = vec![7; 300_000];
    let header = |link_type| Build::new(BOTH_ORDERS[0]).pcap_header(MICROSECONDS, (2, 4), link_type);
    assert_eq!(packets(&header(220).pcap_packet(1, 0, &data).bytes)[0].data, data);
    let (packets, warning) = read(&header(1).pcap_packet(1, 0, &data).bytes).unwrap();
    assert_eq!(packets, []);
    assert_eq!(warning.unwrap().offset, 24);
}

#[test]
fn a_capture_reports_its_container() {
    let capture = Capture::from_reader(std::io::Cursor::new(small_pcap(1))).unwrap();
    assert_eq!((capture.container(), capture.compression()), (Container::Pcap, None));
}
