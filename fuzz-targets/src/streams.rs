//! Reassembly of TCP streams, as a sequence of segments.
//!
//! In half of the inputs each connection carries messages that are cut, repeated and reordered: then
//! exactly these messages come out. In the others anything may happen: then the ceilings hold after
//! every call, and no byte comes out that did not go in.

use arbitrary::{Arbitrary, Unstructured};
use pktvisor_analysis::streams::{StreamLimits, StreamSink, Streams, TcpSegment};
use pktvisor_analysis::{Flow, ReassemblyEvent, Transport};
use pktvisor_common::address::AddressPair;
use pktvisor_common::classify::Captured;
use pktvisor_common::classify::tcp_flags::{ACK, FIN, RST, SYN};

/// Most operations of one input.
const OPERATIONS_MAX: usize = 256;
/// Most bytes of the messages of an orderly connection: all of them and one segment more may wait.
const ORDERLY_BYTES_MAX: usize = 30_000;
const CONNECTIONS: u8 = 4;
const MILLISECOND_NS: u64 = 1_000_000;

/// A byte with the kind of the input, and its operations.
pub fn run(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let mut input = Unstructured::new(rest);
    // An input that ends early is a shorter one.
    let _ = if kind % 2 == 0 { orderly(&mut input) } else { disorderly(&mut input) };
}

#[derive(Default)]
struct MessageSink {
    messages: Vec<Vec<u8>>,
    message_bytes: usize,
    events: usize,
    keeps: bool,
}

impl StreamSink for MessageSink {
    fn message(&mut self, _: &Flow, _: u64, message: &[u8], captured: Captured) {
        assert!(message.len() >= 12, "a message without its header");
        assert!(!self.keeps || captured == Captured::Whole);
        self.message_bytes += message.len();
        if self.keeps {
            self.messages.push(message.to_vec());
        }
    }

    fn event(&mut self, _: ReassemblyEvent) {
        self.events += 1;
    }
}

fn flow(connection: u8, from_server: bool) -> Flow {
    let flow = Flow {
        addresses: AddressPair::v4([192, 0, 2, connection], [192, 0, 2, 53]),
        source_port: 4000,
        destination_port: 53,
        transport: Transport::Tcp,
    };
    if from_server {
        let addresses = flow.addresses.reversed();
        Flow { addresses, source_port: 53, destination_port: 4000, ..flow }
    } else {
        flow
    }
}

/// A message that begins like a query.
fn message(id: u16, len: usize) -> Vec<u8> {
    let mut message = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    message[..2].copy_from_slice(&id.to_be_bytes());
    message.resize(len.max(12), 0xff);
    message
}

/// Messages on one connection, cut anywhere, in any order, with repetitions: each comes out once.
fn orderly(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let isn: u32 = input.arbitrary()?;
    let mut messages = Vec::new();
    let mut bytes = Vec::new();
    for id in 0..input.int_in_range(1..=20)? {
        let message = message(id, usize::from(u16::arbitrary(input)? % 3000));
        if bytes.len() + message.len() > ORDERLY_BYTES_MAX {
            break;
        }
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(&message);
        messages.push(message);
    }
    let mut cuts = vec![0, bytes.len()];
    for _ in 0..input.int_in_range(0..=60)? {
        cuts.push(usize::from(u16::arbitrary(input)?) % (bytes.len() + 1));
    }
    cuts.sort_unstable();
    cuts.dedup();
    let mut segments: Vec<(usize, usize)> = cuts.windows(2).map(|span| (span[0], span[1])).collect();
    for _ in 0..input.int_in_range(0..=10)? {
        let from = usize::from(u16::arbitrary(input)?) % bytes.len();
        let to = (from + 1 + usize::from(u16::arbitrary(input)?)).min(bytes.len());
        segments.push((from, to));
    }
    for place in (1..segments.len()).rev() {
        if input.is_empty() {
            break;
        }
        segments.swap(place, usize::from(u8::arbitrary(input)?) % (place + 1));
    }
    let mut streams = Streams::new(StreamLimits { streams: 4, buffered_bytes: 1 << 20 });
    let mut sink = MessageSink { keeps: true, ..MessageSink::default() };
    let mut send = |sequence, flags, payload: &[u8]| {
        let wire_len = payload.len() as u32;
        let segment = TcpSegment { sequence, acknowledgement: 0, flags, payload, wire_len };
        streams.segment(&flow(1, false), segment, MILLISECOND_NS, &mut sink);
    };
    send(isn, SYN, &[]);
    for (from, to) in segments {
        send(isn.wrapping_add(1).wrapping_add(from as u32), ACK, &bytes[from..to]);
    }
    assert_eq!(streams.buffered_bytes(), 0);
    assert!(sink.messages == messages, "{} of {} messages", sink.messages.len(), messages.len());
    Ok(())
}

#[derive(Arbitrary, Debug)]
enum SegmentPlace {
    /// Where the last segment of its direction ended.
    Next,
    Behind(u8),
    FarBehind(u16),
    Before(u8),
    Anywhere(u32),
}

#[derive(Arbitrary, Debug)]
enum Acknowledged {
    Nothing,
    /// Everything that the peer has sent.
    All,
    Beyond(u8),
    Anything(u32),
}

