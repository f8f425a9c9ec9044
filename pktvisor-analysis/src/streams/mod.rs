//! Reassembles DNS messages over TCP (RFC 1035 section 4.2.2, RFC 7766).
//!
//! Each direction of a connection is a stream of its own. A whole message in a segment that arrives
//! in order is passed on in place. All other bytes are buffered within two ceilings, one per stream
//! and one for all ([`StreamLimits`]). Bytes that are given up at a ceiling are counted.
//!
//! - Bytes that arrive twice count as they arrived first.
//! - A gap is given up 10 ms of packet time after the peer has acknowledged the missing bytes,
//!   because then nobody will send them again. Otherwise it is given up when packet time is more
//!   than 2 s later than the first segment behind it, when more than 64 KiB (or 1024 pieces) would
//!   wait, or when the connection ends. Parsing resumes at the first segment that begins like a
//!   message.
//! - While one direction of a connection has a gap, the other one waits too. Waiting segments are
//!   then taken in the order of their time stamps, so that a response never comes before its query.
//! - A stream without a captured SYN is parsed from its first segment that begins like a message.
//! - Nothing waits for the bytes beyond the end of a snapped segment. A message that is cut there is
//!   passed on as truncated if it has at least its header.
//! - A message is complete when all its bytes and all earlier ones have arrived; the segment that
//!   completes it gives it its time. Behind a gap that was given up, or that the peer had
//!   acknowledged before it was filled, a message has the time of its own latest segment. That may
//!   be some seconds in the past.

mod arrival;
mod behind;
mod expiry;
mod framing;
mod pair;
mod plausible;
mod segment;
mod stream;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeSet;

use arrival::Arrival;
pub use arrival::REORDERING_NS;
pub use segment::TcpSegment;
use stream::{Stream, When, Worth};

use pktvisor_common::classify::Captured;

use crate::flow::Flow;
use crate::observer::ReassemblyEvent;
use crate::table::{SlotId, Table};

/// The maximum time that a gap may wait to be filled, in nanoseconds of packet time.
pub const GAP_TIMEOUT_NS: u64 = 2_000_000_000;
/// The silence after which a stream is forgotten, in nanoseconds of packet time. RFC 7766 section
/// 6.2.3 recommends idle time-outs of seconds; some servers allow more.
pub const IDLE_TIMEOUT_NS: u64 = 120_000_000_000;

/// Receives the contents of streams.
pub trait StreamSink {
    /// A message of at least 12 captured bytes, without its length.
    fn message(&mut self, flow: &Flow, timestamp_ns: u64, message: &[u8], captured: Captured);
    /// An event of reassembly.
    fn event(&mut self, event: ReassemblyEvent);
}

/// Ceilings of a [`Streams`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Number of streams, two per connection. A stream takes about 130 bytes.
    pub streams: usize,
    /// Memory for waiting bytes of all streams together, in bytes.
    pub buffered_bytes: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { streams: 65_536, buffered_bytes: 8 << 20 }
    }
}

/// The table of streams.
pub struct Streams {
    table: Table<Flow, Stream, 4>,
    /// Streams with a gap, by the time after which it is given up.
    gaps: BTreeSet<(u64, SlotId)>,
    limits: StreamLimits,
    buffered_bytes: usize,
    /// Number of segments so far.
    arrivals: u64,
    /// The latest time stamp. It never goes back.
    now_ns: u64,
    /// No time-out ends before this.
    next_timeout_ns: u64,
}

/// Queues of the table in the order in which their streams are dropped: one for each [`Worth`].
const QUEUES: [Worth; 4] = [Worth::Closed, Worth::Embryonic, Worth::Idle, Worth::Holding];

impl Default for Streams {
    fn default() -> Self {
        Self::new(StreamLimits::default())
    }
}

impl Streams {
    /// An empty table. It reserves the memory for all streams at once.
    pub fn new(limits: StreamLimits) -> Self {
        Self {
            table: Table::new(limits.streams),
            gaps: BTreeSet::new(),
            limits,
            buffered_bytes: 0,
            arrivals: 0,
            now_ns: 0,
            next_timeout_ns: u64::MAX,
        }
    }

