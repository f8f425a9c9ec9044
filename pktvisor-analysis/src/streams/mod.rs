//! DNS messages out of TCP (RFC 1035 section 4.2.2, RFC 7766), whatever the segments they travel in.
//!
//! Each direction of a connection is a stream of its own. A message that lies whole in a segment that comes in order
//! is handed on where it lies; everything else is buffered within two ceilings, one for each stream, one for all
//! ([`Limits`]), and what is given up for them is counted.
//!
//! - What was sent first, wins: bytes that arrive twice are taken as they arrived first.
//! - A gap is given up when packet time has moved on by more than 2 s since the first segment behind it, or when more
//!   than 64 KiB (or 1024 pieces) would wait, or when the connection ends. Parsing resumes at the first segment that
//!   begins like a message.
//! - A stream whose SYN was not captured is parsed from its first segment on, if that begins like a message.
//! - Bytes beyond a snapped segment are known never to come, so nothing waits for them. A message that they cut is
//!   handed on as truncated if at least its header is there.
//! - A message is complete when everything before it and itself have come; the segment that brings that about gives
//!   it its time. Behind a gap that was given up, a message's time is that of its own latest segment. That may lie some
//!   seconds in the past when the gap is given up because of another stream's packet.

mod framing;
mod segment;
mod stream;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeSet;

pub use segment::TcpSegment;
use stream::{Stream, Worth};

use super::table::{SlotId, Table};
use super::{Flow, ReassemblyEvent};

/// How long a gap may wait to be filled, in nanoseconds of packet time; exactly this long is in time.
pub const GAP_TIMEOUT_NS: u64 = 2_000_000_000;
/// After how much silence a stream is forgotten, in nanoseconds of packet time. RFC 7766 section 6.2.3 wants idle
/// time-outs of seconds; this leaves generous servers room.
pub const IDLE_TIMEOUT_NS: u64 = 120_000_000_000;

/// Receives what streams contain.
pub trait StreamSink {
    /// A message, without its length. `truncated`: the capture holds only its first bytes, at least 12.
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, message: &[u8], truncated: bool);
    /// Something was given up or put right.
    fn event(&mut self, event: ReassemblyEvent);
}

/// Ceilings of a [`Streams`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams, two for each connection. Each costs about 130 bytes.
    pub streams: usize,
    /// Memory for bytes that wait, of all streams together, in bytes.
    pub buffered_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: 65_536, buffered_bytes: 8 << 20 }
    }
}

/// All streams that are being followed.
pub struct Streams {
    table: Table<Flow, Stream, 4>,
    /// Streams with a gap, by the time since when it waits.
    gaps: BTreeSet<(u64, SlotId)>,
    limits: Limits,
    buffered_bytes: usize,
    /// The latest time stamp: never goes back.
    now_ns: u64,
    /// No time-out ends before this.
    next_timeout_ns: u64,
}

/// Queues of the table in the order in which they are sacrificed: one for each [`Worth`].
const QUEUES: [Worth; 4] = [Worth::Closed, Worth::Embryonic, Worth::Idle, Worth::Holding];

impl Default for Streams {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Streams {
    /// No streams yet. Memory for all of them is set aside at once.
    pub fn new(limits: Limits) -> Self {
        Self {
            table: Table::new(limits.streams),
            gaps: BTreeSet::new(),
            limits,
            buffered_bytes: 0,
            now_ns: 0,
            next_timeout_ns: u64::MAX,
        }
    }

    /// Streams that are remembered.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no stream is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory for bytes that wait, in bytes: never above [`Limits::buffered_bytes`] between two calls.
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }

    /// Takes one segment of `flow`.
    #[inline]
    pub fn segment(
        &mut self,
        flow: &Flow,
        segment: TcpSegment<'_>,
        timestamp_ns: u64,
        sink: &mut impl StreamSink,
    ) {
        self.advance(timestamp_ns, sink);
        let id = match self.table.find(flow) {
            Some(id) => id,
            None if segment.begins_stream() => self.insert(flow, sink),
            None => return,
        };
        let stream = &mut self.table[id];
        let (heap_before, gap_before) = (stream.heap_bytes(), stream.gap_since_ns());
        stream.segment(&segment, timestamp_ns, self.now_ns, &mut Out { flow, sink });
        let worth = stream.worth();
        self.table.move_to_back(id, worth as u8);
        if heap_before > 0 || worth == Worth::Holding {
            self.account(id, heap_before, gap_before);
            self.shed(sink);
        }
    }

    /// Says that packet time has reached `now_ns`: gives up what has waited for too long. For times without packets;
    /// each segment brings its own time.
    #[inline]
    pub fn advance(&mut self, now_ns: u64, sink: &mut impl StreamSink) {
        self.now_ns = self.now_ns.max(now_ns);
        if self.now_ns > self.next_timeout_ns {
            self.time_out(sink);
        }
    }

