//! DNS over TCP (RFC 7766): handshake, one or several queries, their responses when they are ready,
//! and the close.

mod emission;

use super::addresses::Parties;
use super::facts::{MessageFacts, MessageTransport};
use super::frame::{VlanTags, tcp_flags};
use super::message::{DnsExchange, draw_exchange};
use super::stage::{MICROSECOND_NS, MILLISECOND_NS, Role, SECOND_NS, Stage};

/// The most packets that a connection with one exchange takes.
pub(crate) const SINGLE_PACKETS_MAX: u64 = 3 + SEGMENTS_PER_MESSAGE_MAX * 4 + 2 + 3;
/// The most packets that any connection takes.
pub(crate) const PACKETS_MAX: u64 = 3 + EXCHANGES_MAX * (SEGMENTS_PER_MESSAGE_MAX * 4 + 2) + 3;

const EXCHANGES_MAX: u64 = 6;
/// A message of 4,300 bytes at most, or one of any size in random pieces; twice that with
/// duplicates.
const SEGMENTS_PER_MESSAGE_MAX: u64 = 4;
/// Payload of a full segment: the maximum segment size of the SYN, less room for options.
const SEGMENT_LEN_MAX: usize = 1428;

/// The sender of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConversationSide {
    Client,
    Server,
}

/// Bytes written at once by one side, and the messages that end in them.
#[derive(Debug)]
struct Write {
    at_ns: u64,
    side: ConversationSide,
    bytes: Vec<u8>,
    /// Offset after the last byte, within `bytes`.
    messages: Vec<(usize, MessageFacts)>,
}

/// One segment, before its completed messages are known.
#[derive(Clone, Copy, Debug)]
struct Planned {
    at_ns: u64,
    side: ConversationSide,
    seq: u32,
    ack: u32,
    flags: u8,
    /// Payload in the stream of its side.
    start: usize,
    end: usize,
}

/// One connection while it is planned.
#[derive(Debug)]
struct TcpConversation {
    parties: Parties,
    client_port: u16,
    tags: VlanTags,
    role: Role,
    segments: Vec<Planned>,
    /// Sent so far: the client's stream, the server's.
    streams: [Vec<u8>; 2],
    messages: [Vec<(usize, MessageFacts)>; 2],
    first_seq: [u32; 2],
    /// Sequence space taken by SYN and FIN.
    controls: [u32; 2],
}

/// Plans a connection whose first packet is due at `now_ns`.
pub(crate) fn converse(stage: &mut Stage, now_ns: u64) {
    let role = stage.role();
    let parties = stage.parties(role);
    let several = stage.rng.chance(0.3);
    let count = if several { stage.rng.between(2, EXCHANGES_MAX) } else { 1 };
    let exchanges: Vec<DnsExchange> =
        (0..count).map(|_| draw_exchange(stage, MessageTransport::Tcp, role.asked_server())).collect();
    TcpConversation::open(stage, role, parties).run(stage, now_ns, &exchanges);
}

/// Plans a connection that repeats a question whose response did not fit into UDP.
pub(crate) fn ask_again(stage: &mut Stage, now_ns: u64, role: Role, parties: Parties, exchange: DnsExchange) {
    let exchange = DnsExchange { id: stage.rng.next_u64() as u16, ..exchange };
    TcpConversation::open(stage, role, parties).run(stage, now_ns, &[exchange]);
}

impl TcpConversation {
    fn open(stage: &mut Stage, role: Role, parties: Parties) -> Self {
        let first_seq = stage.rng.next_u64();
        Self {
            parties,
            client_port: stage.port(),
            tags: stage.tags(),
            role,
            segments: Vec::new(),
            streams: [Vec::new(), Vec::new()],
            messages: [Vec::new(), Vec::new()],
            first_seq: [first_seq as u32, (first_seq >> 32) as u32],
            controls: [0; 2],
        }
    }

    fn run(mut self, stage: &mut Stage, now_ns: u64, exchanges: &[DnsExchange]) {
        let round_trip_ns = stage.round_trip_ns();
        // A packet of the peer first travels to the host.
        let (to_server_ns, to_client_ns) = match self.role {
            Role::Server => (40 * MICROSECOND_NS, round_trip_ns),
            Role::Client => (round_trip_ns, 30 * MICROSECOND_NS),
            Role::Bystander => (round_trip_ns / 2, round_trip_ns / 2),
        };
        self.control(now_ns, ConversationSide::Client, tcp_flags::SYN);
        let accepted_ns = stage.after(now_ns, to_server_ns);
        self.control(accepted_ns, ConversationSide::Server, tcp_flags::SYN | tcp_flags::ACK);
        let open_ns = stage.after(accepted_ns, to_client_ns);
        self.control(open_ns, ConversationSide::Client, tcp_flags::ACK);

        let mut last_ns = open_ns;
        for write in self.plan_writes(stage, open_ns, exchanges) {
            last_ns = self.send(stage, &write).max(last_ns);
        }
        self.close(stage, last_ns, to_server_ns, to_client_ns);
        self.disturb(stage);
        self.emit(stage);
    }

