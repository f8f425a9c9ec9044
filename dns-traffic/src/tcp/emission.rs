//! The way of planned segments to the queue: in disorder and repeated, if configured.

use super::{ConversationSide, Planned, TcpConversation};
use crate::addresses::Parties;
use crate::frame::{self, Segment};
use crate::stage::{MICROSECOND_NS, Stage, record_tcp};

impl TcpConversation {
    /// Swaps and repeats segments with payload, as configured.
    pub(super) fn disturb(&mut self, stage: &mut Stage) {
        let (reorder, duplicate) = (stage.config.reorder, stage.config.duplicate_segments);
        if reorder > 0.0 {
            for index in 1..self.segments.len() {
                let (before, after) = (self.segments[index - 1], self.segments[index]);
                let both = before.start < before.end && after.start < after.end && before.side == after.side;
                if both && stage.rng.chance(reorder) {
                    self.segments[index - 1] = Planned { at_ns: before.at_ns, ..after };
                    self.segments[index] = Planned { at_ns: after.at_ns, ..before };
                }
            }
        }
        if duplicate > 0.0 {
            for index in 0..self.segments.len() {
                let segment = self.segments[index];
                if segment.start < segment.end && stage.rng.chance(duplicate) {
                    let at_ns = segment.at_ns + stage.rng.between(1, 150) * MICROSECOND_NS;
                    self.segments.push(Planned { at_ns, ..segment });
                }
            }
        }
    }

    /// Hands the segments to the queue in order of time, each with the messages that it completes.
    pub(super) fn emit(mut self, stage: &mut Stage) {
        self.segments.sort_by_key(|segment| segment.at_ns);
        let Parties { client, server } = self.parties;
        let mut arrived: [Vec<(usize, usize)>; 2] = [Vec::new(), Vec::new()];
        let mut complete = [0; 2];
        let mut reported = [0; 2];
        for planned in &self.segments {
            let side = planned.side as usize;
            let (way, ports) = match planned.side {
                ConversationSide::Client => ((client, server), (self.client_port, 53)),
                ConversationSide::Server => ((server, client), (53, self.client_port)),
            };
            let envelope = stage.envelope(way.0, way.1, self.tags);
            let packet = stage.queue.add(planned.at_ns);
            let segment = Segment {
                src_port: ports.0,
                dst_port: ports.1,
                seq: planned.seq,
                ack: planned.ack,
                flags: planned.flags,
            };
            frame::tcp(
                &mut packet.data,
                &envelope,
                &segment,
                &self.streams[side][planned.start..planned.end],
            );
            record_tcp(&mut packet.facts, &envelope, planned.flags);
            arrived[side].push((planned.start, planned.end));
            complete[side] = contiguous(&arrived[side], complete[side]);
            while let Some((end, facts)) = self.messages[side].get(reported[side])
                && *end <= complete[side]
            {
                packet.facts.messages.push(*facts);
                reported[side] += 1;
            }
        }
    }
}

/// The end of the contiguous stream, given the segments that arrived.
fn contiguous(arrived: &[(usize, usize)], mut complete: usize) -> usize {
    while let Some((_, end)) = arrived.iter().find(|(start, end)| *start <= complete && *end > complete) {
        complete = *end;
    }
    complete
}
