//! One direction of one TCP connection: puts segments in order.
//!
//! Sequence numbers are compared in the ring of 2^32 (RFC 9293 section 3.4); `next` is the first byte not yet taken.
//! A stream passes through these states:
//!
//! ```text
//! Fresh ── SYN, or data in mid-connection ──> Open ── FIN reached, or RST ──> Closed
//!                                               ^─────── SYN, or new data ──────┘
//! ```
//!
//! A closed stream is remembered without memory of its own, so that what is retransmitted late is recognised.

use pktvisor_common::classify::tcp_flags::{FIN, RST, SYN};

use super::framing::Framing;
use super::waiting::{Piece, Waiting};
use super::{GAP_TIMEOUT_NS, Out, StreamSink, TcpSegment};
use crate::ReassemblyEvent;

/// How far from the expected sequence number a segment may lie, in bytes; beyond it belongs to another connection,
/// whose SYN was not captured. Ample: no window of a DNS connection comes near.
const WINDOW_MAX: u32 = 16 << 20;
/// How far the first captured segment may lie behind a SYN that comes later, in bytes.
const LATE_SYN_MAX: u32 = 64 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Fresh,
    Open,
    Closed,
}

/// What losing a stream would cost, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Worth {
    /// Closed: nothing but a retransmission's being taken for new.
    Closed,
    /// Nothing but a SYN was seen.
    Embryonic,
    /// Message boundaries; nothing is held in memory.
    Idle,
    /// Bytes held in memory.
    Holding,
}

/// What lies behind a gap: data, or the FIN alone.
struct Behind {
    waiting: Waiting,
    /// Since when it waits, in the table's time.
    since_ns: u64,
}

impl Behind {
    fn nothing_since(since_ns: u64) -> Box<Self> {
        Box::new(Self { waiting: Waiting::default(), since_ns })
    }
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Stream {
    /// When the last segment came, in the table's time.
    pub(super) last_ns: u64,
    framing: Framing,
    /// Present while there is a gap.
    behind: Option<Box<Behind>>,
    /// The first byte's sequence number.
    start: u32,
    next: u32,
    /// The FIN's sequence number, once it was seen.
    fin: Option<u32>,
    state: State,
    /// Whether a SYN told where the stream starts.
    start_is_known: bool,
}

impl Stream {
    /// Takes a segment that was captured at `time_ns`, when it is `now_ns` for the table.
    #[inline]
    pub(super) fn segment<S: StreamSink>(
        &mut self,
        segment: &TcpSegment<'_>,
        time_ns: u64,
        now_ns: u64,
        out: &mut Out<'_, S>,
    ) {
        let mut sequence = segment.sequence;
        if segment.flags & RST != 0 {
            // Its payload, if any, is a remark for humans (RFC 1122 section 4.2.2.12), not part of the stream.
            self.give_up_everything(out);
            self.close(self.next);
        } else if segment.flags & SYN != 0 {
            sequence = sequence.wrapping_add(1);
            self.synchronise(sequence, now_ns, out);
        }
        self.last_ns = now_ns;
        if segment.flags & RST != 0 {
            return;
        }
        let wire_len = segment.wire_len.max(segment.payload.len() as u32);
        if wire_len > 0 {
            let bytes = segment.payload;
            let missing = wire_len - bytes.len() as u32;
            let arrived_ns = now_ns;
            self.place(Piece { sequence, bytes, missing, time_ns, arrived_ns, starts_segment: true }, out);
        }
        if segment.flags & FIN != 0 && self.state == State::Open {
            self.fin.get_or_insert(sequence.wrapping_add(wire_len));
            if !self.close_at_fin() && self.behind.is_none() {
                self.behind = Some(Behind::nothing_since(now_ns));
            }
        }
    }

    /// Since when the first gap waits, in the table's time.
    #[inline]
    pub(super) fn gap_since_ns(&self) -> Option<u64> {
        self.behind.as_ref().map(|behind| behind.since_ns)
    }

    /// Memory on the heap, in bytes.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        let behind =
            self.behind.as_ref().map_or(0, |behind| size_of::<Behind>() + behind.waiting.heap_bytes());
        self.framing.heap_bytes() + behind
    }

    #[inline]
    pub(super) fn worth(&self) -> Worth {
        match self.state {
            State::Fresh | State::Closed => Worth::Closed,
            State::Open if self.behind.is_some() || self.framing.heap_bytes() > 0 => Worth::Holding,
            State::Open if self.next == self.start => Worth::Embryonic,
            State::Open => Worth::Idle,
        }
    }

    /// Gives up the first gap: goes on at the first segment behind it that looks like the beginning of a message.
    ///
    /// The time of messages found there is that at which their last byte was captured.
    pub(super) fn give_up_gap<S: StreamSink>(&mut self, out: &mut Out<'_, S>) {
        let Some(behind) = &self.behind else { return };
        let resume = behind.waiting.front().map(|piece| piece.sequence).or(self.fin);
        out.event(ReassemblyEvent::Gap);
        self.framing.give_up();
        self.next = resume.unwrap_or(self.next);
        self.drain(0, behind.since_ns, out);
    }

    /// Gives up one gap after the other until nothing waits.
    pub(super) fn give_up_everything<S: StreamSink>(&mut self, out: &mut Out<'_, S>) {
        while self.behind.is_some() {
            self.give_up_gap(out);
        }
    }