#[derive(Arbitrary, Debug)]
enum Payload {
    Empty,
    /// A message, of which the first bytes are sent.
    Message {
        len: u16,
        cut: u16,
    },
    /// What remains of it, and perhaps more.
    Filler(u16),
    Bytes([u8; 20]),
}

#[derive(Arbitrary, Debug)]
enum StreamOperation {
    Segment {
        connection: u8,
        from_server: bool,
        flags: u8,
        place: SegmentPlace,
        acknowledged: Acknowledged,
        payload: Payload,
        missing: u8,
        pause_ms: u8,
    },
    Wait {
        ms: u32,
    },
    /// A packet from the past.
    Back {
        ms: u16,
    },
}

/// The bytes of a payload that were captured.
fn payload(payload: &Payload, id: u16) -> Vec<u8> {
    const LEN_MAX: usize = 2000;
    match payload {
        Payload::Empty => Vec::new(),
        Payload::Message { len, cut } => {
            let message = message(id, usize::from(*len) % LEN_MAX);
            let mut bytes = (message.len() as u16).to_be_bytes().to_vec();
            bytes.extend(&message);
            let keep = bytes.len() - usize::from(*cut) % bytes.len();
            bytes.truncate(keep);
            bytes
        }
        Payload::Filler(len) => vec![0xff; usize::from(*len) % LEN_MAX],
        Payload::Bytes(bytes) => bytes.to_vec(),
    }
}

struct Disorder {
    streams: Streams,
    limits: StreamLimits,
    sink: MessageSink,
    now_ns: u64,
    sent_bytes: usize,
    segments: usize,
    /// The next sequence number of each direction.
    next: [[u32; 2]; CONNECTIONS as usize],
}

fn disorderly(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let limits =
        StreamLimits { streams: input.int_in_range(1..=5)?, buffered_bytes: input.int_in_range(0..=6000)? };
    let mut disorder = Disorder {
        streams: Streams::new(limits),
        limits,
        sink: MessageSink::default(),
        now_ns: 1000 * MILLISECOND_NS,
        sent_bytes: 0,
        segments: 0,
        next: [[u32::MAX - 300; 2]; CONNECTIONS as usize],
    };
    for _ in 0..OPERATIONS_MAX {
        if input.is_empty() {
            break;
        }
        disorder.perform(&input.arbitrary()?);
        disorder.check();
    }
    disorder.streams.finish(&mut disorder.sink);
    disorder.check();
    assert_eq!((disorder.streams.len(), disorder.streams.buffered_bytes()), (0, 0));
    Ok(())
}

impl Disorder {
    fn check(&self) {
        assert!(self.streams.len() <= self.limits.streams);
        assert!(
            self.streams.buffered_bytes() <= self.limits.buffered_bytes,
            "{}",
            self.streams.buffered_bytes()
        );
        assert!(self.sink.message_bytes <= self.sent_bytes, "more bytes than were sent");
        // A segment gives at most a few events for itself, and one for each gap that it closes.
        assert!(self.sink.events <= 8 * self.segments + 8, "{} events", self.sink.events);
    }

    fn perform(&mut self, operation: &StreamOperation) {
        let wait = |ms: u64| ms * MILLISECOND_NS;
        match operation {
            StreamOperation::Wait { ms } => {
                self.now_ns += wait(u64::from(*ms) % 300_000);
                self.streams.advance(self.now_ns, &mut self.sink);
            }
            StreamOperation::Back { ms } => self.now_ns = self.now_ns.saturating_sub(wait(u64::from(*ms))),
            StreamOperation::Segment {
                connection,
                from_server,
                flags,
                place,
                acknowledged,
                missing,
                pause_ms,
                ..
            } => {
                self.now_ns += wait(u64::from(*pause_ms));
                let connection = connection % CONNECTIONS;
                let [own, peers] = if *from_server { [1, 0] } else { [0, 1] };
                let next = &mut self.next[usize::from(connection)];
                let sequence = match place {
                    SegmentPlace::Next => next[own],
                    SegmentPlace::Behind(len) => next[own].wrapping_add(u32::from(*len)),
                    SegmentPlace::FarBehind(len) => next[own].wrapping_add(u32::from(*len)),
                    SegmentPlace::Before(len) => next[own].wrapping_sub(u32::from(*len)),
                    SegmentPlace::Anywhere(sequence) => *sequence,
                };
                let (ack, acknowledgement) = match acknowledged {
                    Acknowledged::Nothing => (0, 0),
                    Acknowledged::All => (ACK, next[peers]),
                    Acknowledged::Beyond(len) => (ACK, next[peers].wrapping_add(u32::from(*len))),
                    Acknowledged::Anything(number) => (ACK, *number),
                };
                // Seldom a SYN, FIN or RST, so that streams live.
                let flags = if *flags < 0x20 { flags & (SYN | FIN | RST) } else { 0 } | ack;
                let StreamOperation::Segment { payload: wanted, .. } = operation else { return };
                let payload = payload(wanted, self.segments as u16);
                let wire_len = payload.len() as u32 + u32::from(missing.saturating_sub(200));
                next[own] = sequence.wrapping_add(wire_len + u32::from(flags & SYN != 0));
                self.sent_bytes += payload.len();
                self.segments += 1;
                let segment = TcpSegment { sequence, acknowledgement, flags, payload: &payload, wire_len };
                let flow = flow(connection, *from_server);
                self.streams.segment(&flow, segment, self.now_ns, &mut self.sink);
            }
        }
    }
}
