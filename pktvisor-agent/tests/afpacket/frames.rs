//! Frames arrive whole, with their tags, on every kind of interface.

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use pktvisor_capture::afpacket::{AfPacket, AfPacketError, SocketOptions};
use pktvisor_common::classify::LinkType;
use testbed::{FrameSocket, Namespace, Need, Veth};

use crate::{listen, listen_with, receive};

/// A broadcast frame of this length, which nobody answers, with these bytes behind its addresses.
fn frame(len: usize, after_addresses: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame.extend_from_slice(after_addresses);
    frame.resize(len, len as u8);
    frame
}

#[test]
fn frames_of_every_size_arrive_whole_and_in_order() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).mtu(9000).create();
    let mut socket = listen(&pair.right);
    let sender = FrameSocket::open(&left, pair.left.name());
    let sent: Vec<_> = (60..9014).step_by(7).map(|len| frame(len, &[0x88, 0xb5])).collect();
    for frame in &sent {
        sender.send(frame);
    }
    let received = receive(&mut socket);
    assert_eq!(received.len(), sent.len());
    for (received, sent) in received.iter().zip(&sent) {
        assert_eq!(&received.data, sent);
        assert_eq!((received.wire_len as usize, received.segments), (sent.len(), 1));
        assert_eq!(received.link_type, LinkType::ETHERNET);
    }
    let statistics = socket.statistics().unwrap();
    assert_eq!((statistics.frames, statistics.lost), (sent.len() as u64, 0));
}

#[test]
fn tags_are_where_they_were_on_the_wire() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let (mut here, mut there) = (listen(&pair.left), listen(&pair.right));
    let sender = FrameSocket::open(&left, pair.left.name());
    let sent = [
        frame(64, &[0x81, 0, 0x60, 5, 0x88, 0xb5]),
        frame(68, &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 0x88, 0xb5]),
        frame(72, &[0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x88, 0xb5]),
    ];
    for frame in &sent {
        sender.send(frame);
    }
    for socket in [&mut here, &mut there] {
        let received: Vec<_> =
            receive(socket).into_iter().map(|received| (received.wire_len as usize, received.data)).collect();
        assert_eq!(received, sent.clone().map(|frame| (frame.len(), frame)));
    }
}

#[test]
fn a_packet_on_loopback_is_received_once() {
    testbed::require!(Need::Namespaces);
    let namespace = Namespace::new();
    let mut socket = namespace.run(|| AfPacket::open(None, &SocketOptions::default()).unwrap());
    namespace.run(|| {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for n in 0..10_u8 {
            sender.send_to(&[n; 30], receiver.local_addr().unwrap()).unwrap();
        }
    });
    let received = receive(&mut socket);
    let payloads: Vec<_> = received.iter().map(|received| *received.data.last().unwrap()).collect();
    assert_eq!(payloads, (0..10).collect::<Vec<u8>>());
}

#[test]
fn an_interface_without_link_layer_gives_raw_ip() {
    testbed::require!(Need::Namespaces, Need::File(Path::new("/dev/net/tun")));
    let namespace = Namespace::new();
    let _tun = namespace.run(|| tun("pkvtun"));
    namespace.ip(&["link", "set", "pkvtun", "addrgenmode", "none"]);
    namespace.ip(&["address", "add", "10.53.0.1/24", "dev", "pkvtun"]);
    namespace.ip(&["link", "set", "pkvtun", "up"]);
    let options = SocketOptions::default();
    let mut socket =
        namespace.run(|| AfPacket::open(Some(if_nametoindex("pkvtun").unwrap()), &options).unwrap());
    namespace.run(|| {
        let sender = UdpSocket::bind("10.53.0.1:5300").unwrap();
        sender.send_to(&[7; 40], "10.53.0.2:53").unwrap();
    });
    let received = receive(&mut socket);
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!((received[0].link_type, received[0].wire_len), (LinkType::RAW, 68));
    assert_eq!((received[0].data[0], &received[0].data[28..]), (0x45, &[7; 40][..]));
}

/// A device of layer 3 (<https://docs.kernel.org/networking/tuntap.html>) that lives as long as the
/// file.
fn tun(name: &str) -> File {
    let file = File::options().read(true).write(true).open("/dev/net/tun").unwrap();
    // SAFETY: integers and bytes, for which all zeros is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq.
    let status = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    file
}

#[test]
fn packets_that_find_the_ring_full_are_counted_as_lost() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let mut socket = listen_with(&pair.right, &SocketOptions { ring_bytes: 0, ..SocketOptions::default() });
    assert_eq!(socket.ring_bytes(), 2 << 20);
    let sender = FrameSocket::open(&left, pair.left.name());
    let frame = frame(1514, &[0x88, 0xb5]);
    for _ in 0..4000 {
        sender.send(&frame);
    }
    let received = receive(&mut socket).len() as u64;
    let statistics = socket.statistics().unwrap();
    assert_eq!(statistics.frames, 4000);
    assert!(statistics.lost > 1000 && statistics.freezes > 0, "{statistics:?}");
    assert_eq!(received, statistics.frames - statistics.lost);
}

#[test]
fn an_interface_that_is_down_may_come_back_and_one_that_is_removed_is_gone() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).create();
    let mut socket = listen(&pair.right);
    let sender = FrameSocket::open(&left, pair.left.name());
    right.ip(&["link", "set", pair.right.name(), "down"]);
    assert_eq!(receive(&mut socket), []);
    right.ip(&["link", "set", pair.right.name(), "up"]);
    // The other end lost its carrier with it.
    std::thread::sleep(Duration::from_millis(200));
    sender.send(&frame(60, &[0x88, 0xb5]));
    assert_eq!(receive(&mut socket).len(), 1);
    let index = right.run(|| if_nametoindex(pair.right.name()).unwrap());
    drop(sender);
    drop(pair);
    let gone = socket.poll(Duration::from_secs(5)).unwrap_err();
    assert!(matches!(gone, AfPacketError::Gone { ifindex } if ifindex == index), "{gone}");
}

#[test]
fn an_interface_that_is_not_there_is_refused() {
    testbed::require!(Need::Namespaces);
    let namespace = Namespace::new();
    let error = namespace.run(|| AfPacket::open(Some(4711), &SocketOptions::default()).unwrap_err());
    assert!(matches!(error, AfPacketError::Bind { ifindex: 4711, .. }), "{error}");
}