    /// A SYN says that the first byte is `start`.
    fn synchronise<S: StreamSink>(&mut self, start: u32, now_ns: u64, out: &mut Out<'_, S>) {
        if self.state == State::Open {
            let is_late = !self.start_is_known && self.start.wrapping_sub(start) <= LATE_SYN_MAX;
            if is_late && !self.framing.is_lost() {
                // Overtaken by its data. What should come before the first captured segment has passed.
                self.start_is_known = true;
                self.start = start;
                return;
            }
            let is_quiet = now_ns.saturating_sub(self.last_ns) > GAP_TIMEOUT_NS;
            if start == self.start && (self.next == start || !is_quiet) {
                return; // Repeated.
            }
            self.give_up_everything(out);
        }
        *self =
            Self { start_is_known: true, framing: Framing::at_stream_start(), ..Self::starting_at(start) };
    }

    fn starting_at(start: u32) -> Self {
        Self { start, next: start, state: State::Open, ..Self::default() }
    }

    /// Forgets everything but that `next` would come next.
    fn close(&mut self, next: u32) {
        *self = Self { last_ns: self.last_ns, next, state: State::Closed, ..Self::default() };
    }

    /// Puts payload where it belongs.
    #[inline]
    fn place<S: StreamSink>(&mut self, piece: Piece<&[u8]>, out: &mut Out<'_, S>) {
        if piece.sequence == self.next && self.behind.is_none() && self.state == State::Open {
            self.take(&piece, piece.time_ns, out);
        } else {
            self.place_out_of_order(piece, out);
        }
    }

    fn place_out_of_order<S: StreamSink>(&mut self, mut piece: Piece<&[u8]>, out: &mut Out<'_, S>) {
        loop {
            let ahead = self.distance(piece.sequence, out);
            if ahead < 0 && !piece.cut_front(ahead.unsigned_abs()) {
                // RFC 9293 section 3.8.4: a keep-alive repeats the byte before the next one, whatever it was.
                let is_keep_alive = ahead == -1 && piece.wire_len() == 1;
                if !is_keep_alive {
                    out.event(ReassemblyEvent::RetransmittedSegment);
                }
                return;
            }
            let Some(behind) = &mut self.behind else {
                if ahead > 0 && !self.framing.is_lost() {
                    self.behind = Some(Behind::nothing_since(piece.arrived_ns));
                    continue;
                }
                if ahead > 0 {
                    // What is missing belongs to what is passed over anyway.
                    self.framing.give_up();
                    self.next = piece.sequence;
                }
                return self.take(&piece, piece.time_ns, out);
            };
            if ahead > 0 && behind.waiting.is_full_for(piece.wire_len()) {
                self.give_up_gap(out);
                continue;
            }
            if !behind.waiting.insert(self.next, &piece) {
                out.event(ReassemblyEvent::RetransmittedSegment);
            } else if ahead <= 0 {
                self.drain(piece.time_ns, piece.arrived_ns, out);
            }
            return;
        }
    }

    /// How far ahead of `next` a segment begins; a stream that it cannot belong to begins anew with it.
    fn distance<S: StreamSink>(&mut self, sequence: u32, out: &mut Out<'_, S>) -> i32 {
        let ahead = sequence.wrapping_sub(self.next).cast_signed();
        let is_foreign = match self.state {
            State::Open => ahead.unsigned_abs() > WINDOW_MAX,
            State::Closed => ahead >= 0 || ahead.unsigned_abs() > WINDOW_MAX,
            State::Fresh => true,
        };
        if is_foreign {
            self.give_up_everything(out);
            *self = Self { last_ns: self.last_ns, ..Self::starting_at(sequence) };
            return 0;
        }
        ahead
    }

    /// Takes what comes next.
    #[inline]
    fn take<S: StreamSink>(&mut self, piece: &Piece<&[u8]>, time_ns: u64, out: &mut Out<'_, S>) {
        self.next = self.next.wrapping_add(piece.wire_len());
        self.framing.take(piece.bytes, piece.missing, piece.starts_segment, time_ns, out);
    }

    /// Takes what waits, up to the next gap. `time_ns` is when the first of it could be taken.
    fn drain<S: StreamSink>(&mut self, mut time_ns: u64, now_ns: u64, out: &mut Out<'_, S>) {
        while let Some(piece) = self.pop_waiting() {
            time_ns = time_ns.max(piece.time_ns);
            self.take(&piece.borrowed(), time_ns, out);
        }
        if self.close_at_fin() {
            return;
        }
        if let Some(behind) = &mut self.behind {
            match behind.waiting.front() {
                Some(front) => behind.since_ns = front.arrived_ns,
                None if self.fin.is_some() => behind.since_ns = now_ns,
                None => self.behind = None,
            }
        }
    }

    /// The next waiting piece if it is due: always, where boundaries are lost, since gaps do not matter there.
    fn pop_waiting(&mut self) -> Option<Piece> {
        let waiting = &mut self.behind.as_mut()?.waiting;
        let sequence = waiting.front()?.sequence;
        if sequence != self.next {
            if !self.framing.is_lost() {
                return None;
            }
            self.framing.give_up();
            self.next = sequence;
        }
        waiting.pop_front()
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