    /// Queries one after the other or all at once, responses when they are ready, in order of time.
    fn plan_writes(&self, stage: &mut Stage, open_ns: u64, exchanges: &[DnsExchange]) -> Vec<Write> {
        let together = stage.rng.chance(0.3);
        let mut writes: Vec<Write> = Vec::with_capacity(2 * exchanges.len());
        let mut at_ns = open_ns;
        for exchange in exchanges {
            at_ns += stage.rng.between(20, 400) * MICROSECOND_NS;
            let mut bytes = Vec::with_capacity(64);
            prefixed(&mut bytes, |out| exchange.write_query(&stage.names, out));
            let facts = exchange.facts(MessageTransport::Tcp, (self.client_port, 53), None);
            let facts = MessageFacts { bytes: bytes.len() as u64 - 2, ..facts };
            match writes.iter_mut().find(|write| together && write.side == ConversationSide::Client) {
                Some(first) => {
                    first.bytes.append(&mut bytes);
                    first.messages.push((first.bytes.len(), facts));
                }
                None => {
                    let messages = vec![(bytes.len(), facts)];
                    writes.push(Write { at_ns, side: ConversationSide::Client, bytes, messages });
                }
            }
            if stage.rng.chance(0.01) {
                continue;
            }
            let mut bytes = Vec::with_capacity(256);
            let mut written = None;
            prefixed(&mut bytes, |out| {
                written = Some(exchange.write_response(&stage.names, usize::from(u16::MAX), out));
            });
            let facts = exchange.facts(MessageTransport::Tcp, (53, self.client_port), written);
            let facts = MessageFacts { bytes: bytes.len() as u64 - 2, ..facts };
            let messages = vec![(bytes.len(), facts)];
            // The pieces of a split query take a moment to arrive.
            let answer_ns = MILLISECOND_NS + stage.answer_time_ns(self.role);
            let at_ns = stage.after(at_ns, answer_ns);
            writes.push(Write { at_ns, side: ConversationSide::Server, bytes, messages });
        }
        writes.sort_by_key(|write| write.at_ns);
        writes
    }

    /// Cuts a write into segments, sends them and perhaps an acknowledgement, and returns when the
    /// last one is due.
    fn send(&mut self, stage: &mut Stage, write: &Write) -> u64 {
        let side = write.side as usize;
        let base = self.streams[side].len();
        self.streams[side].extend_from_slice(&write.bytes);
        self.messages[side].extend(write.messages.iter().map(|(end, facts)| (base + end, *facts)));
        let mut start = 0;
        // Later writes of the same side must not overtake this one.
        let earliest_ns =
            self.segments.iter().filter(|s| s.side == write.side).map(|s| s.at_ns + MICROSECOND_NS).max();
        let mut at_ns = write.at_ns.max(earliest_ns.unwrap_or(0));
        let mut pieces = 0;
        while start < write.bytes.len() {
            let left = write.bytes.len() - start;
            pieces += 1;
            let mut len = left.min(SEGMENT_LEN_MAX);
            if stage.config.split_tcp && pieces < SEGMENTS_PER_MESSAGE_MAX && left <= SEGMENT_LEN_MAX {
                // Often inside the length prefix.
                len = if pieces == 1 && stage.rng.chance(0.2) {
                    1
                } else {
                    stage.rng.between(1, left as u64) as usize
                };
            }
            let last = start + len == write.bytes.len();
            let flags = tcp_flags::ACK | if last { tcp_flags::PSH } else { 0 };
            self.segment(at_ns, write.side, flags, base + start..base + start + len);
            start += len;
            at_ns += stage.rng.between(5, 100) * MICROSECOND_NS;
        }
        if stage.rng.chance(0.5) {
            let other = if write.side == ConversationSide::Client {
                ConversationSide::Server
            } else {
                ConversationSide::Client
            };
            self.control(at_ns, other, tcp_flags::ACK);
        }
        at_ns
    }

    fn close(&mut self, stage: &mut Stage, last_ns: u64, to_server_ns: u64, to_client_ns: u64) {
        let pause_ns = stage.time_ns(MILLISECOND_NS, 1.0).min(SECOND_NS);
        let at_ns = stage.after(last_ns + 200 * MICROSECOND_NS, pause_ns);
        if stage.rng.chance(0.08) {
            self.control(at_ns, ConversationSide::Client, tcp_flags::RST | tcp_flags::ACK);
            return;
        }
        self.control(at_ns, ConversationSide::Client, tcp_flags::FIN | tcp_flags::ACK);
        let at_ns = stage.after(at_ns, to_server_ns);
        self.control(at_ns, ConversationSide::Server, tcp_flags::FIN | tcp_flags::ACK);
        let at_ns = stage.after(at_ns, to_client_ns);
        self.control(at_ns, ConversationSide::Client, tcp_flags::ACK);
    }

    /// A segment without payload.
    fn control(&mut self, at_ns: u64, side: ConversationSide, flags: u8) {
        let end = self.streams[side as usize].len();
        self.segment(at_ns, side, flags, end..end);
        if flags & (tcp_flags::SYN | tcp_flags::FIN) != 0 {
            self.controls[side as usize] += 1;
        }
    }

    fn segment(&mut self, at_ns: u64, side: ConversationSide, flags: u8, payload: std::ops::Range<usize>) {
        let own = side as usize;
        let other = 1 - own;
        let seq = self.first_seq[own].wrapping_add(self.controls[own]).wrapping_add(payload.start as u32);
        let ack = self.first_seq[other]
            .wrapping_add(self.controls[other])
            .wrapping_add(self.streams[other].len() as u32);
        let ack = if flags & tcp_flags::ACK != 0 { ack } else { 0 };
        self.segments.push(Planned { at_ns, side, seq, ack, flags, start: payload.start, end: payload.end });
    }
}

/// Writes a message behind its length (RFC 1035 section 4.2.2).
fn prefixed(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut message = Vec::with_capacity(128);
    write(&mut message);
    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
    out.append(&mut message);
}
