//! What offload makes one packet of counts as the packets it was on the wire.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use testbed::{Namespace, Need, Veth};

use crate::{hear, listen_with};

const BYTES: usize = 3 << 20;
/// Ethernet, IPv4, and TCP with time stamps.
const HEADERS: usize = 14 + 20 + 32;

#[test]
fn a_tcp_transfer_with_offload_has_the_packets_and_bytes_of_one_without() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).addresses("10.53.1.1/24", "10.53.1.2/24").with_offloads().create();
    let options = pktvisor_agent::capture::afpacket::Options::default();
    let mut sockets = [listen_with(&pair.left, &options), listen_with(&pair.right, &options)];
    assert!(sockets[0].counts_segments());
    let listener = right.run(|| TcpListener::bind("10.53.1.2:0").unwrap());
    let to = listener.local_addr().unwrap();
    let receiver = thread::spawn(move || {
        let mut received = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut received).unwrap();
        received.len()
    });
    left.run(|| TcpStream::connect(to).unwrap().write_all(&vec![7; BYTES]).unwrap());
    assert_eq!(receiver.join().unwrap(), BYTES);
    for socket in &mut sockets {
        let heard = hear(socket);
        // Segments with payload, all from the sender.
        let data: Vec<_> = heard.iter().filter(|heard| heard.data.len() > HEADERS + 10).collect();
        let frames = data.len();
        let packets: usize = data.iter().map(|heard| usize::from(heard.segments)).sum();
        let on_wire: usize = data.iter().map(|heard| heard.wire_len as usize).sum();
        assert!(frames * 2 < packets, "offload is not in use: {frames} frames, {packets} packets");
        assert_eq!(on_wire - packets * HEADERS, BYTES, "{frames} frames, {packets} packets");
        // Full ones but for the last of each frame.
        assert!(packets >= BYTES.div_ceil(1448) && packets <= BYTES.div_ceil(1448) + frames);
    }
}
