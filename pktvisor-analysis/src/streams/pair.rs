//! The two directions of a connection, where one of them has a gap.
//!
//! The bytes behind a gap may be queries, and the bytes of the other direction their responses. So
//! both directions wait. When the gap is filled or given up, their segments are taken by their time
//! stamps, but each direction in its own order.

use super::arrival::Arrival;
use super::stream::{Head, When};
use super::{Books, Out, StreamSink, Streams};
use crate::streams::segment::TcpSegment;
use crate::table::SlotId;

/// One or both directions of a connection, with their parts in the sums.
struct Pair {
    sides: [Option<(SlotId, Books)>; 2],
}

impl Pair {
    /// The other direction.
    fn peer(&self) -> Option<SlotId> {
        self.sides[1].map(|(id, _)| id)
    }
}

impl Streams {
    /// Takes a segment of a connection in which bytes wait, or for which this segment shows that
    /// bytes are missing.
    #[cold]
    pub(super) fn segment_in_turn<S: StreamSink>(
        &mut self,
        id: SlotId,
        segment: &TcpSegment<'_>,
        arrival: Arrival,
        sink: &mut S,
    ) {
        let pair = self.pair(id);
        if let (Some(peer), Some(acknowledged)) = (pair.peer(), segment.acknowledged()) {
            self.table[peer].acknowledge(acknowledged, arrival);
        }
        if self.table[id].restarts_with(segment, arrival.now_ns) {
            self.take_everything(&pair, arrival, sink);
        }
        while self.table[id].is_full_for(segment) {
            let missing = |id: &SlotId| matches!(self.table[*id].head(), Head::Missing(_));
            let Some(gap) = Some(id).filter(missing).or(pair.peer().filter(missing)) else { break };
            self.give_up_gap_of(gap, arrival, sink);
            self.take_turns(&pair, arrival, sink);
        }
        let has_peer_a_gap =
            pair.peer().is_some_and(|peer| matches!(self.table[peer].head(), Head::Missing(_)));
        let when = if has_peer_a_gap { When::InItsTurn } else { When::Now };
        let flow = *self.table.key(id);
        self.table[id].segment(segment, arrival, when, &mut Out { flow: &flow, sink });
        self.take_turns(&pair, arrival, sink);
        self.account_pair(&pair);
        if self.now_ns > self.next_timeout_ns {
            self.time_out(sink);
        }
        self.shed(sink);
    }

    /// Gives up the first gap of a stream.
    pub(super) fn give_up_gap(&mut self, id: SlotId, sink: &mut impl StreamSink) {
        let (pair, now) = (self.pair(id), self.arrival(self.now_ns));
        self.give_up_gap_of(id, now, sink);
        self.take_turns(&pair, now, sink);
        self.account_pair(&pair);
    }

    /// Gives up the gaps of a connection, one after the other, until nothing waits.
    pub(super) fn give_up_everything(&mut self, id: SlotId, sink: &mut impl StreamSink) {
        let pair = self.pair(id);
        self.take_everything(&pair, self.arrival(self.now_ns), sink);
        self.account_pair(&pair);
    }

    fn pair(&self, id: SlotId) -> Pair {
        let with_books = |id: SlotId| (id, Books::of(&self.table[id]));
        Pair { sides: [Some(id), self.table[id].peer].map(|side| side.map(with_books)) }
    }

    fn account_pair(&mut self, pair: &Pair) {
        for &(id, before) in pair.sides.iter().rev().flatten() {
            let worth = self.table[id].worth();
            self.table.move_to_back(id, worth as u8);
            self.account(id, before);
        }
    }

    fn give_up_gap_of(&mut self, id: SlotId, now: Arrival, sink: &mut impl StreamSink) {
        let flow = *self.table.key(id);
        self.table[id].give_up_gap(now, &mut Out { flow: &flow, sink });
    }

    fn take_everything(&mut self, pair: &Pair, now: Arrival, sink: &mut impl StreamSink) {
        loop {
            self.take_turns(pair, now, sink);
            let missing = |id: SlotId| match self.table[id].head() {
                Head::Missing(order) => Some((order, id)),
                Head::Due(_) | Head::Nothing => None,
            };
            let first = pair.sides.iter().flatten().filter_map(|&(id, _)| missing(id)).min();
            let Some((_, id)) = first else { return };
            self.give_up_gap_of(id, now, sink);
        }
    }

    /// Takes the pieces that are due in both directions, the earliest first, up to the first one
    /// that must wait for a gap.
    fn take_turns(&mut self, pair: &Pair, now: Arrival, sink: &mut impl StreamSink) {
        loop {
            let heads = pair.sides.map(|side| side.map_or(Head::Nothing, |(id, _)| self.table[id].head()));
            let turn = match heads {
                [Head::Due(one), Head::Due(other)] => usize::from(other < one),
                [Head::Due(_), Head::Nothing] => 0,
                [Head::Nothing, Head::Due(_)] => 1,
                [Head::Due(due), Head::Missing(missing)] if due < missing => 0,
                [Head::Missing(missing), Head::Due(due)] if due < missing => 1,
                _ => return,
            };
            let Some((id, _)) = pair.sides[turn] else { return };
            let flow = *self.table.key(id);
            self.table[id].take_due(now, &mut Out { flow: &flow, sink });
        }
    }
}
