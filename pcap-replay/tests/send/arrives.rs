//! Packets arrive as they were sent.

use std::time::{Duration, Instant};

use pcap_replay::send::{PacketRate, SendOptions, Tempo};
use testbed::{FrameSocket, Namespace, Need, Veth, require};

use super::{BOTH, Trace, options, send_from};

const QUIET: Duration = Duration::from_millis(500);

fn received(socket: &FrameSocket) -> Vec<Vec<u8>> {
    socket.receive_until_quiet(QUIET).into_iter().map(|frame| frame.data).collect()
}

#[test]
fn all_packets_arrive_in_order_and_byte_for_byte_in_every_round() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3000).create();
    pair.left.hold_back();
    let mut trace = Trace::generated(5000);
    let mut tagged = trace.packets[0].clone();
    tagged.splice(12..12, [0x88, 0xa8, 0, 5, 0x81, 0, 0, 9]);
    trace.packets.push(tagged);
    let trace = Trace::of(trace.packets, 1);
    for via in BOTH {
        let socket = FrameSocket::open(&right, pair.right.name());
        let options = SendOptions { via: Some(via), rounds: Some(3), ..options(pair.left.name()) };
        let report = send_from(&left, &trace, &options).unwrap();
        let received = received(&socket);
        assert_eq!(received.len(), 3 * trace.packets.len(), "{via}: {report}");
        let expected = trace.packets.iter().cycle();
        let first_wrong = received.iter().zip(expected).position(|(got, sent)| got != sent);
        assert_eq!(first_wrong, None, "{via}");
        assert_eq!(report.packets, received.len() as u64);
        assert_eq!(report.bytes, received.iter().map(|packet| packet.len() as u64).sum::<u64>());
        assert_eq!((report.dropped, report.not_sent, report.via), (0, Default::default(), via));
    }
}

#[test]
fn packets_spread_over_four_queues_all_arrive() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3000).queues(4).create();
    pair.left.hold_back();
    let trace = Trace::generated(2000);
    let socket = FrameSocket::open(&right, pair.right.name());
    let report = send_from(&left, &trace, &SendOptions { queues: 4, ..options(pair.left.name()) }).unwrap();
    let mut received = received(&socket);
    let mut sent = trace.packets.clone();
    received.sort();
    sent.sort();
    assert!(received == sent, "{} of {} packets, {report}", received.len(), sent.len());
}

#[test]
fn a_fixed_rate_is_not_exceeded() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3000).create();
    let trace = Trace::generated(500);
    for via in BOTH {
        let tempo = Tempo::Rate(PacketRate::new(2000.0).unwrap());
        let started = Instant::now();
        let report =
            send_from(&left, &trace, &SendOptions { tempo, via: Some(via), ..options(pair.left.name()) });
        // The last of 500 packets is due 499 intervals of half a millisecond after the first.
        assert!(started.elapsed() >= Duration::from_micros(249_500));
        assert_eq!(report.unwrap().packets, 500);
    }
}

#[test]
fn the_pace_of_the_capture_is_kept() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(3000).create();
    let trace = Trace::generated(401);
    let socket = FrameSocket::open(&right, pair.right.name());
    let tempo = Tempo::Capture("2x".parse().unwrap());
    let started = Instant::now();
    send_from(&left, &trace, &SendOptions { tempo, ..options(pair.left.name()) }).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200), "400 ms at twice the speed");
    assert!(received(&socket) == trace.packets);
}
