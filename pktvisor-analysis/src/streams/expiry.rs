//! Time-outs: the wait for missing data, and the memory of silent streams.

use super::{IDLE_TIMEOUT_NS, QUEUES, StreamSink, Streams};

/// The progress of forgetting silent streams.
enum Idle {
    /// All silent streams are forgotten; the next one will be forgotten after this time.
    Forgotten { next_ns: u64 },
    /// Waiting bytes were released, so another stream may have moved to another queue.
    SomeReleased,
}

impl Streams {
    /// Gives up gaps that have waited too long, and forgets streams that were silent for too long.
    #[cold]
    pub(super) fn time_out(&mut self, sink: &mut impl StreamSink) {
        let now_ns = self.now_ns;
        while let Some(&(deadline_ns, id)) = self.gaps.first()
            && now_ns > deadline_ns
        {
            self.give_up_gap(id, sink);
        }
        let next_ns = loop {
            match self.forget_idle(sink) {
                Idle::Forgotten { next_ns } => break next_ns,
                Idle::SomeReleased => {}
            }
        };
        self.next_timeout_ns = next_ns.min(self.gaps.first().map_or(u64::MAX, |gap| gap.0));
        self.shed(sink);
    }

    /// Forgets streams that have been silent for too long.
    fn forget_idle(&mut self, sink: &mut impl StreamSink) -> Idle {
        let mut next_ns = u64::MAX;
        for worth in QUEUES {
            while let Some(id) = self.table.front(worth as u8) {
                let timeout_ns = self.table[id].last_ns.saturating_add(IDLE_TIMEOUT_NS);
                if self.now_ns <= timeout_ns {
                    next_ns = next_ns.min(timeout_ns);
                    break;
                }
                let is_in_order = self.table[id].is_in_order();
                if !is_in_order {
                    // A gap may be younger than the last segment, because an earlier gap may just
                    // have been given up.
                    self.give_up_everything(id, sink);
                }
                self.remove(id);
                if !is_in_order {
                    return Idle::SomeReleased;
                }
            }
        }
        Idle::Forgotten { next_ns }
    }
}
