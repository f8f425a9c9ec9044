//! The class of packets, in small captures.

use std::path::PathBuf;

use etherparse::PacketBuilder;
use serde_json::{Value, json};

use crate::captures::pcap;
use crate::shell::Shell;
use crate::support::Served;

const START_NS: u64 = 1_700_000_000_000_000_000;

/// The summary of a capture in `captures/faults`.
fn summary(name: &str) -> Value {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../captures/faults")).join(name);
    let run = Shell::new().run(&["--summary", path.to_str().unwrap()]);
    assert_eq!(run.stderr, "", "{name}");
    run.document("1m")
}

fn numbers<const N: usize>(of: &Value, keys: [&str; N]) -> [u64; N] {
    keys.map(|key| of[key].as_u64().unwrap_or_else(|| panic!("no {key} in {of}")))
}

#[test]
fn ipv6_fragments_that_begin_with_destination_options_are_reassembled() {
    for (name, fragments) in [("v6frag-dstopts.pcap", 2), ("v6f-dst3.pcap", 3)] {
        let period = summary(name);
        assert_eq!(numbers(&period["dns"]["wire_packets"], ["total", "queries", "udp", "ipv6"]), [1; 4]);
        let reassembly = &period["dns"]["reassembly"];
        let keys = ["datagrams_reassembled", "datagrams_incomplete", "datagrams_unidentified"];
        assert_eq!(numbers(reassembly, keys), [1, 0, 0], "{name}");
        // Later fragments count by the protocol number of their header.
        let packets = numbers(&period["packets"], ["total", "fragments", "udp", "other_l4"]);
        assert_eq!(packets, [fragments, fragments, 1, fragments - 1], "{name}");
    }
}

#[test]
fn a_truncated_ipv4_header_of_a_fragment_counts_as_a_fragment() {
    let period = summary("ihl-beyond-the-frame-mf.pcap");
    let keys = ["total", "ipv4", "other_l4", "malformed", "fragments", "udp"];
    assert_eq!(numbers(&period["packets"], keys), [1, 1, 1, 1, 1, 0]);
    assert_eq!(numbers(&period["dns"]["reassembly"], ["fragments_malformed"]), [0]);
}

#[test]
fn names_are_escaped_as_in_zone_files() {
    let period = summary("presentation.pcap");
    let names: Vec<_> = period["dns"]["top_qname2"].as_array().unwrap().iter().map(|e| &e["name"]).collect();
    assert_eq!(names, [r"*/_.com", r#"\127\255\"'.com"#, r"a\032b\;c\(d\)\@\$.com"]);
}

#[test]
fn packets_inside_provider_and_port_extender_tags_count() {
    for name in ["eth-8021ah-88e7.pcap", "eth-etag-893f.pcap"] {
        let period = summary(name);
        assert_eq!(numbers(&period["packets"], ["total", "ipv4", "udp", "non_ip"]), [2, 2, 2, 0], "{name}");
        assert_eq!(numbers(&period["dns"]["wire_packets"], ["queries", "replies"]), [1, 1]);
        assert_eq!(numbers(&period["dns"]["xact"]["counts"], ["total", "orphans"]), [1, 0]);
    }
}

/// Frames without a payload.
fn frames(ethertypes: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let frame = |ethertype: u16| [&[2; 12], &ethertype.to_be_bytes()[..], &[0; 46]].concat();
    pcap(1, ethertypes.into_iter().map(|ethertype| (START_NS, frame(ethertype))))
}

#[test]
fn the_agent_warns_once_of_an_unknown_ethertype_with_its_share() {
    let shell =
        Shell::with("t.pcap", &frames([0x88e5, 0x0806, 0x88e5, 0x88cc, 0x8100, 0x88e7, 0x22f3, 0x0027]));
    let macsec = "EtherType 0x88e5 is not supported: 2 of 8 packets (25.0 %) with it count as non-IP";
    let trill = "EtherType 0x22f3 is not supported: 1 of 8 packets (12.5 %) with it count as non-IP";
    let run = shell.run(&["--summary", "t.pcap"]);
    assert_eq!(numbers(&run.document("1m")["packets"], ["total", "non_ip"]), [8, 8]);
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stderr);
    assert!(lines[0].ends_with(macsec) && lines[1].ends_with(trill), "{}", run.stderr);

    let path = shell.path().join("t.pcap");
    let mut served = Served::start(&[path.to_str().unwrap()]);
    served.line();
    let notes = served.json("/api/v1/metrics/app")["app"]["capture"]["notes"].take();
    assert_eq!(notes, json!([macsec, trill]));
    served.stop("TERM");
}

#[test]
fn all_possible_ethertypes_give_a_bounded_number_of_warnings() {
    let shell = Shell::with("t.pcap", &frames(0x0600..=u16::MAX));
    let run = shell.run(&["--summary", "t.pcap"]);
    let period = run.document("1m");
    let [total, ipv4, ipv6, non_ip] = numbers(&period["packets"], ["total", "ipv4", "ipv6", "non_ip"]);
    assert_eq!((total, ipv4, ipv6, non_ip), (0x1_0000 - 0x0600, 1, 1, total - 2));
    assert_eq!(run.stderr.lines().count(), 17, "{}", run.stderr);
}

/// The block type of a packet in a capture.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Block {
    /// Without a time stamp.
    Simple,
    Enhanced,
}

