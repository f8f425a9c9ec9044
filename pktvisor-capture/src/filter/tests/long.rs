//! Expressions that are long, and what must neither take long nor end the process.

use std::time::{Duration, Instant};

use pktvisor_common::classify::LinkType;

use super::packets::{self, Random};
use super::test_run::{self, FilterChain};
use crate::Filter;
use crate::filter::compile::{self, PacketOrigin};
use crate::filter::context::ProgramContext;
use crate::filter::translate::translate;
use crate::filter::verdict::{TaggedPackets, Verdicts};
use crate::filter::{interpret, split};
use pktvisor_common::packet::{Packet, Stamp};

fn hosts(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("host 10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255)).collect()
}

/// An IPv4 packet from 10.0.a.b.
fn from(a: u8, b: u8) -> Vec<u8> {
    let mut frame = vec![0; 64];
    frame[12..15].copy_from_slice(&[8, 0, 0x45]);
    frame[26..30].copy_from_slice(&[10, 0, a, b]);
    frame
}

fn passes(filter: &mut Filter, data: &[u8]) -> bool {
    let link_type = LinkType::ETHERNET;
    filter
        .passes(&Packet {
            timestamp_ns: 0,
            data,
            wire_len: data.len() as u32,
            link_type,
            segments: 1,
            stamp: Stamp::Own,
        })
        .unwrap()
}

#[test]
fn five_thousand_hosts_are_a_filter_within_seconds() {
    let began = Instant::now();
    for expression in [hosts(5000).join(" or "), format!("ip and ({})", hosts(5000).join(" or "))] {
        let mut filter = Filter::for_files(expression);
        filter.check().unwrap();
        assert!(
            passes(&mut filter, &from(0, 0)) && passes(&mut filter, &from(4999_u16.to_be_bytes()[0], 135))
        );
        assert!(!passes(&mut filter, &from(4999_u16.to_be_bytes()[0], 136)));
    }
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[test]
fn an_expression_that_takes_too_long_is_refused_within_seconds() {
    let names = |count: usize| (0..count).map(|n| format!("10.0.{}.{}", n >> 8, n & 255)).collect::<Vec<_>>();
    let expressions = [
        hosts(100_000).join(" or "),
        // No chain that could be taken apart.
        format!("host {}", names(20_000).join(" or ")),
        format!("not ({})", hosts(10_000).join(" or ")),
        format!("{}ip{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}ip", "not ".repeat(50_000)),
    ];
    for expression in expressions {
        let began = Instant::now();
        if let Err(error) = Filter::for_files(expression.as_str()).check() {
            let text = error.to_string();
            assert!(text.len() < 600 && !text.contains('\n'), "{text}");
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

#[test]
fn a_chain_in_pieces_decides_as_the_whole_does() {
    let mut random = Random(9);
    let packets: Vec<Vec<u8>> = (0..1000).map(|_| packets::ethernet(&mut random)).collect();
    let odd = [
        "src host 192.0.2.1",
        "tcp port 443",
        "not ip",
        "ether[13:2] = 8",
        "(arp)",
        "udp[8:2] > 7",
        "len > 99",
    ];
    let terms =
        |count: usize| (0..count).map(|n| odd[n * 5 % odd.len()].replace("99", &(90 + n).to_string()));
    for (word, expected) in [(" or ", "src"), (" and ", "not"), (" || ", "src")] {
        let mut chain: Vec<String> = match expected {
            "src" => terms(48).collect(),
            _ => (0..48).map(|n| format!("not port {}", n * 9 + 1)).collect(),
        };
        chain.push(if expected == "src" { "icmp" } else { "(ip or ip6)" }.to_owned());
        let expression = chain.join(word);
        let pieces = split::pieces(&expression).unwrap();
        let compiled = |text: &str| compile::compile(text, LinkType::ETHERNET, PacketOrigin::Live).unwrap();
        let joined =
            split::join(pieces.expressions.iter().map(|piece| compiled(piece)).collect(), pieces.junction)
                .unwrap();
        let whole = pcap::Capture::dead(pcap::Linktype(1)).unwrap().compile(&expression, true).unwrap();
        let whole = interpret::instructions(&whole);
        let mut passed = 0;
        for packet in &packets {
            let of = |program| interpret::accepts(program, packet, packet.len() as u32);
            assert_eq!(of(&joined), of(&whole), "{expression}: {packet:02x?}");
            passed += usize::from(of(&whole));
        }
        assert!(passed > 0 && passed < packets.len(), "{passed}");
    }
}

#[test]
fn a_chain_in_pieces_runs_in_the_kernel() {
    if let Some(reason) = test_run::unavailable() {
        return testbed::report_skipped(&reason);
    }
    let expression = hosts(200).join(" or ");
    for context in [ProgramContext::Xdp { frags: true }, ProgramContext::Tc] {
        let chain = FilterChain::new(&expression, context, LinkType::ETHERNET);
        assert_eq!(
            [from(0, 199), from(0, 200)].map(|packet| chain.passes(&packet)),
            [Some(true), Some(false)]
        );
    }
}

#[test]
fn a_program_longer_than_the_kernels_jumps_is_one_sentence() {
    let classic = Filter::new(hosts(5000).join(" or ")).classic(LinkType::ETHERNET).unwrap();
    let verdicts = Verdicts {
        context: ProgramContext::Tc,
        programs: -1,
        filtered: -1,
        action: -1,
        tags: TaggedPackets::Counted,
    };
    let error = translate(&classic, LinkType::ETHERNET, &verdicts).unwrap_err().to_string();
    assert!(error.contains("shorten it"), "{error}");
}

#[test]
fn metadata_that_only_the_kernel_knows_is_refused_with_a_reason() {
    for expression in ["inbound", "outbound and udp", "ifindex 2"] {
        for filter in [Filter::new(expression), Filter::for_files(expression)] {
            let error = filter.check_for(LinkType::ETHERNET).unwrap_err().to_string();
            assert!(error.contains(expression), "{error}");
        }
    }
}

#[test]
fn a_message_quotes_an_expression_briefly_and_without_control_characters() {
    let error = Filter::new(format!("\x1b[31m{}", "x".repeat(900))).check().unwrap_err().to_string();
    assert!(error.contains(r"\u{1b}[31mxx") && error.contains("... (905 bytes)"), "{error}");
    assert!(!error.contains('\x1b') && error.len() < 600, "{error}");
}
