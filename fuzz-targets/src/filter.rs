//! A filter expression: libpcap's verdict on packets, against that of the program that the kernel runs
//! after its verifier has accepted it.
//!
//! Wants the privilege to load BPF programs. Without it, expressions are only compiled.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use pktvisor_capture::test_run::{self, FilterChain, Tag};
use pktvisor_capture::{Filter, FilterProgramError, ProgramContext};
use pktvisor_common::classify::LinkType;
use pktvisor_common::packet::{Packet, Stamp};

/// Most packets of one input.
const PACKETS_MAX: usize = 64;
/// Bytes of the shortest packet of a test run.
const PACKET_MIN: usize = 14;
/// Nested expressions of one input.
const DEPTH_MAX: u8 = 4;

static CAN_LOAD: LazyLock<bool> = LazyLock::new(|| test_run::unavailable().is_none());

/// What is said of packets, as texts that libpcap knows.
const PRIMITIVES: [&str; 52] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "sctp",
    "igmp",
    "vlan",
    "mpls",
    "pppoes",
    "ether broadcast",
    "ether multicast",
    "ip broadcast",
    "ip multicast",
    "ip6 multicast",
    "less 60",
    "greater 100",
    "host 192.0.2.1",
    "src host 192.0.2.2",
    "dst host 2001:db8::1",
    "host 2001:db8::2",
    "net 192.0.2.0/24",
    "src net 10.0.0.0/8",
    "net 2001:db8::/32",
    "port 53",
    "src port 53",
    "dst port 53",
    "udp port 53",
    "tcp port 53",
    "portrange 50-60",
    "tcp dst portrange 440-450",
    "ip proto 17",
    "ip6 proto 6",
    "ip protochain 17",
    "ip6 protochain 17",
    "ether proto 0x0800",
    "ether proto 0x86dd",
    "ether host 02:00:00:00:00:01",
    "vlan 7",
    "vlan and vlan",
    "mpls 1000",
    "tcp[tcpflags] & tcp-syn != 0",
    "ip[6:2] & 0x1fff = 0",
    "udp[10:2] & 0x8000 = 0",
    "ip[8] < 5",
    "ip6[7] = 64",
    "icmp[icmptype] = icmp-echo",
    "len > 60",
    "ether[12:2] > 1500",
];

