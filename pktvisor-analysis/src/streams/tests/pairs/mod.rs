//! Connections of which both directions are captured, and some segments are not.

mod endings;
mod gaps;
mod order;
mod random;

use super::*;

const MS: u64 = 1_000_000;
const SERVER_ISN: u32 = 70_000;
/// What a message of a [`Connection`] takes in its stream, in bytes.
const FRAMED_LEN: u32 = 42;

/// A connection whose two ends acknowledge everything that the other one sent before, captured or
/// not.
struct Connection {
    scenario: Scenario,
    client_next: u32,
    server_next: u32,
}

/// A segment that was sent and is not captured, or not yet.
#[derive(Clone)]
struct Sent {
    from_server: bool,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    payload: Vec<u8>,
}

impl Connection {
    fn opened() -> Self {
        Self::with(StreamLimits { streams: 16, buffered_bytes: 1 << 20 })
    }

    fn with(limits: StreamLimits) -> Self {
        let (client_next, server_next) = (ISN.wrapping_add(1), SERVER_ISN + 1);
        let mut connection = Self { scenario: Scenario::with(limits), client_next, server_next };
        for (from_server, sequence) in [(false, ISN), (true, SERVER_ISN)] {
            let sent = Sent { from_server, sequence, acknowledgement: 0, flags: SYN, payload: Vec::new() };
            connection.capture(&sent);
        }
        connection
    }

    fn sent(&mut self, from_server: bool, payload: Vec<u8>) -> Sent {
        let (next, other) = match from_server {
            true => (&mut self.server_next, self.client_next),
            false => (&mut self.client_next, self.server_next),
        };
        let sequence = *next;
        *next = next.wrapping_add(payload.len() as u32);
        Sent { from_server, sequence, acknowledgement: other, flags: ACK, payload }
    }

    /// The query is sent. It is captured only by [`Self::capture`].
    fn send_query(&mut self, id: u16) -> Sent {
        self.sent(false, framed(&[message(id, 40)]))
    }

    /// The response is sent. It is captured only by [`Self::capture`].
    fn send_response(&mut self, id: u16) -> Sent {
        let mut response = message(id, 40);
        response[2] |= 0x80;
        self.sent(true, framed(&[response]))
    }

    fn capture(&mut self, sent: &Sent) -> &mut Self {
        let flow = if sent.from_server { flow(4000).reversed() } else { flow(4000) };
        let segment = TcpSegment {
            sequence: sent.sequence,
            acknowledgement: sent.acknowledgement,
            flags: sent.flags,
            payload: &sent.payload,
            wire_len: sent.payload.len() as u32,
        };
        let Scenario { streams, sink, now_ns, .. } = &mut self.scenario;
        streams.segment(&flow, segment, *now_ns, sink);
        self
    }

    fn query(&mut self, id: u16) -> &mut Self {
        let sent = self.send_query(id);
        self.capture(&sent)
    }

    fn response(&mut self, id: u16) -> &mut Self {
        let sent = self.send_response(id);
        self.capture(&sent)
    }

    fn lost_query(&mut self, id: u16) -> &mut Self {
        self.send_query(id);
        self
    }

    fn lost_response(&mut self, id: u16) -> &mut Self {
        self.send_response(id);
        self
    }

    /// The client acknowledges what it has received, and sends nothing.
    fn client_acknowledges(&mut self) -> &mut Self {
        let sent = self.sent(false, Vec::new());
        self.capture(&sent)
    }

    fn wait(&mut self, ns: u64) -> &mut Self {
        self.scenario.now_ns += ns;
        self
    }

    fn passes(&mut self, ns: u64) -> &mut Self {
        self.scenario.now_ns += ns;
        let Scenario { streams, sink, now_ns, .. } = &mut self.scenario;
        streams.advance(*now_ns, sink);
        self
    }

    fn finish(&mut self) -> &mut Self {
        self.scenario.streams.finish(&mut self.scenario.sink);
        self
    }

    fn found(&self) -> Vec<String> {
        let name = |found: &Found| {
            let kind = if found.bytes[2] & 0x80 == 0 { 'q' } else { 'r' };
            format!("{kind}{}", u16::from_be_bytes([found.bytes[0], found.bytes[1]]))
        };
        self.scenario.sink.found.iter().map(name).collect()
    }

    /// Messages as `q1 r1`, in the order in which they were handed on.
    #[track_caller]
    fn assert_found(&mut self, found: &str, events: &[ReassemblyEvent]) -> &mut Self {
        assert_eq!((self.found().join(" ").as_str(), self.scenario.sink.events.as_slice()), (found, events));
        self
    }

    /// Time stamps of the messages, in milliseconds since the first.
    fn times_ms(&self) -> Vec<u64> {
        self.scenario.sink.found.iter().map(|found| (found.time_ns - 1000 * SECOND) / MS).collect()
    }
}
