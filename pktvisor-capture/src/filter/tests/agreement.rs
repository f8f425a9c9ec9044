//! The kernel decides as libpcap does: every expression of the list, on thousands of packets.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};

use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};

use super::list;
use super::packets::{self, Random};
use super::test_run::{self, FilterChain, Tag};
use crate::Filter;
use crate::filter::ProgramContext;

const XDP: ProgramContext = ProgramContext::Xdp { frags: false };
const XDP_FRAGS: ProgramContext = ProgramContext::Xdp { frags: true };

/// On how many packets each expression is tried; fewer where every instruction is emulated.
fn packet_count() -> usize {
    std::env::var("PKTVISOR_TEST_PACKETS").ok().and_then(|count| count.parse().ok()).unwrap_or(ENOUGH)
}

/// For nearly every expression packets are among so many that match it, and others.
const ENOUGH: usize = 2000;

/// libpcap's verdict.
fn expected(filter: &mut Filter, data: &[u8], link_type: LinkType) -> bool {
    let packet = Packet {
        timestamp_ns: 0,
        stamp: Stamp::Own,
        data,
        wire_len: data.len() as u32,
        link_type,
        segments: 1,
    };
    filter.passes(&packet).unwrap()
}

/// Whether the test can run; says so if not.
fn skipped() -> bool {
    let reason = test_run::unavailable();
    if let Some(reason) = &reason {
        testbed::report_skipped(reason);
    }
    reason.is_some()
}

/// Compares verdicts on all packets, and the count of the rejected. Returns how many passed.
fn agree(expression: &str, context: ProgramContext, link_type: LinkType, packets: &[Vec<u8>]) -> usize {
    let chain = FilterChain::new(expression, context, link_type);
    let mut filter = Filter::new(expression);
    let (mut passed, mut rejected) = (0, 0);
    for packet in packets {
        let Some(decided) = chain.passes(packet) else { continue };
        let expected = expected(&mut filter, packet, link_type);
        assert_eq!(decided, expected, "{expression} at {context:?}: {packet:02x?}");
        passed += usize::from(expected);
        rejected += u64::from(!expected);
    }
    assert_eq!(chain.filtered(), rejected, "{expression} at {context:?}");
    passed
}

#[test]
fn the_kernel_decides_as_libpcap_does() {
    if skipped() {
        return;
    }
    let mut random = Random(1);
    let packets: Vec<Vec<u8>> = (0..packet_count()).map(|_| packets::ethernet(&mut random)).collect();
    let mut always_the_same = HashMap::new();
    for expression in list::ETHERNET {
        for context in [XDP, XDP_FRAGS, ProgramContext::Tc] {
            let passed = agree(expression, context, LinkType::ETHERNET, &packets);
            if passed == 0 || passed == packets.len() {
                always_the_same.insert(*expression, passed);
            }
        }
    }
    // Agreement on an expression that never (or always) matches says little.
    assert!(packets.len() < ENOUGH || always_the_same.len() <= 3, "{always_the_same:?}");
}

#[test]
fn the_kernel_decides_as_libpcap_does_without_a_link_layer() {
    if skipped() {
        return;
    }
    let mut random = Random(2);
    let packets: Vec<Vec<u8>> = (0..packet_count() / 2).map(|_| packets::raw_ip(&mut random)).collect();
    for expression in list::RAW {
        for context in [XDP, XDP_FRAGS, ProgramContext::Tc] {
            let passed = agree(expression, context, LinkType::RAW, &packets);
            assert!(passed > 0 && passed < packets.len(), "{expression} at {context:?}: {passed}");
        }
    }
}

#[test]
fn a_tag_in_the_metadata_is_seen_as_in_the_packet() {
    if skipped() {
        return;
    }
    let mut random = Random(3);
    let packets: Vec<(Vec<u8>, Tag)> = (0..packet_count() / 2)
        .map(|_| {
            let packet = packets::ethernet(&mut random);
            let tpid = [0x8100, 0x88a8][random.below(2)];
            (packet, Tag { tpid, tci: [7, 100, 0xe007, 0, 0x0fff][random.below(5)] })
        })
        .collect();
    for expression in list::ETHERNET {
        let chain = FilterChain::new(expression, ProgramContext::Tc, LinkType::ETHERNET);
        let mut filter = Filter::new(*expression);
        for (packet, tag) in &packets {
            let Some(decided) = chain.passes_with(packet, *tag) else { continue };
            let mut tagged = packet[..12].to_vec();
            tagged.extend(tag.tpid.to_be_bytes());
            tagged.extend(tag.tci.to_be_bytes());
            tagged.extend(&packet[12..]);
            let expected = expected(&mut filter, &tagged, LinkType::ETHERNET);
            assert_eq!(decided, expected, "{expression}: {tag:x?} {packet:02x?}");
        }
    }
}

#[test]
fn bytes_beyond_the_first_piece_of_a_packet_are_read() {
    if skipped() {
        return;
    }
    // More than a page: a test run puts the rest into a second piece.
    let mut packet = vec![0_u8; 9000];
    packet[12] = 8;
    packet[14] = 0x45;
    packet[23] = 17;
    packet[8000] = 0xab;
    let expressions = [
        ("ether[8000] = 0xab", true),
        ("ether[8000] = 0xac", false),
        ("ether[7999:4] = 0x00ab0000", true),
        ("udp[7966] = 0xab", true),
        ("udp[7966] = 0xaa", false),
        ("ether[9000] = 0", false),
        ("ether[8999] = 0", true),
        ("ether[8997:4] = 0", false),
        ("udp[8965] = 0", true),
        ("udp[8966] = 0", false),
        ("len = 9000", true),
    ];
    for (expression, expected_verdict) in expressions {
        let verdict = expected(&mut Filter::new(expression), &packet, LinkType::ETHERNET);
        assert_eq!(verdict, expected_verdict, "{expression}");
        let chain = FilterChain::new(expression, XDP_FRAGS, LinkType::ETHERNET);
        assert_eq!(chain.passes(&packet), Some(verdict), "{expression}");
    }
}

#[test]
fn a_filter_of_three_hundred_hosts_is_taken_by_the_verifier() {
    if skipped() {
        return;
    }
    let hosts: Vec<String> = (0..300).map(|host| format!("host 10.{}.{}.1", host % 7, host % 256)).collect();
    let expression = hosts.join(" or ");
    for context in [XDP_FRAGS, ProgramContext::Tc] {
        FilterChain::new(&expression, context, LinkType::ETHERNET);
    }
}

/// Prints what a filter costs over an empty program.
#[test]
#[ignore = "a measurement, not a fact"]
fn the_price_of_a_filter() {
    let mut packet = vec![0_u8; 90];
    packet[12..15].copy_from_slice(&[8, 0, 0x45]);
    packet[23] = 17;
    packet[37] = 53;
    for context in [XDP, XDP_FRAGS, ProgramContext::Tc] {
        let empty = test_run::empty(context);
        let chain = FilterChain::new("udp port 53", context, LinkType::ETHERNET);
        let other = FilterChain::new("udp port 54", context, LinkType::ETHERNET);
        let best = |program: BorrowedFd<'_>| {
            (0..20).map(|_| test_run::test_run(program, &packet, None, 500_000).unwrap().duration_ns).min()
        };
        let (empty, passed, rejected) =
            (best(empty.as_fd()), best(chain.filter.as_fd()), best(other.filter.as_fd()));
        println!("{context:?}: empty {empty:?} ns, passed {passed:?} ns, rejected {rejected:?} ns");
    }
}
