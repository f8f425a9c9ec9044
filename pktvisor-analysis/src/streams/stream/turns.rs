//! The head of a stream's waiting bytes: the next piece, or the gap before it.

use super::{Stream, StreamState, WINDOW_MAX};
use crate::ReassemblyEvent;
use crate::streams::arrival::{Arrival, Order};
use crate::streams::behind::{Behind, Evidence, Synchronised};
use crate::streams::segment::TcpSegment;
use crate::streams::{Out, StreamSink};

/// The next part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::streams) enum Head {
    Nothing,
    /// A piece that waits for nothing in its own stream.
    Due(Order),
    /// Missing bytes, and the place of the sign that they are missing.
    Missing(Order),
}

impl Stream {
    /// The peer has received everything before `acknowledged`.
    pub(in crate::streams) fn acknowledge(&mut self, acknowledged: u32, arrival: Arrival) {
        let len = acknowledged.wrapping_sub(self.next);
        let is_known =
            self.behind.is_some() && self.state == StreamState::Open && (1..=WINDOW_MAX).contains(&len);
        if is_known || self.lacks(acknowledged) {
            self.behind.get_or_insert_default().acknowledge(acknowledged, self.next, arrival);
            self.find_gap(arrival);
        }
    }

    /// Whether a segment would have to wait although too many bytes wait already.
    pub(in crate::streams) fn is_full_for(&self, segment: &TcpSegment<'_>) -> bool {
        let ahead = segment.sequence.wrapping_sub(self.next).cast_signed();
        let len = segment.payload_len();
        let is_full = |behind: &Behind| len > 0 && ahead > 0 && behind.waiting.is_full_for(len);
        self.behind.as_deref().is_some_and(is_full)
    }

    /// The next part.
    pub(in crate::streams) fn head(&self) -> Head {
        let Some(behind) = &self.behind else { return Head::Nothing };
        if let Some(order) = behind.gap_order() {
            return Head::Missing(order);
        }
        behind.waiting.front().map_or(Head::Nothing, |piece| Head::Due(piece.order))
    }

    /// Takes the piece that is [due](Head::Due).
    pub(in crate::streams) fn take_due<S: StreamSink>(&mut self, now: Arrival, out: &mut Out<'_, S>) {
        let Some(behind) = &mut self.behind else { return };
        let Some(piece) = behind.waiting.pop_front() else { return };
        let time_ns = behind.completion_ns(&piece);
        if piece.sequence != self.next {
            // The missing bytes would be skipped anyway.
            self.framing.give_up();
            self.next = piece.sequence;
        }
        self.take(&piece.borrowed(), time_ns, out);
        self.find_gap(now);
    }

    /// Gives up the first gap. The bytes behind it are due, from the first segment that looks like
    /// the beginning of a message. Messages there get the time at which their last byte was
    /// captured.
    pub(in crate::streams) fn give_up_gap<S: StreamSink>(&mut self, now: Arrival, out: &mut Out<'_, S>) {
        let Some(behind) = &mut self.behind else { return };
        let Some(gap) = behind.gap else { return };
        match gap.evidence {
            Evidence::Acknowledgement => behind.expire_acknowledgement(),
            Evidence::Segment => {
                out.event(ReassemblyEvent::Gap);
                behind.forget_completion();
                self.framing.give_up();
                self.next = gap.end;
            }
        }
        self.find_gap(now);
    }

    /// Finds the first gap, and forgets data that is no longer needed.
    pub(super) fn find_gap(&mut self, now: Arrival) {
        if self.close_at_fin() {
            return;
        }
        let Some(behind) = &mut self.behind else { return };
        let synchronised = if self.framing.is_lost() { Synchronised::No } else { Synchronised::Yes };
        behind.find_gap(self.next, self.fin, synchronised, now);
        if behind.is_empty() {
            self.behind = None;
        }
    }
}
