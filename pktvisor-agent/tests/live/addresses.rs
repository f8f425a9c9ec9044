//! HOST follows the addresses of the interface that is watched.

use testbed::{FrameSocket, Namespace, Need, Veth};

use crate::agent::{Agent, require_kernel_programs};
use crate::traffic::{frame, query_packet};

#[test]
fn an_address_that_the_interface_gets_later_is_host() {
    require_kernel_programs!();
    new_address_is_host(&[]);
}

#[test]
fn an_address_that_the_interface_gets_later_is_host_for_a_packet_socket() {
    testbed::require!(Need::Namespaces);
    new_address_is_host(&["--mode", "afpacket"]);
}

fn new_address_is_host(mode: &[&str]) {
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&peer, &watched).create();
    let interface = pair.right.name();
    let agent = Agent::start(&watched, &[mode, &[interface]].concat());
    let socket = FrameSocket::open(&peer, pair.left.name());
    let send_queries = |count: u16| {
        for id in 0..count {
            socket.send(&frame(&[], &query_packet([10, 53, 0, 2], [10, 53, 0, 1], id)));
        }
    };
    send_queries(5);
    let before = agent.settled_dns(5).period.packets;
    assert_eq!((before.received, before.unknown), (0, 5));

    watched.ip(&["address", "add", "10.53.0.1/24", "dev", interface]);
    for _ in 0..500 {
        if agent.stderr().contains("HOST is now 10.53.0.1/32") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    send_queries(3);
    let after = agent.settled_dns(8).period;
    assert_eq!(after.packets.received, 3, "{}", agent.stderr());
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
}
