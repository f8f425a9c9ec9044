//! The way out of analysis: whoever remembers what was found implements [`Observer`].

use super::Flow;
use super::message::{Message, MessageHead, Question};
use super::transactions::TransactionCounts;

/// Something reassembly had to give up or put right; each is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReassemblyEvent {
    /// A TCP stream lost its message boundaries.
    Unsynchronised,
    /// A gap in a TCP stream was given up.
    Gap,
    /// A TCP segment brought nothing new.
    RetransmittedSegment,
    /// A TCP stream was dropped to stay within the memory budget.
    StreamEvicted,
    /// A fragmented datagram was put together.
    DatagramReassembled,
    /// A fragmented datagram with a DNS port was not complete after 30 s.
    DatagramIncomplete,
    /// The first fragment of a datagram did not come within 30 s: whether it was DNS is not known.
    DatagramUnidentified,
    /// A fragmented datagram was dropped to stay within the memory budget, or for its number of fragments.
    DatagramEvicted,
    /// A fragment's headers were cut, or contradicted themselves or other fragments; it was left out.
    FragmentMalformed,
}

/// What became of a DNS packet; the terms of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its flow was not chosen for deep analysis.
    NotChosen,
    /// It completed at least one message that parses.
    Analysed,
    /// None of the messages it completed parses.
    Malformed,
    /// It completed no message.
    WithoutMessage,
}

/// Who asked, seen from HOST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The query came in to HOST.
    Remote,
    /// HOST asked.
    Host,
    /// Neither end is HOST.
    Unknown,
}

/// A query and the response that answered it.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// Who asked.
    pub asker: Asker,
    /// From query to response in nanoseconds; `None` where the response is older than the query.
    pub duration_ns: Option<u64>,
    /// The response's question, where it has one.
    pub question: Option<&'a Question<'a>>,
}

/// Receives what analysis finds, in the order of the packets.
pub trait Observer {
    /// The keys that a message is counted under. They are computed once, early enough to prefetch with them.
    type Keys<'m>: Copy;

    /// Computes the keys of a message from its header and first question. Has no effect.
    fn keys<'m>(&self, head: &MessageHead<'m>) -> Self::Keys<'m>;

    /// Prefetches the memory where a message with this head and these keys will be counted. Has no effect.
    fn prefetch_message(&self, _head: &MessageHead<'_>, _keys: &Self::Keys<'_>) {}

    /// A DNS message that reassembly completed, and that nobody has counted yet. `header_flags` are the second 16 bits
    /// of its header; `truncated` tells that the capture holds only a part of it.
    fn reassembled(&mut self, flow: &Flow, header_flags: u16, truncated: bool);

    /// An analysed message, with the [keys](Self::keys) of its head.
    fn message(&mut self, flow: &Flow, message: &Message<'_>, keys: Self::Keys<'_>);

    /// A message, analysed or not, that cannot be parsed after its header.
    fn malformed(&mut self);

    /// Prefetches the memory where a datagram from or to this port will be counted. Has no effect.
    fn prefetch_udp_port(&self, _port: u16) {}

    /// A datagram from or to this port that is not a DNS port was analysed.
    fn udp_port(&mut self, port: u16);

    /// A query found its response.
    fn transaction(&mut self, transaction: &Transaction<'_>);

    /// What happened to queries and responses since the last report.
    fn transaction_counts(&mut self, counts: &TransactionCounts);

    /// Reassembly gave something up or put it right.
    fn reassembly(&mut self, event: ReassemblyEvent);

    /// What became of `count` DNS packets.
    fn outcome(&mut self, outcome: Outcome, count: u64);
}
