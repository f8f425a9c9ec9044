//! `any`: every interface that is up, those that appear later, and those that disappear.

use testbed::{FrameSocket, Namespace, Tun, Veth};

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::traffic::{frame, query_packet};

const HOST: [u8; 4] = [10, 53, 0, 1];

fn send_queries(socket: &FrameSocket, count: u16) {
    for id in 0..count {
        socket.send(&frame(&[], &query_packet([10, 53, 0, 2], HOST, id)));
    }
}

#[test]
fn interfaces_that_come_and_go_are_watched_while_they_are_there() {
    require_kernel_programs!();
    let (peer, watched) = (Namespace::new(), Namespace::new());
    let first = Veth::new(&peer, &watched).create();
    let agent = Agent::start(&watched, &["-H", "10.53.0.1", "any"]);
    let names = |agent: &Agent| -> Vec<String> {
        let capture = agent.app().app.capture.unwrap();
        capture.interfaces.into_iter().map(|interface| interface.name).collect()
    };
    let wait_until = |condition: &dyn Fn() -> bool| {
        for _ in 0..500 {
            if condition() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("watched: {:?}\n{}", names(&agent), agent.stderr());
    };
    assert!(names(&agent).contains(&first.right.name().to_owned()));
    send_queries(&FrameSocket::open(&peer, first.left.name()), 10);
    assert_eq!(agent.settled_dns(10).period.dns.wire_packets.queries, 10);

    let second = Veth::new(&peer, &watched).create();
    wait_until(&|| names(&agent).contains(&second.right.name().to_owned()));
    send_queries(&FrameSocket::open(&peer, second.left.name()), 7);
    assert_eq!(agent.settled_dns(17).period.dns.wire_packets.queries, 17);

    let gone = second.right.name().to_owned();
    drop(second);
    wait_until(&|| !names(&agent).contains(&gone));
    send_queries(&FrameSocket::open(&peer, first.left.name()), 3);
    let settled = agent.settled_dns(20);
    assert_eq!((settled.ledger().dns_packets, settled.ledger().analysed), (20, 20));
    assert_balanced(&settled.ledger());
    let (status, stderr) = agent.stop();
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("listening on http://127.0.0.1:10853/"), "{stderr}");
}

#[test]
fn a_link_without_an_ethernet_header_is_watched_by_name_and_with_any() {
    require_kernel_programs!(testbed::Need::File(std::path::Path::new("/dev/net/tun")));
    for target in ["pkvtun", "any"] {
        let namespace = Namespace::new();
        let tun = Tun::new(&namespace, "pkvtun", "10.53.0.1/24");
        let agent = Agent::start(&namespace, &["-H", "10.53.0.1", target]);
        for id in 0..10 {
            tun.inject(&query_packet([10, 53, 0, 2], HOST, id));
        }
        let settled = agent.settled_dns(10);
        let (packets, dns) = (&settled.period.packets, &settled.period.dns);
        assert_eq!(dns.wire_packets.queries, 10, "{target}");
        // `any` also counts the HTTP requests of the test on the loopback interface.
        assert!(packets.received == 10 || target == "any" && packets.received > 10, "{target}");
        assert_eq!(packets.non_ip, 0, "{target}");
    }
}