    /// Number of remembered streams.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no stream is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory for waiting bytes, in bytes: never above [`StreamLimits::buffered_bytes`] between two
    /// calls.
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
        self.arrivals += 1;
        let arrival = self.arrival(timestamp_ns);
        let stream = &self.table[id];
        let peer = stream.peer.map(|peer| &self.table[peer]);
        let acknowledged = segment.acknowledged();
        let waits_for_nothing = |peer: &Stream| {
            peer.is_in_order() && !acknowledged.is_some_and(|acknowledged| peer.lacks(acknowledged))
        };
        if !stream.is_in_order() || !peer.is_none_or(waits_for_nothing) {
            return self.segment_in_turn(id, &segment, arrival, sink);
        }
        let stream = &mut self.table[id];
        let heap_before = stream.heap_bytes();
        stream.segment(&segment, arrival, When::Now, &mut Out { flow, sink });
        let worth = stream.worth();
        self.table.move_to_back(id, worth as u8);
        if heap_before > 0 || worth == Worth::Holding {
            self.account(id, Books { heap_bytes: heap_before, deadline_ns: None });
        }
        self.shed(sink);
    }

    /// The arrival of a segment that comes now, with this time stamp.
    fn arrival(&self, time_ns: u64) -> Arrival {
        Arrival { time_ns, now_ns: self.now_ns, number: self.arrivals }
    }

    /// Moves packet time to `now_ns` and gives up what has waited too long. For times without
    /// packets; each segment brings its own time.
    #[inline]
    pub fn advance(&mut self, now_ns: u64, sink: &mut impl StreamSink) {
        self.now_ns = self.now_ns.max(now_ns);
        if self.now_ns > self.next_timeout_ns {
            self.time_out(sink);
        }
    }

    /// Ends the capture: passes on the messages behind gaps and forgets all streams.
    pub fn finish(&mut self, sink: &mut impl StreamSink) {
        while let Some(&(_, id)) = self.gaps.first() {
            self.give_up_everything(id, sink);
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
        let id = self.table.insert(*flow, Stream::default(), Worth::Closed as u8);
        let peer = self.table.find(&flow.reversed()).filter(|&peer| peer != id);
        self.table[id].peer = peer;
        if let Some(peer) = peer {
            self.table[peer].peer = Some(id);
        }
        id
    }

    fn least_worthy(&self) -> Option<SlotId> {
        QUEUES.iter().find_map(|&worth| self.table.front(worth as u8))
    }

    /// Updates the sums after a stream has changed.
    fn account(&mut self, id: SlotId, before: Books) {
        let Books { heap_bytes, deadline_ns } = Books::of(&self.table[id]);
        self.buffered_bytes = self.buffered_bytes - before.heap_bytes + heap_bytes;
        if deadline_ns != before.deadline_ns {
            if let Some(deadline_ns) = before.deadline_ns {
                self.gaps.remove(&(deadline_ns, id));
            }
            if let Some(deadline_ns) = deadline_ns {
                self.gaps.insert((deadline_ns, id));
                self.next_timeout_ns = self.next_timeout_ns.min(deadline_ns);
            }
        }
    }

    /// Drops streams until memory is below the ceiling.
    #[inline]
    fn shed(&mut self, sink: &mut impl StreamSink) {
        while self.buffered_bytes > self.limits.buffered_bytes {
            let Some(id) = self.table.front(Worth::Holding as u8) else { break };
            self.evict(id, sink);
        }
    }

    fn evict(&mut self, id: SlotId, sink: &mut impl StreamSink) {
        if self.table[id].worth() != Worth::Closed {
            self.give_up_everything(id, sink);
            sink.event(ReassemblyEvent::StreamEvicted);
        }
        self.remove(id);
    }

    fn remove(&mut self, id: SlotId) {
        let (_, stream) = self.table.remove(id);
        let Books { heap_bytes, deadline_ns } = Books::of(&stream);
        self.buffered_bytes -= heap_bytes;
        if let Some(deadline_ns) = deadline_ns {
            self.gaps.remove(&(deadline_ns, id));
        }
        if let Some(peer) = stream.peer {
            self.table[peer].peer = None;
        }
    }
}

/// The part of one stream in the sums of the table.
#[derive(Clone, Copy)]
struct Books {
    heap_bytes: usize,
    deadline_ns: Option<u64>,
}

impl Books {
    fn of(stream: &Stream) -> Self {
        Self { heap_bytes: stream.heap_bytes(), deadline_ns: stream.deadline_ns() }
    }
}

/// The output of a stream: the sink, and the flow of its messages.
struct Out<'a, S> {
    flow: &'a Flow,
    sink: &'a mut S,
}

impl<S: StreamSink> Out<'_, S> {
    #[inline]
    fn message(&mut self, time_ns: u64, message: &[u8], captured: Captured) {
        self.sink.message(self.flow, time_ns, message, captured);
    }

    #[inline]
    fn event(&mut self, event: ReassemblyEvent) {
        self.sink.event(event);
    }
}
