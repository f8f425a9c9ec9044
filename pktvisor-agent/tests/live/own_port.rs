//! The agent's own traffic, which `any` counts without `--ignore-own-port`.

use etherparse::PacketBuilder;
use testbed::{FrameSocket, Namespace, Need, Veth};

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::traffic::{frame, query_packet};

const PORT: u16 = 10853;

/// A TCP segment to this port, with these VLAN tags.
fn segment(tags: &[(u16, u16)], is_v6: bool, port: u16) -> Vec<u8> {
    let ip = match is_v6 {
        true => PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], 64),
        false => PacketBuilder::ipv4([10, 53, 0, 2], [10, 53, 0, 1], 64),
    };
    let packet = ip.tcp(40_000, port, 1, 1024);
    let mut bytes = Vec::new();
    packet.write(&mut bytes, &[]).unwrap();
    let mut frame = frame(tags, &bytes);
    if is_v6 {
        let at = 12 + 4 * tags.len();
        frame[at..at + 2].copy_from_slice(&[0x86, 0xdd]);
    }
    frame
}

/// The agent takes out all TCP packets of its port, tagged or not, and no others. `-b` applies to
/// the rest.
fn own_port_is_left_out(words: &[&str], queries: u64, other_segments: u64) {
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let agent = Agent::start(&watched, &[&["--ignore-own-port"], words, &[pair.right.name()]].concat());
    let socket = FrameSocket::open(&peer, pair.left.name());
    for id in 0..10 {
        socket.send(&frame(&[], &query_packet([10, 53, 0, 2], [10, 53, 0, 1], id)));
        socket.send(&frame(&[(0x8100, 7)], &query_packet([10, 53, 0, 2], [10, 53, 0, 1], 100 + id)));
    }
    for tags in [&[][..], &[(0x8100, 7)], &[(0x88a8, 7)]] {
        for is_v6 in [false, true] {
            socket.send(&segment(tags, is_v6, PORT));
            socket.send(&segment(tags, is_v6, 80));
        }
    }
    let ledger = agent.settled(32).ledger();
    assert_balanced(&ledger);
    assert_eq!((ledger.seen, ledger.counted), (32, queries + other_segments), "{words:?} {ledger:?}");
    assert_eq!(ledger.dns_packets, queries, "{words:?} {ledger:?}");
}

#[test]
fn segments_of_the_own_port_are_filtered_inline_tagged_or_not() {
    require_kernel_programs!();
    own_port_is_left_out(&["--mode", "inline"], 20, 6);
    // The option does not change the meaning of an expression with `vlan`.
    own_port_is_left_out(&["--mode", "inline", "-b", "udp port 53 or (vlan 7 and udp port 53)"], 20, 0);
    own_port_is_left_out(&["--mode", "inline", "-b", "vlan"], 10, 4);
}

#[test]
fn segments_of_the_own_port_are_filtered_by_a_packet_socket_tagged_or_not() {
    testbed::require!(Need::Namespaces);
    own_port_is_left_out(&["--mode", "afpacket"], 20, 6);
    own_port_is_left_out(&["--mode", "afpacket", "-b", "vlan"], 10, 4);
}

#[test]
fn http_requests_to_the_agent_count_unless_its_port_is_ignored() {
    require_kernel_programs!();
    for mode in ["inline", "afpacket"] {
        for (words, is_ignored) in [(&["--ignore-own-port"][..], true), (&[], false)] {
            let namespace = Namespace::new();
            let agent = Agent::start(&namespace, &[words, &["any", "--mode", mode]].concat());
            for _ in 0..10 {
                agent.app();
            }
            std::thread::sleep(std::time::Duration::from_millis(1500));
            let ledger = agent.app().app.ledger.unwrap();
            match is_ignored {
                true => assert!(ledger.counted == 0 && ledger.filtered > 50, "{mode} {ledger:?}"),
                false => assert!(ledger.counted > 50 && ledger.filtered == 0, "{mode} {ledger:?}"),
            }
        }
    }
}
