//! The real program in front of the sockets.

use std::path::Path;

use aya::programs::XdpMode;
use capture_file::Capture;
use nix::net::if_::if_nametoindex;
use pktvisor_capture::kernel::{EntryPoint, KernelPrograms, Loaded, ProgramSettings, object};
use pktvisor_capture::tap::Tap;
use pktvisor_common::classify::{Class, DnsPorts, LinkType, classify};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;
use pktvisor_common::sampling::needs_reassembly;
use pktvisor_common::sharding::Shards;
use testbed::{FrameSocket, Namespace, Need, Veth};

use crate::sockets::receive;

#[test]
fn every_packet_is_counted_and_dns_arrives() {
    testbed::require!(Need::Namespaces);
    let Some(object) = object::embedded() else {
        return testbed::report_skipped("this build has no kernel programs");
    };
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut programs, collector, mut tap) = right.run(|| {
        let Loaded { mut programs, collector, .. } =
            KernelPrograms::load(object, &ProgramSettings::default()).unwrap();
        let ifindex = if_nametoindex(pair.right.name()).unwrap();
        let mut sockets = programs.sockets().unwrap();
        let tap =
            Tap::open(pair.right.name(), ifindex, Shards::ONE, |queue, socket| sockets.set(queue, socket, 0))
                .unwrap();
        programs.xdp(EntryPoint::Tap).unwrap().attach_to_if_index(ifindex, XdpMode::Driver).unwrap();
        (programs, collector, tap)
    });
    let host = FrameSocket::open(&right, pair.right.name());
    let sender = FrameSocket::open(&left, pair.left.name());
    let mut expected = Counters::default();
    let mut dns = Vec::new();
    let mut capture =
        Capture::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/demo.pcap")).unwrap();
    while let Some(packet) = capture.next_packet().unwrap() {
        sender.send(packet.data);
        let mut class = Class::default();
        classify(packet.data, LinkType::ETHERNET, &DnsPorts::default(), &mut class);
        expected.count(&class, Direction::Unknown, packet.wire_len);
        if class.flags & pktvisor_common::classify::flags::DNS_UDP != 0 || needs_reassembly(&class) {
            dns.push(packet.data.to_vec());
        }
    }
    let received = receive(&mut tap.queues[0]);
    assert!(dns.len() > 1000);
    assert_eq!(received.len(), dns.len());
    for ((header, bytes), dns) in received.iter().zip(&dns) {
        assert_eq!(bytes, dns);
        assert_eq!((header.wire_len as usize, header.link_type()), (dns.len(), LinkType::ETHERNET));
    }
    let counts = collector.counts().unwrap();
    assert_eq!(counts.counters, expected);
    assert_eq!(counts.punted.delivered, expected.packets.dns_packets);
    assert_eq!(counts.punted.lost(), 0);
    assert_eq!(host.receive(std::time::Duration::from_millis(50)), None);
    // The DNS packets of a queue without a socket are lost, and counted as lost.
    programs.sockets().unwrap().unset(0).unwrap();
    sender.send(&dns[0]);
    assert_eq!(receive(&mut tap.queues[0]), []);
    let without_socket = collector.counts().unwrap();
    assert_eq!(without_socket.punted.lost_no_socket, 1);
    assert_eq!(without_socket.counters.packets.total(), expected.packets.total() + 1);
}
