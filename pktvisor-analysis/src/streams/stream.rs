//! One direction of one TCP connection: puts segments in order.
//!
//! Sequence numbers are compared in the ring of 2^32 (RFC 9293 section 3.4); `next` is the first
//! byte not yet taken. A stream passes through these states:
//!
//! ```text
//! Fresh ── SYN, or data in mid-connection ──> Open ── FIN reached, or RST ──> Closed
//!                                               ^─────── SYN, or new data ──────┘
//! ```
//!
//! A closed stream is remembered without memory of its own, so that late retransmissions are
//! recognised.
//!
//! A stream takes bytes that arrive in order. All other bytes wait until [`pair`](super::pair)
//! takes them, which knows both directions of the connection.

mod turns;

use pktvisor_common::classify::tcp_flags::{FIN, RST, SYN};

pub(super) use turns::Head;

use super::arrival::Arrival;
use super::behind::Behind;
use super::framing::Framing;
use super::waiting::Piece;
use super::{GAP_TIMEOUT_NS, Out, StreamSink};
use crate::ReassemblyEvent;
use crate::streams::segment::TcpSegment;
use crate::table::SlotId;

/// The maximum distance of a segment from the expected sequence number, in bytes. A segment further
/// away belongs to another connection, whose SYN was not captured. No window of a DNS connection
/// comes near this.
const WINDOW_MAX: u32 = 16 << 20;
/// The maximum distance of the first captured segment from a SYN that comes later, in bytes.
const LATE_SYN_MAX: u32 = 64 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum StreamState {
    #[default]
    Fresh,
    Open,
    Closed,
}

/// The cost of losing a stream, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Worth {
    /// The stream is closed. A retransmission could be mistaken for new data.
    Closed,
    /// Only a SYN was seen.
    Embryonic,
    /// Message boundaries are known; no bytes are held.
    Idle,
    /// Bytes are held.
    Holding,
}

/// Whether a segment is taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It is taken as far as it is in order.
    Now,
    /// The other direction of the connection has a gap, and the bytes behind it may come first.
    InItsTurn,
}

/// The effect of a SYN on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SynEffect {
    Begins,
    /// Its data overtook it. It only marks the start of the stream.
    Overtaken,
    Repeated,
}

/// One direction of a connection.
#[derive(Default)]
pub(super) struct Stream {
    /// The time of the last segment, in the table's time.
    pub(super) last_ns: u64,
    framing: Framing,
    /// Present while bytes wait or are missing.
    behind: Option<Box<Behind>>,
    /// The first byte's sequence number.
    start: u32,
    next: u32,
    /// The FIN's sequence number, once it was seen.
    fin: Option<u32>,
    /// The other direction of the connection, if it is remembered.
    pub(super) peer: Option<SlotId>,
    state: StreamState,
    /// Whether a SYN has marked the start of the stream.
    start_is_known: bool,
}

impl Stream {
    /// Takes a segment. If it [restarts the stream](Self::restarts_with), no bytes may wait.
    #[inline]
    pub(super) fn segment<S: StreamSink>(
        &mut self,
        segment: &TcpSegment<'_>,
        arrival: Arrival,
        when: When,
        out: &mut Out<'_, S>,
    ) {
        let mut sequence = segment.sequence;
        if segment.flags & RST != 0 {
            // Its payload, if any, is a message for humans (RFC 1122 section 4.2.2.12) and not part
            // of the stream.
            self.last_ns = arrival.now_ns;
            return self.close(self.next);
        }
        if segment.flags & SYN != 0 {
            sequence = sequence.wrapping_add(1);
            self.synchronise(sequence, arrival.now_ns);
        }
        self.last_ns = arrival.now_ns;
        let wire_len = segment.payload_len();
        if wire_len > 0 {
            let bytes = segment.payload;
            let missing = wire_len - bytes.len() as u32;
            let order = arrival.order();
            self.place(Piece { sequence, bytes, missing, arrival, order, starts_segment: true }, when, out);
        }
        if segment.flags & FIN != 0 && self.state == StreamState::Open {
            self.fin.get_or_insert(sequence.wrapping_add(wire_len));
            if !self.close_at_fin() {
                self.behind.get_or_insert_default();
            }
        }
        if self.behind.is_some() {
            self.find_gap(arrival);
        }
    }

