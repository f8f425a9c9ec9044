//! A packet that offload made of several counts as those on the wire.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use etherparse::{SlicedPacket, TransportSlice};
use testbed::{Namespace, Need, Veth};

use crate::{Received, listen_with, receive};

const BYTES: usize = 3 << 20;
/// Ethernet, IPv4, and TCP with time stamps.
const HEADERS: usize = 14 + 20 + 32;
/// Payload of a full segment.
const SEGMENT: usize = 1500 - 20 - 32;

/// The bytes of the stream in a frame.
struct Data {
    sequence: u32,
    payload: usize,
    wire_len: usize,
    packets: usize,
}

/// The frames with payload for the port, in the order of the stream. Without acknowledgements, some
/// of which are longer although they carry no data: those for reordered segments.
fn data(received: &[Received], port: u16) -> Vec<Data> {
    let mut data: Vec<_> = received
        .iter()
        .filter_map(|received| {
            let TransportSlice::Tcp(tcp) = SlicedPacket::from_ethernet(&received.data).unwrap().transport?
            else {
                return None;
            };
            (tcp.destination_port() == port && !tcp.payload().is_empty()).then(|| Data {
                sequence: tcp.sequence_number(),
                payload: tcp.payload().len(),
                wire_len: received.wire_len as usize,
                packets: usize::from(received.segments),
            })
        })
        .collect();
    let first = data.first().map_or(0, |data| data.sequence);
    // Half of all numbers are before the first one seen, because another segment may have overtaken
    // an earlier one.
    data.sort_by_key(|data| data.sequence.wrapping_sub(first).cast_signed());
    data
}

/// Bytes of the stream in the frames; retransmitted bytes count once.
fn covered(data: &[Data]) -> usize {
    let Some(first) = data.first() else { return 0 };
    let mut end = 0;
    for data in data {
        let start = data.sequence.wrapping_sub(first.sequence) as usize;
        assert!(start <= end, "{} bytes of the stream are missing", start - end);
        end = end.max(start + data.payload);
    }
    end
}

#[test]
fn a_tcp_transfer_counts_the_same_with_and_without_offload() {
    testbed::require!(Need::Namespaces);
    let (left, right) = (Namespace::new(), Namespace::new());
    let pair = Veth::new(&left, &right).addresses("10.53.1.1/24", "10.53.1.2/24").with_offloads().create();
    let options = pktvisor_capture::afpacket::SocketOptions::default();
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
        let received = receive(socket);
        let data = data(&received, to.port());
        assert_eq!(covered(&data), BYTES);
        let frames = data.len();
        let packets: usize = data.iter().map(|data| data.packets).sum();
        assert!(frames * 2 < packets, "offload is not in use: {frames} frames, {packets} packets");
        for Data { payload, wire_len, packets, .. } in data {
            // All are full except the last.
            assert_eq!(packets, payload.div_ceil(SEGMENT), "{payload} bytes");
            assert_eq!(wire_len, payload + packets * HEADERS, "{payload} bytes in {packets} packets");
        }
    }
}
