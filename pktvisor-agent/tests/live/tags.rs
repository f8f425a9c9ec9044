//! VLAN tags in both places where the kernel keeps them: in the frame for XDP, beside it for tcx.

use testbed::FrameSocket;

use crate::agent::{Agent, require_kernel_programs};
use crate::network::Network;
use crate::traffic::{frame, query_packet};

/// None, 802.1Q, 802.1ad with 802.1Q in it, and priority only.
const TAGS: [&[(u16, u16)]; 4] = [&[], &[(0x8100, 42)], &[(0x88a8, 7), (0x8100, 42)], &[(0x8100, 0x2000)]];

/// All frames by one hook.
fn assert_tags_are_seen(hook: &str) {
    let network = Network::host();
    let name = network.interface().name();
    let agent = Agent::start(&network.watched, &["--hook", hook, "-H", "10.53.0.1", name]);
    let capture = agent.app().app.capture.unwrap();
    assert_eq!(capture.interfaces[0].ingress, hook, "{}", agent.stderr());
    let socket = FrameSocket::open(&network.peer, network.peer().name());
    let mut bytes = 0;
    for (id, tags) in TAGS.iter().enumerate() {
        let frame = frame(tags, &query_packet([10, 53, 0, 2], [10, 53, 0, 1], id as u16));
        bytes += frame.len() as u64;
        socket.send(&frame);
    }
    let settled = agent.settled(4);
    let packets = &settled.period.packets;
    assert_eq!((packets.total, packets.vlan, packets.received, packets.malformed), (4, 3, 4, 0), "{hook}");
    assert_eq!(packets.bytes_total, bytes, "{hook}");
    assert_eq!(settled.period.dns.wire_packets.queries, 4, "{hook}");
    assert_eq!(settled.ledger().analysed, 4, "{hook}: deep analysis sees through tags as well");
}

#[test]
fn tags_are_seen_by_xdp() {
    require_kernel_programs!();
    assert_tags_are_seen("xdp");
}

#[test]
fn tags_are_seen_by_tcx() {
    require_kernel_programs!();
    assert_tags_are_seen("tcx");
}