    /// The table's time after which the first gap is given up.
    #[inline]
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        self.behind.as_ref().and_then(|behind| behind.gap).map(|gap| gap.deadline_ns())
    }

    /// Memory on the heap, in bytes.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        self.framing.heap_bytes() + self.behind.as_ref().map_or(0, |behind| behind.heap_bytes())
    }

    #[inline]
    pub(super) fn worth(&self) -> Worth {
        match self.state {
            StreamState::Fresh | StreamState::Closed => Worth::Closed,
            StreamState::Open if self.behind.is_some() || self.framing.heap_bytes() > 0 => Worth::Holding,
            StreamState::Open if self.next == self.start => Worth::Embryonic,
            StreamState::Open => Worth::Idle,
        }
    }

    /// Whether all bytes arrived in order and were taken.
    #[inline]
    pub(super) fn is_in_order(&self) -> bool {
        self.behind.is_none()
    }

    /// Whether the peer has acknowledged more than one byte, the length of a FIN, that was not
    /// captured.
    #[inline]
    pub(super) fn lacks(&self, acknowledged: u32) -> bool {
        let len = acknowledged.wrapping_sub(self.next);
        self.state == StreamState::Open && (2..=WINDOW_MAX).contains(&len) && !self.framing.is_lost()
    }

    /// Whether a segment ends the present stream, so that nothing has to wait in either direction.
    pub(super) fn restarts_with(&self, segment: &TcpSegment<'_>, now_ns: u64) -> bool {
        if segment.flags & RST != 0 {
            return true;
        }
        if segment.flags & SYN != 0 {
            return self.syn_effect(segment.sequence.wrapping_add(1), now_ns) == SynEffect::Begins;
        }
        segment.payload_len() > 0 && self.state != StreamState::Fresh && self.is_foreign(segment.sequence)
    }

    /// Handles a SYN with the first byte at `start`.
    fn synchronise(&mut self, start: u32, now_ns: u64) {
        match self.syn_effect(start, now_ns) {
            SynEffect::Repeated => {}
            SynEffect::Overtaken => {
                // The bytes before the first captured segment are lost.
                self.start_is_known = true;
                self.start = start;
            }
            SynEffect::Begins => {
                self.restart(start);
                self.start_is_known = true;
                self.framing = Framing::at_stream_start();
            }
        }
    }

    fn syn_effect(&self, start: u32, now_ns: u64) -> SynEffect {
        if self.state != StreamState::Open {
            return SynEffect::Begins;
        }
        let is_late = !self.start_is_known && self.start.wrapping_sub(start) <= LATE_SYN_MAX;
        if is_late && !self.framing.is_lost() {
            return SynEffect::Overtaken;
        }
        let is_quiet = now_ns.saturating_sub(self.last_ns) > GAP_TIMEOUT_NS;
        match start == self.start && (self.next == start || !is_quiet) {
            true => SynEffect::Repeated,
            false => SynEffect::Begins,
        }
    }

    /// Restarts with the first byte at `start`.
    fn restart(&mut self, start: u32) {
        let (last_ns, peer) = (self.last_ns, self.peer);
        *self = Self { last_ns, peer, start, next: start, state: StreamState::Open, ..Self::default() };
    }

    /// Forgets everything except `next`.
    fn close(&mut self, next: u32) {
        let (last_ns, peer) = (self.last_ns, self.peer);
        *self = Self { last_ns, peer, next, state: StreamState::Closed, ..Self::default() };
    }

    /// Takes the payload, or lets it wait.
    #[inline]
    fn place<S: StreamSink>(&mut self, piece: Piece<&[u8]>, when: When, out: &mut Out<'_, S>) {
        let is_next = piece.sequence == self.next && self.behind.is_none() && self.state == StreamState::Open;
        if is_next && when == When::Now {
            self.take(&piece, piece.arrival.time_ns, out);
        } else {
            self.place_out_of_order(piece, when, out);
        }
    }

    fn place_out_of_order<S: StreamSink>(
        &mut self,
        mut piece: Piece<&[u8]>,
        when: When,
        out: &mut Out<'_, S>,
    ) {
        if self.is_foreign(piece.sequence) {
            self.restart(piece.sequence);
        }
        let ahead = piece.sequence.wrapping_sub(self.next).cast_signed();
        if ahead < 0 && !piece.cut_front(ahead.unsigned_abs()) {
            // RFC 9293 section 3.8.4: a keep-alive repeats the byte before the next one, of any
            // value.
            let is_keep_alive = ahead == -1 && piece.wire_len() == 1;
            if !is_keep_alive {
                out.event(ReassemblyEvent::RetransmittedSegment);
            }
            return;
        }
        let is_lost = self.framing.is_lost();
        if when == When::Now && self.behind.is_none() && (ahead <= 0 || is_lost) {
            if ahead > 0 {
                // The missing bytes would be skipped anyway.
                self.framing.give_up();
                self.next = piece.sequence;
            }
            return self.take(&piece, piece.arrival.time_ns, out);
        }
        let behind = self.behind.get_or_insert_default();
        behind.backdate(&mut piece);
        if !behind.waiting.insert(self.next, &piece) {
            out.event(ReassemblyEvent::RetransmittedSegment);
        }
    }

    /// Whether a sequence number cannot belong to the present stream.
    fn is_foreign(&self, sequence: u32) -> bool {
        let ahead = sequence.wrapping_sub(self.next).cast_signed();
        match self.state {
            StreamState::Open => ahead.unsigned_abs() > WINDOW_MAX,
            StreamState::Closed => ahead >= 0 || ahead.unsigned_abs() > WINDOW_MAX,
            StreamState::Fresh => true,
        }
    }

    /// Takes the next bytes.
    #[inline]
    fn take<S: StreamSink>(&mut self, piece: &Piece<&[u8]>, time_ns: u64, out: &mut Out<'_, S>) {
        self.next = self.next.wrapping_add(piece.wire_len());
        self.framing.take(piece.bytes, piece.missing, piece.starts_segment, time_ns, out);
    }

    /// Closes the stream if everything before its FIN was taken or given up.
    fn close_at_fin(&mut self) -> bool {
        let end = self.fin.filter(|&fin| self.next.wrapping_sub(fin).cast_signed() >= 0);
        if let Some(fin) = end {
            self.close(fin.wrapping_add(1));
        }
        end.is_some()
    }
}