    /// The capture has ended: nothing that is missing will come. Hands on what lies behind gaps, forgets all streams.
    pub fn finish(&mut self, sink: &mut impl StreamSink) {
        while let Some(&(_, id)) = self.gaps.first() {
            self.give_up(id, sink, Stream::give_up_everything);
        }
        while let Some(id) = self.least_worthy() {
            self.remove(id);
        }
    }

    fn insert(&mut self, flow: &Flow, sink: &mut impl StreamSink) -> SlotId {
        while self.table.is_full() {
            let Some(id) = self.least_worthy() else { break };
            self.evict(id, sink);
        }
        self.next_timeout_ns = self.next_timeout_ns.min(self.now_ns.saturating_add(IDLE_TIMEOUT_NS));
        self.table.insert(*flow, Stream::default(), Worth::Closed as u8)
    }

    fn least_worthy(&self) -> Option<SlotId> {
        QUEUES.iter().find_map(|&worth| self.table.front(worth as u8))
    }

    #[cold]
    fn time_out(&mut self, sink: &mut impl StreamSink) {
        let now_ns = self.now_ns;
        while let Some(&(since_ns, id)) = self.gaps.first()
            && now_ns - since_ns.min(now_ns) > GAP_TIMEOUT_NS
        {
            self.give_up(id, sink, Stream::give_up_gap);
        }
        let mut next_ns = self.gaps.first().map_or(u64::MAX, |gap| gap.0.saturating_add(GAP_TIMEOUT_NS));
        for worth in QUEUES {
            while let Some(id) = self.table.front(worth as u8) {
                let timeout_ns = self.table[id].last_ns.saturating_add(IDLE_TIMEOUT_NS);
                if now_ns <= timeout_ns {
                    next_ns = next_ns.min(timeout_ns);
                    break;
                }
                self.remove(id);
            }
        }
        self.next_timeout_ns = next_ns;
    }

    /// Gives up one or all gaps of a stream.
    fn give_up<S: StreamSink>(
        &mut self,
        id: SlotId,
        sink: &mut S,
        how: impl FnOnce(&mut Stream, &mut Out<'_, S>),
    ) {
        let flow = *self.table.key(id);
        let stream = &mut self.table[id];
        let (heap_before, gap_before) = (stream.heap_bytes(), stream.gap_since_ns());
        how(stream, &mut Out { flow: &flow, sink });
        let worth = stream.worth();
        self.table.move_to_back(id, worth as u8);
        self.account(id, heap_before, gap_before);
    }

    /// Brings the sums up to date after a stream has changed.
    fn account(&mut self, id: SlotId, heap_before: usize, gap_before: Option<u64>) {
        let stream = &self.table[id];
        self.buffered_bytes = self.buffered_bytes - heap_before + stream.heap_bytes();
        let gap = stream.gap_since_ns();
        if gap != gap_before {
            if let Some(since_ns) = gap_before {
                self.gaps.remove(&(since_ns, id));
            }
            if let Some(since_ns) = gap {
                self.gaps.insert((since_ns, id));
                self.next_timeout_ns = self.next_timeout_ns.min(since_ns.saturating_add(GAP_TIMEOUT_NS));
            }
        }
    }

    /// Keeps to the ceiling of memory.
    fn shed(&mut self, sink: &mut impl StreamSink) {
        while self.buffered_bytes > self.limits.buffered_bytes {
            let Some(id) = self.table.front(Worth::Holding as u8) else { break };
            self.evict(id, sink);
        }
    }

    fn evict(&mut self, id: SlotId, sink: &mut impl StreamSink) {
        if self.table[id].worth() != Worth::Closed {
            self.give_up(id, sink, Stream::give_up_everything);
            sink.event(ReassemblyEvent::StreamEvicted);
        }
        self.remove(id);
    }

    fn remove(&mut self, id: SlotId) {
        let (_, stream) = self.table.remove(id);
        self.buffered_bytes -= stream.heap_bytes();
        if let Some(since_ns) = stream.gap_since_ns() {
            self.gaps.remove(&(since_ns, id));
        }
    }
}

/// The way out of a stream: the sink, and whose messages it gets.
struct Out<'a, S> {
    flow: &'a Flow,
    sink: &'a mut S,
}

impl<S: StreamSink> Out<'_, S> {
    #[inline]
    fn message(&mut self, time_ns: u64, message: &[u8], truncated: bool) {
        self.sink.message(self.flow, time_ns, message, truncated);
    }

    #[inline]
    fn event(&mut self, event: ReassemblyEvent) {
        self.sink.event(event);
    }
}