/// A pcapng capture of Ethernet frames, a millisecond apart.
fn pcapng(packets: &[(Block, Vec<u8>)]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let len = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes(), &len, body, &len].concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut bytes = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    bytes.extend(block(1, &words(&[1, 0])));
    for (at_us, (kind, packet)) in (START_NS / 1000..).step_by(1000).zip(packets) {
        let len = packet.len() as u32;
        let mut data = packet.clone();
        data.resize(packet.len().next_multiple_of(4), 0);
        bytes.extend(match kind {
            Block::Simple => block(3, &[words(&[len]), data].concat()),
            Block::Enhanced => {
                block(6, &[words(&[0, (at_us >> 32) as u32, at_us as u32, len, len]), data].concat())
            }
        });
    }
    bytes
}

/// A query of the host 192.0.2.1 and its response, as datagrams or as segments of a connection.
fn pair(is_tcp: bool) -> [Vec<u8>; 2] {
    [
        (false, [192, 0, 2, 1], [198, 51, 100, 53], 40_000, 53),
        (true, [198, 51, 100, 53], [192, 0, 2, 1], 53, 40_000),
    ]
    .map(|(is_response, source, destination, source_port, destination_port)| {
        let flags = if is_response { 0x80 } else { 0x01 };
        let message =
            [&[0, 7, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x03www\x02de\0\0\x01\0\x01"].concat();
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(source, destination, 64);
        let mut packet = Vec::new();
        if is_tcp {
            let prefixed = [&[0, message.len() as u8], &message[..]].concat();
            builder.tcp(source_port, destination_port, 1, 999).write(&mut packet, &prefixed).unwrap();
        } else {
            builder.udp(source_port, destination_port).write(&mut packet, &message).unwrap();
        }
        packet
    })
}

#[test]
fn a_pair_without_time_stamps_is_a_transaction_without_direction_or_time() {
    use Block::{Enhanced, Simple};
    for is_tcp in [false, true] {
        for kinds in [[Simple, Simple], [Simple, Enhanced], [Enhanced, Simple], [Enhanced, Enhanced]] {
            let [query, response] = pair(is_tcp);
            let bytes = pcapng(&[(kinds[0], query), (kinds[1], response)]);
            let shell = Shell::with("t.pcapng", &bytes);
            let xact =
                shell.run(&["--summary", "-H", "192.0.2.1", "t.pcapng"]).document("1m")["dns"]["xact"].take();
            let is_timed = kinds == [Enhanced, Enhanced];
            // A query without a time stamp at the start of a capture is of 1970, so that its
            // response is far too late.
            let is_in_time = kinds != [Simple, Enhanced];
            assert_eq!(numbers(&xact["counts"], ["total"]), [u64::from(is_in_time)], "{kinds:?}");
            assert_eq!(numbers(&xact["out"], ["total"]), [u64::from(is_timed)], "{kinds:?}");
            assert_eq!(xact["out"].get("quantiles_us").is_some(), is_timed, "{kinds:?}");
            assert_eq!(numbers(&xact["in"], ["total"]), [0]);
            assert_eq!(numbers(&xact["counts"], ["negative_times"]), [0]);
        }
        // A packet without a time stamp uses the last one seen.
        let [query, response] = pair(is_tcp);
        let bytes = pcapng(&[(Enhanced, vec![0; 60]), (Simple, query), (Enhanced, response)]);
        let shell = Shell::with("t.pcapng", &bytes);
        let xact =
            shell.run(&["--summary", "-H", "192.0.2.1", "t.pcapng"]).document("1m")["dns"]["xact"].take();
        assert_eq!(numbers(&xact["counts"], ["total"]), [1]);
        assert_eq!((numbers(&xact["out"], ["total"]), xact["out"].get("quantiles_us")), ([0], None));
    }
}
