//! The packet socket on interfaces of the tests: it receives the packets that were on the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod counting;
mod frames;
mod offload;

use std::time::{Duration, Instant};

use nix::net::if_::if_nametoindex;
use pktvisor_capture::afpacket::{AfPacket, SocketOptions};
use pktvisor_common::classify::LinkType;
use testbed::End;

/// A received packet, copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) data: Vec<u8>,
    pub(crate) wire_len: u32,
    pub(crate) link_type: LinkType,
    pub(crate) segments: u16,
}

/// Receives at one end of a pair.
pub(crate) fn listen(end: &End) -> AfPacket {
    listen_with(end, &SocketOptions { ring_bytes: 16 << 20, ..SocketOptions::default() })
}

pub(crate) fn listen_with(end: &End, options: &SocketOptions) -> AfPacket {
    end.namespace().run(|| AfPacket::open(Some(if_nametoindex(end.name()).unwrap()), options).unwrap())
}

/// All packets until none arrives for a while.
pub(crate) fn receive(socket: &mut AfPacket) -> Vec<Received> {
    let mut received = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(300) {
        socket.poll(Duration::from_millis(50)).unwrap();
        while let Some(mut block) = socket.next_block() {
            while let Some((packet, _)) = block.next_packet() {
                last = Instant::now();
                received.push(Received {
                    data: packet.data.to_vec(),
                    wire_len: packet.wire_len,
                    link_type: packet.link_type,
                    segments: packet.segments,
                });
            }
        }
    }
    received
}
