//! Packets of files pass as they do with `tcpdump -r`, on files from any system.

use std::fs;
use std::path::Path;
use std::process::Command;

use capture_file::{ByteOrder, Capture};
use pktvisor_common::classify::LinkType;

use crate::{Endian, Filter};
use pktvisor_common::packet::{Packet, Stamp};

const ORDERS: [Endian; 2] = [Endian::Little, Endian::Big];
const EXPRESSIONS: [&str; 12] = [
    "port 53",
    "not port 53",
    "ip",
    "ip6",
    "not ip6",
    "udp",
    "ip6 and udp port 53",
    "host 192.0.2.1",
    "net 2001:db8::/32",
    "greater 60",
    "inbound",
    "ifindex 2",
];

/// UDP to port 53 or 54.
fn ip(version: u8, port: u16) -> Vec<u8> {
    let mut packet = match version {
        4 => [&[0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2][..]].concat(),
        _ => {
            let address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            [&[0x60, 0, 0, 0, 0, 12, 17, 64][..], &address, &address].concat()
        }
    };
    packet.extend([0x80, 0]);
    packet.extend(port.to_be_bytes());
    packet.extend([0, 12, 0, 0, 1, 2, 3, 4]);
    packet
}

fn number(order: Endian, number: u32) -> [u8; 4] {
    match order {
        Endian::Little => number.to_le_bytes(),
        Endian::Big => number.to_be_bytes(),
    }
}

/// Packets of a link type, IPv6 with the number that each system has for it.
fn packets(link_type: u16, order: Endian) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for (version, family) in [(4, 2), (6, 10), (6, 24), (6, 28), (6, 30)] {
        for port in [53, 54] {
            let ether_type: [u8; 2] = if version == 4 { [8, 0] } else { [0x86, 0xdd] };
            let header = match link_type {
                0 => number(order, family).to_vec(),
                108 => number(Endian::Big, family).to_vec(),
                1 => [&[2; 12][..], &ether_type].concat(),
                9 => vec![0xff, 3, 0, if version == 4 { 0x21 } else { 0x57 }],
                113 => [&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0][..], &ether_type].concat(),
                276 => [&ether_type[..], &[0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 2, 2, 2, 2, 2, 0, 0]].concat(),
                // Length, family, action, reason; the direction stands at 60.
                117 => [&[61, family as u8][..], &[0; 58], &[1, 0, 0, 0]].concat(),
                _ => Vec::new(),
            };
            packets.push([header, ip(version, port)].concat());
        }
    }
    packets
}

fn file(link_type: u16, order: Endian, packets: &[Vec<u8>]) -> Vec<u8> {
    let version = if order == Endian::Little { 4 << 16 | 2 } else { 2 << 16 | 4 };
    let header = [0xa1b2_c3d4, version, 0, 0, 65_535, u32::from(link_type)];
    let mut bytes: Vec<u8> = header.iter().flat_map(|field| number(order, *field)).collect();
    for packet in packets {
        let len = packet.len() as u32;
        bytes.extend([1, 2, len, len].iter().flat_map(|field| number(order, *field)));
        bytes.extend(packet);
    }
    bytes
}

/// A section of pcapng with one interface.
fn section(link_type: u16, order: Endian, packets: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let len = number(order, body.len() as u32 + 12);
        [&number(order, kind)[..], &len, body, &len].concat()
    };
    let version = if order == Endian::Little { 1 } else { 1 << 16 };
    let mut bytes =
        block(0x0a0d_0d0a, &[0x1a2b_3c4d, version, u32::MAX, u32::MAX].map(|f| number(order, f)).concat());
    let link = if order == Endian::Little { u32::from(link_type) } else { u32::from(link_type) << 16 };
    bytes.extend(block(1, &[link, 0].map(|field| number(order, field)).concat()));
    for packet in packets {
        let len = packet.len() as u32;
        let mut body = [0, 0, 1, len, len].map(|field| number(order, field)).concat();
        body.extend(packet);
        body.resize(body.len().next_multiple_of(4), 0);
        bytes.extend(block(6, &body));
    }
    bytes
}

/// How many packets pass; `None` if the expression does not compile.
fn ours(path: &Path, expression: &str) -> Option<usize> {
    let mut filter = Filter::for_files(expression);
    let mut capture = Capture::open(path).unwrap();
    let mut passed = 0;
    while let Some(read) = capture.next_packet().unwrap() {
        filter.set_endian(if read.byte_order == ByteOrder::Little { Endian::Little } else { Endian::Big });
        let (data, link_type) = (read.data, LinkType(read.link_type));
        let packet = Packet {
            timestamp_ns: 0,
            data,
            wire_len: read.wire_len,
            link_type,
            segments: 1,
            stamp: Stamp::Own,
        };
        passed += usize::from(filter.passes(&packet).ok()?);
    }
    Some(passed)
}

/// As [`ours`], of tcpdump.
fn tcpdump(path: &Path, expression: &str) -> Option<usize> {
    let output =
        Command::new("tcpdump").args(["-n", "--count", "-r"]).arg(path).arg(expression).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.split_whitespace().next().unwrap().parse().unwrap())
}

fn skipped() -> bool {
    let is_missing = Command::new("tcpdump").arg("--version").output().is_err();
    if is_missing {
        testbed::report_skipped("tcpdump is not installed");
    }
    is_missing
}

#[test]
fn packets_of_files_pass_as_with_tcpdump() {
    if skipped() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.pcap");
    for link_type in [0, 1, 9, 101, 108, 113, 117, 228, 229, 276] {
        for order in ORDERS {
            let packets = packets(link_type, order);
            for bytes in [file(link_type, order, &packets), section(link_type, order, &packets)] {
                fs::write(&path, bytes).unwrap();
                for expression in EXPRESSIONS {
                    let expected = tcpdump(&path, expression);
                    let what = format!("link type {link_type}, {order:?}, {expression}");
                    assert_eq!(ours(&path, expression), expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn each_section_is_filtered_in_its_own_byte_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.pcapng");
    let sections =
        [Endian::Big, Endian::Little, Endian::Big].map(|order| section(0, order, &packets(0, order)));
    fs::write(&path, sections.concat()).unwrap();
    assert_eq!(ours(&path, "ip"), Some(6));
    // Not those with the number of Linux, which no such file has.
    assert_eq!(ours(&path, "ip6 and port 53"), Some(9));
}

#[test]
fn the_given_examples_pass() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/faults"));
    for (name, expression, passed) in [
        ("null-le-af30.pcap", "port 53", 4),
        ("null-le-af30.pcap", "ip6", 2),
        ("null-le-af30.pcap", "not port 53", 0),
        ("null-be-file.pcap", "port 53", 4),
        ("null-be-file.pcap", "not port 53", 0),
    ] {
        assert_eq!(ours(&folder.join(name), expression), Some(passed), "{name}, {expression}");
    }
}
