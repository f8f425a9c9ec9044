//! The promises to tests: only their packets cross a pair, and nothing stays behind.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use testbed::{FrameSocket, Namespace, Need, Process, Veth, http, require};

const QUIET: Duration = Duration::from_millis(300);

/// Broadcast of an experimental EtherType (IEEE 802), so that no stack answers.
fn frame(payload: u8) -> Vec<u8> {
    let mut frame = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5];
    frame.resize(60, payload);
    frame
}

#[test]
fn only_the_tests_own_packets_cross_a_pair_byte_for_byte() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).addresses("10.53.0.1/24", "10.53.0.2/24").create();
    let receiver = FrameSocket::open(&right, pair.right.name());
    let sender = FrameSocket::open(&left, pair.left.name());
    let mut tagged = frame(3);
    tagged.splice(12..12, [0x88, 0xa8, 0x20, 0x07, 0x81, 0x00, 0x00, 0x2a]);
    let sent = [frame(1), frame(2), tagged];
    sent.iter().for_each(|frame| sender.send(frame));
    let received: Vec<_> = receiver.receive_until_quiet(QUIET).into_iter().map(|frame| frame.data).collect();
    assert_eq!(received, sent);
    assert_eq!(pair.right.statistics().rx_packets, 3);
}

#[test]
fn both_ends_answer_at_their_addresses_without_asking_for_each_other() {
    require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right)
        .addresses("10.53.0.1/24", "10.53.0.2/24")
        .addresses("fd53::1/64", "fd53::2/64")
        .create();
    for n in [0, 1] {
        let listener = right.run(|| TcpListener::bind(SocketAddr::new(pair.right.address(n), 0))).unwrap();
        let server = listener.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"n\":1}").unwrap();
        });
        assert_eq!(http::json(&left, server, "/")["n"], 1);
        answering.join().unwrap();
    }
    assert!(!left.ip(&["neighbour"]).contains("REACHABLE"));
}

#[test]
fn an_interface_has_the_queues_and_the_mtu_that_were_asked_for() {
    require!(Need::Namespaces, Need::Program("ethtool"));
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).names("pkvleft", "pkvright").queues(4).mtu(9000).create();
    assert_eq!(pair.right.name(), "pkvright");
    let queues = right.run(|| fs::read_dir("/sys/class/net/pkvright/queues").unwrap().count());
    assert_eq!(queues, 8, "4 to receive, 4 to send");
    assert!(right.ip(&["link", "show", "pkvright"]).contains("mtu 9000"));
    assert!(left.run(|| !Path::new("/sys/class/net/pkvright").exists()), "each sees its own");
}

#[test]
fn a_program_inside_ends_with_its_namespace() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let name = namespace.name().to_owned();
    let mut sleeping = Process::spawn(namespace.command("sleep").arg("1000").stdout(Stdio::null()));
    let comm = || fs::read_to_string(format!("/proc/{}/comm", sleeping.id())).unwrap_or_default();
    while comm() != "sleep\n" {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Path::new("/run/netns").join(&name).exists());
    drop(namespace);
    assert!(!sleeping.wait(Duration::from_secs(10)).success());
    assert!(!Path::new("/run/netns").join(&name).exists());
}

#[test]
fn a_panic_inside_leaves_nothing_behind() {
    require!(Need::Namespaces);
    let namespace = Namespace::new();
    let name = namespace.name().to_owned();
    let outcome = std::panic::catch_unwind(move || {
        let _pair = Veth::new(&namespace, &namespace).create();
        namespace.run(|| panic!("as a failing test does"));
    });
    assert!(outcome.is_err());
    assert!(!Path::new("/run/netns").join(&name).exists());
}
