//! Scenarios over whole tables; each name states the rule it holds the table to.

mod connections;
mod gaps;
mod limits;
mod messages;
mod order;
mod pairs;
mod random;
mod resuming;
mod snapped;

use pktvisor_common::classify::tcp_flags::{ACK, FIN, RST, SYN};

use pktvisor_common::address::AddressPair;

use super::*;
use crate::Transport;
use ReassemblyEvent::{Gap, RetransmittedSegment, StreamEvicted, Unsynchronised};

const SECOND: u64 = 1_000_000_000;
const ISN: u32 = u32::MAX - 20; // Every scenario wraps around.

fn flow(client_port: u16) -> Flow {
    Flow {
        addresses: AddressPair::v6([1; 16], [2; 16]),
        source_port: client_port,
        destination_port: 53,
        transport: Transport::Tcp,
    }
}

/// A message of `len` bytes that looks like a query and is identified by its id.
fn message(id: u16, len: usize) -> Vec<u8> {
    let mut message = vec![0, 0, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
    message[..2].copy_from_slice(&id.to_be_bytes());
    // A filler that looks like no message wherever it is entered.
    message.resize(len, 0xff);
    message
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    messages
        .iter()
        .flat_map(|message| [&(message.len() as u16).to_be_bytes(), message.as_slice()].concat())
        .collect()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    client_port: u16,
    time_ns: u64,
    bytes: Vec<u8>,
    captured: Captured,
}

#[derive(Default)]
struct Sink {
    found: Vec<Found>,
    events: Vec<ReassemblyEvent>,
}

impl StreamSink for Sink {
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, message: &[u8], captured: Captured) {
        let (client_port, bytes) = (flow.source_port, message.to_vec());
        self.found.push(Found { client_port, time_ns: timestamp_ns, bytes, captured });
    }

    fn event(&mut self, event: ReassemblyEvent) {
        self.events.push(event);
    }
}

/// A table, what it has found, and a clock.
struct Scenario {
    streams: Streams,
    sink: Sink,
    now_ns: u64,
    port: u16,
}

impl Scenario {
    fn new() -> Self {
        Self::with(StreamLimits { streams: 16, buffered_bytes: 1 << 20 })
    }

    fn with(limits: StreamLimits) -> Self {
        Self { streams: Streams::new(limits), sink: Sink::default(), now_ns: 1000 * SECOND, port: 4000 }
    }

    /// A scenario whose connection has been opened by a SYN with [`ISN`].
    fn opened() -> Self {
        let mut scenario = Self::new();
        scenario.syn(ISN);
        scenario
    }

    fn wait(&mut self, ns: u64) -> &mut Self {
        self.now_ns += ns;
        self
    }

    fn of_port(&mut self, port: u16) -> &mut Self {
        self.port = port;
        self
    }

    fn send(&mut self, flags: u8, sequence: u32, payload: &[u8], wire_len: usize) -> &mut Self {
        let segment = TcpSegment { sequence, acknowledgement: 0, flags, payload, wire_len: wire_len as u32 };
        self.streams.segment(&flow(self.port), segment, self.now_ns, &mut self.sink);
        self
    }

    fn syn(&mut self, sequence: u32) -> &mut Self {
        self.send(SYN, sequence, &[], 0)
    }

    /// Data at an offset from the first byte after [`ISN`].
    fn data(&mut self, offset: usize, payload: &[u8]) -> &mut Self {
        self.send(ACK, at(offset), payload, payload.len())
    }

    fn snapped(&mut self, offset: usize, payload: &[u8], captured: usize) -> &mut Self {
        self.send(ACK, at(offset), &payload[..captured], payload.len())
    }

    fn ids(&self) -> Vec<u16> {
        self.sink.found.iter().map(|found| u16::from_be_bytes([found.bytes[0], found.bytes[1]])).collect()
    }

    #[track_caller]
    fn assert_found(&self, ids: &[u16], events: &[ReassemblyEvent]) -> &Self {
        assert_eq!((self.ids().as_slice(), self.sink.events.as_slice()), (ids, events));
        self
    }

    #[track_caller]
    fn assert_nothing_held(&self) {
        assert_eq!((self.streams.buffered_bytes(), self.streams.gaps.len()), (0, 0));
    }
}

fn at(offset: usize) -> u32 {
    ISN.wrapping_add(1).wrapping_add(offset as u32)
}
