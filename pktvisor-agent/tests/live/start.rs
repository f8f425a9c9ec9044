//! The moment from which packets are counted.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use testbed::Need;

use crate::agent::{Agent, assert_balanced, require_kernel_programs};
use crate::network::{HOST, Network, PEER};

/// Echoes packets until it is to stop.
fn echo(socket: &UdpSocket, stop: &AtomicBool) {
    let mut packet = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut packet) {
            socket.send_to(&packet[..length], from).unwrap();
        }
    }
}

/// Sends one packet after the other, each when the one before has come back.
fn ask(socket: &UdpSocket, server: SocketAddr, stop: &AtomicBool) {
    let mut packet = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        socket.send_to(&[7; 64], server).unwrap();
        // A lost packet must not delay the others for ever.
        let _ = socket.recv_from(&mut packet);
    }
}

fn both_directions_begin_at_once(words: &[&str]) {
    let network = Network::host();
    let open = |namespace: &testbed::Namespace, address: &str| {
        let socket = namespace.run(|| UdpSocket::bind((address, 7)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        socket
    };
    let server = open(&network.watched, HOST[0]);
    let client = open(&network.peer, PEER[0]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| echo(&server, &stop));
        scope.spawn(|| ask(&client, server.local_addr().unwrap(), &stop));
        thread::sleep(Duration::from_millis(200));
        let agent = Agent::start(&network.watched, &[words, &[network.interface().name()]].concat());
        thread::sleep(Duration::from_millis(500));
        stop.store(true, Ordering::Relaxed);
        let settled = agent.settled(10);
        let packets = &settled.period.packets;
        // The first packet seen may be an echo, and the last may be one whose echo is missing.
        assert!(packets.received.abs_diff(packets.sent) <= 2, "{} {}", packets.received, packets.sent);
        assert_balanced(&settled.ledger());
    });
}

#[test]
fn an_agent_that_starts_amid_traffic_counts_both_directions_or_none() {
    require_kernel_programs!();
    both_directions_begin_at_once(&[]);
    both_directions_begin_at_once(&["-b", "udp"]);
}

#[test]
fn a_packet_socket_that_starts_amid_traffic_receives_both_directions_or_none() {
    testbed::require!(Need::Namespaces);
    both_directions_begin_at_once(&["--mode", "afpacket"]);
}
