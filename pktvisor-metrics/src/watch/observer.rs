//! Passes the findings of analysis on to the recorder, and those that a filter lets through to
//! their watches.

use std::sync::Arc;

use pktvisor_analysis::message::{Message, MessageHead};
use pktvisor_analysis::transactions::{MessageTime, TransactionCounts};
use pktvisor_analysis::{
    ClientSide, ExchangeEnds, Flow, InspectedMessage, Observer, Outcome, ReassemblyEvent, TimedOutQuery,
    Transaction, WaitingQuery,
};
use pktvisor_common::classify::Captured;

use super::packet::{AnalysedPacket, CompletedTransaction};
use super::{MessageWatch, Output};
use crate::keys::{MessageKeys, Party};
use crate::recorder::Recorder;

/// The observer of one packet's analysis while there are watches. Without one, analysis reports to
/// the recorder itself.
#[derive(Debug)]
pub struct WatchingObserver<'a, 'p> {
    recorder: &'a mut Recorder,
    watches: &'a [Arc<MessageWatch>],
    thread: u32,
    seen: AnalysedPacket<'a, 'p>,
    /// The header flags of the message that reassembly has just completed.
    reassembled: Option<(u16, Captured)>,
    /// The transaction that the next message, a response, completes.
    answered: Option<CompletedTransaction>,
    /// The watches that the last message matched, by their bits.
    matched: u32,
    /// The watches that any message of this packet matched.
    taken: u32,
}

impl<'a, 'p> WatchingObserver<'a, 'p> {
    /// The observer of the analysis of a packet by this thread.
    pub fn new(
        recorder: &'a mut Recorder,
        watches: &'a [Arc<MessageWatch>],
        thread: u32,
        seen: AnalysedPacket<'a, 'p>,
    ) -> Self {
        Self { recorder, watches, thread, seen, reassembled: None, answered: None, matched: 0, taken: 0 }
    }

    /// Calls `record` with this thread's share of each focus in `bits`.
    fn each_focus(&self, bits: u32, mut record: impl FnMut(&mut super::focus::FocusRecorder)) {
        for (n, watch) in self.watches.iter().enumerate() {
            if let Output::Focus(focus) = &watch.output
                && bits & bit(n) != 0
                && let Some(share) = focus.share(self.thread)
            {
                record(&mut share.lock());
            }
        }
    }

    fn record(&mut self, flow: &Flow, message: &Message<'_>, keys: &MessageKeys<'_>) {
        let (seen, taken) = (self.seen, self.taken);
        let (reassembled, answered) = (self.reassembled.take(), self.answered.take());
        let at = MessageTime { ns: seen.packet.timestamp_ns, stamp: seen.packet.stamp };
        self.matched = 0;
        for (n, watch) in self.watches.iter().enumerate() {
            if !watch.filter.matches(flow, message) {
                continue;
            }
            self.matched |= bit(n);
            let is_new = taken & bit(n) == 0;
            match &watch.output {
                Output::Focus(focus) => {
                    let Some(share) = focus.share(self.thread) else { continue };
                    let mut share = share.lock();
                    if is_new {
                        share.packet(&seen);
                    }
                    if let Some((header_flags, captured)) = reassembled {
                        share.reassembled(flow, header_flags, captured);
                    }
                    share.message(flow, message, keys, answered, at);
                }
                Output::Packets(sink) if is_new => sink.packet(seen.packet),
                Output::Packets(_) => {}
            }
        }
        self.taken |= self.matched;
    }
}

/// The bit of a watch; none for more than there may be.
fn bit(n: usize) -> u32 {
    u32::try_from(n).ok().and_then(|n| 1_u32.checked_shl(n)).unwrap_or(0)
}

impl Observer for WatchingObserver<'_, '_> {
    type Keys<'m> = MessageKeys<'m>;

    type EndKeys<'m> = Option<Party<'m>>;

    fn end_keys<'m>(&self, ends: &ExchangeEnds<'m>) -> Option<Party<'m>> {
        self.recorder.end_keys(ends)
    }

    fn prefetch_ends(&self, party: &Option<Party<'_>>) {
        self.recorder.prefetch_ends(party);
    }

    fn keys<'m>(&self, party: Option<Party<'m>>, head: &MessageHead<'m>) -> MessageKeys<'m> {
        self.recorder.keys(party, head)
    }

    fn prefetch_message(&self, head: &MessageHead<'_>, keys: &MessageKeys<'_>) {
        self.recorder.prefetch_message(head, keys);
    }

    fn reassembled(&mut self, flow: &Flow, header_flags: u16, captured: Captured) {
        self.recorder.reassembled(flow, header_flags, captured);
        self.reassembled = Some((header_flags, captured));
    }

    fn message(&mut self, flow: &Flow, message: &Message<'_>, keys: &MessageKeys<'_>) {
        self.recorder.message(flow, message, keys);
        self.record(flow, message, keys);
    }

    fn malformed(&mut self) {
        self.recorder.malformed();
        // Of the message before it. If that one was not sampled, it matched nothing.
        let matched = std::mem::take(&mut self.matched);
        self.each_focus(matched, |focus| focus.recorder.malformed());
    }

    fn prefetch_udp_port(&self, port: u16) {
        self.recorder.prefetch_udp_port(port);
    }

    fn udp_port(&mut self, port: u16) {
        self.recorder.udp_port(port);
        self.each_focus(self.taken, |focus| focus.recorder.udp_port(port));
    }

    fn transaction(&mut self, transaction: &Transaction<'_>, keys: &MessageKeys<'_>) {
        self.recorder.transaction(transaction, keys);
        let &Transaction { client, query_bytes, response_bytes, duration_ns, .. } = transaction;
        self.answered = Some(CompletedTransaction { client, query_bytes, response_bytes, duration_ns });
    }

    fn orphan(&mut self, side: ClientSide) {
        self.recorder.orphan(side);
    }

    fn timed_out(&mut self, query: &TimedOutQuery<'_>) {
        self.recorder.timed_out(query);
    }

    fn inspects(&self, exchange_hash: u32) -> bool {
        self.recorder.inspects(exchange_hash)
    }

    fn inspected_message(&mut self, inspected: &InspectedMessage<'_, MessageKeys<'_>>) {
        self.recorder.inspected_message(inspected);
    }

    fn query_waits(&mut self, query: &WaitingQuery) {
        self.recorder.query_waits(query);
    }

    fn transaction_counts(&mut self, counts: &TransactionCounts) {
        self.recorder.transaction_counts(counts);
    }

    fn reassembly(&mut self, event: ReassemblyEvent) {
        self.recorder.reassembly(event);
    }

    fn outcome(&mut self, outcome: Outcome, count: u64) {
        self.recorder.outcome(outcome, count);
        self.each_focus(self.taken, |focus| focus.outcome(outcome, count));
    }
}