/// An expression as operators could write it.
fn expression(input: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<String> {
    let kind: u8 = if depth < DEPTH_MAX { input.int_in_range(0..=9)? } else { 0 };
    Ok(match kind {
        0..=2 => (*input.choose(&PRIMITIVES)?).to_owned(),
        3 => format!("not ({})", expression(input, depth + 1)?),
        4..=5 => format!("({}) and ({})", expression(input, depth + 1)?, expression(input, depth + 1)?),
        6..=7 => format!("({}) or ({})", expression(input, depth + 1)?, expression(input, depth + 1)?),
        8 => format!("{} and {}", input.choose(&PRIMITIVES)?, expression(input, depth + 1)?),
        _ => relation(input)?,
    })
}

/// A relation of two terms.
fn relation(input: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let sign = *input.choose(&["=", "!=", "<", ">", "<=", ">="])?;
    Ok(format!("{} {sign} {}", term(input, 0)?, term(input, 0)?))
}

fn term(input: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<String> {
    let kind: u8 = if depth < 3 { input.int_in_range(0..=5)? } else { 0 };
    Ok(match kind {
        0 => match bool::arbitrary(input)? {
            true => format!("{}", u8::arbitrary(input)?),
            false => format!("{:#x}", u32::arbitrary(input)?),
        },
        1 => "len".to_owned(),
        2..=3 => {
            let header = *input.choose(&["ether", "ip", "ip6", "tcp", "udp", "icmp"])?;
            let size = *input.choose(&["", ":1", ":2", ":4"])?;
            match bool::arbitrary(input)? {
                true => format!("{header}[{}{size}]", input.int_in_range(0..=80)?),
                false => format!("{header}[{}{size}]", term(input, depth + 2)?),
            }
        }
        _ => {
            let operator = *input.choose(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])?;
            format!("({} {operator} {})", term(input, depth + 1)?, term(input, depth + 1)?)
        }
    })
}

/// A packet: headers that the expressions speak of, changed here and there.
fn packet(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let mut packet = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for _ in 0..input.int_in_range(0..=2)? {
        packet.extend(*input.choose(&[[0x81, 0, 0, 7], [0x88, 0xa8, 0xe0, 100], [0x88, 0x47, 0, 0x3e]])?);
    }
    let protocol = *input.choose(&[17, 6, 1, 58, 132, 41])?;
    if bool::arbitrary(input)? {
        let options = input.int_in_range(0..=3)?;
        packet.extend([8, 0, 0x45 + options, 0, 0, 60, 0, 1]);
        packet.extend(*input.choose(&[[0, 0], [0x20, 0], [0, 5], [0x40, 0]])?);
        packet.extend([64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        packet.resize(packet.len() + usize::from(options) * 4, 1);
    } else {
        packet.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 60, protocol, 64]);
        for last in [1, 2] {
            packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
        }
    }
    packet.extend(*input.choose(&[[0, 53, 0x10, 0], [0x10, 0, 0, 53], [1, 0xbb, 1, 0xbb], [8, 0, 0, 0]])?);
    packet.extend(input.bytes(20.min(input.len()))?);
    for _ in 0..input.int_in_range(0..=2)? {
        let at = usize::from(u8::arbitrary(input)?) % packet.len();
        packet[at] = input.arbitrary()?;
    }
    let keep = PACKET_MIN + usize::from(u8::arbitrary(input)?) % (packet.len() - PACKET_MIN + 1);
    packet.truncate(if bool::arbitrary(input)? { keep } else { packet.len() });
    Ok(packet)
}

/// A byte with where the filter runs, its expression, and the packets.
pub fn run(data: &[u8]) {
    let _ = try_run(&mut Unstructured::new(data));
}

fn try_run(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let context = *input.choose(&[
        ProgramContext::Tc,
        ProgramContext::Xdp { frags: false },
        ProgramContext::Xdp { frags: true },
    ])?;
    let expression = expression(input, 0)?;
    let mut filter = Filter::new(&*expression);
    if filter.check_for(LinkType::ETHERNET).is_err() || !*CAN_LOAD {
        return Ok(());
    }
    let chain = match FilterChain::load(&expression, context, LinkType::ETHERNET) {
        Ok(chain) => chain,
        Err(FilterProgramError::Translate { .. }) => return Ok(()),
        Err(error) => panic!("{expression} at {context:?}: {error}"),
    };
    let mut rejected = 0;
    for _ in 0..PACKETS_MAX {
        if input.is_empty() {
            break;
        }
        let packet = packet(input)?;
        let Some(decided) = chain.passes(&packet) else { continue };
        let expected = expected(&mut filter, &packet);
        assert_eq!(decided, expected, "{expression} at {context:?}: {packet:02x?}");
        rejected += u64::from(!expected);
        if context == ProgramContext::Tc && bool::arbitrary(input)? {
            rejected += check_tagged(&chain, &mut filter, &packet);
        }
    }
    assert_eq!(chain.filtered(), rejected, "{expression} at {context:?}");
    Ok(())
}

/// A tag in the metadata is seen as in the packet. Returns how many packets were rejected.
fn check_tagged(chain: &FilterChain, filter: &mut Filter, packet: &[u8]) -> u64 {
    let tag = Tag { tpid: 0x8100, tci: 7 };
    let Some(decided) = chain.passes_with(packet, tag) else { return 0 };
    let tagged = [&packet[..12], &[0x81, 0, 0, 7], &packet[12..]].concat();
    let expected = expected(filter, &tagged);
    assert_eq!(decided, expected, "{}: {tagged:02x?}", filter.expression());
    u64::from(!expected)
}

/// libpcap's verdict.
fn expected(filter: &mut Filter, data: &[u8]) -> bool {
    let packet = Packet {
        timestamp_ns: 0,
        stamp: Stamp::Own,
        data,
        wire_len: data.len() as u32,
        link_type: LinkType::ETHERNET,
        segments: 1,
    };
    filter.passes(&packet).expect("it was compiled before")
}
