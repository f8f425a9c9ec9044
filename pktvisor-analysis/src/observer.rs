//! The findings of analysis, and the trait [`Observer`] that receives them.

use pktvisor_common::address::{Address, AddressPair};
use pktvisor_common::classify::Captured;

use crate::flow::Flow;
use crate::message::{Message, MessageHead, Question};
use crate::name::Name;
use crate::transactions::TransactionCounts;

/// An event of reassembly. Each is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReassemblyEvent {
    /// A TCP stream lost its message boundaries.
    Unsynchronised,
    /// A gap in a TCP stream was given up.
    Gap,
    /// A TCP segment had only known bytes.
    RetransmittedSegment,
    /// A TCP stream was dropped to stay within the memory budget.
    StreamEvicted,
    /// A fragmented datagram was put together.
    DatagramReassembled,
    /// A fragmented datagram with a DNS port was not complete after 30 s.
    DatagramIncomplete,
    /// The first fragment of a datagram did not come within 30 s: whether it was DNS is not known.
    DatagramUnidentified,
    /// A fragmented datagram was dropped to stay within the memory budget, or for its number of
    /// fragments.
    DatagramEvicted,
    /// A fragment's headers were cut, or contradicted themselves or other fragments; it was left
    /// out.
    FragmentMalformed,
}

/// The outcome of a DNS packet, in the terms of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its flow was not sampled for deep analysis.
    NotSampled,
    /// It completed at least one message that parses.
    Analysed,
    /// None of the messages it completed parses.
    Malformed,
    /// It completed no message.
    WithoutMessage,
}

/// The end of a transaction that sent the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientSide {
    /// The query came to HOST.
    Remote,
    /// HOST sent the query.
    Host,
    /// Neither end is HOST.
    Unknown,
}

/// The two ends of a message or a transaction.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeEnds<'a> {
    /// The address that asks.
    pub client: Address<'a>,
    /// The address that is asked.
    pub server: Address<'a>,
    /// Which of them is HOST. If both are, the server.
    pub side: ClientSide,
}

impl<'a> ExchangeEnds<'a> {
    /// The address at the other end than HOST; `None` if neither end is HOST.
    #[inline]
    pub fn remote(&self) -> Option<Address<'a>> {
        match self.side {
            ClientSide::Remote => Some(self.client),
            ClientSide::Host => Some(self.server),
            ClientSide::Unknown => None,
        }
    }
}

/// A query that was not answered within the time-out.
#[derive(Clone, Copy, Debug)]
pub struct TimedOutQuery<'a> {
    /// Its ends.
    pub ends: ExchangeEnds<'a>,
    /// Its question name, if it has one.
    pub name: Option<TimedOutName<'a>>,
}

/// The question name of a query that timed out.
#[derive(Clone, Copy, Debug)]
pub struct TimedOutName<'a> {
    /// The name. Of a long one only the last labels.
    pub name: &'a Name,
    /// Whether leading labels are missing.
    pub is_cut: bool,
}

/// A query and the response that answered it.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The end that sent the query.
    pub client: ClientSide,
    /// Octets of the query.
    pub query_bytes: u32,
    /// Octets of the response.
    pub response_bytes: u32,
    /// Time from query to response in nanoseconds; `None` if the response is older than the query.
    pub duration_ns: Option<u64>,
    /// The question of the response, if it has one.
    pub question: Option<&'a Question<'a>>,
}

/// An analysed message of an exchange that the observer [inspects](Observer::inspects).
#[derive(Clone, Copy, Debug)]
pub struct InspectedMessage<'a, K> {
    /// The flow of the message.
    pub flow: &'a Flow,
    /// The end that sent the query.
    pub client: ClientSide,
    /// The message.
    pub message: &'a Message<'a>,
    /// The [keys](Observer::keys) of its head.
    pub keys: K,
    /// Captured octets of the message.
    pub bytes: usize,
    /// Time from query to response, if the message answers a query and both have a time.
    pub duration_ns: Option<u64>,
}

/// A query that has waited for its response for longer than a second.
#[derive(Clone, Copy, Debug)]
pub struct WaitingQuery {
    /// Client and server.
    pub addresses: AddressPair,
    /// The end that sent the query.
    pub client: ClientSide,
}

/// Receives the findings of analysis, in the order of the packets.
pub trait Observer {
    /// The keys that a message is counted under. They are computed once, early enough to prefetch
    /// with them, and lent, because a processor stalls when it moves what it has just written.
    type Keys<'m>: Copy;

    /// The keys of the ends of a message, known before the message is parsed.
    type EndKeys<'m>: Copy;

    /// Computes the keys of the ends of a message. Has no effect.
    fn end_keys<'m>(&self, ends: &ExchangeEnds<'m>) -> Self::EndKeys<'m>;

    /// Prefetches the memory where a message with these ends will be counted. Has no effect.
    fn prefetch_ends(&self, _keys: &Self::EndKeys<'_>) {}

    /// Computes the keys of a message from those of its ends, its header and its first question. Has
    /// no effect.
    fn keys<'m>(&self, ends: Self::EndKeys<'m>, head: &MessageHead<'m>) -> Self::Keys<'m>;

    /// Prefetches the memory where a message with this head and these keys will be counted. Has no
    /// effect.
    fn prefetch_message(&self, _head: &MessageHead<'_>, _keys: &Self::Keys<'_>) {}

    /// A DNS message that reassembly completed, and that is not counted yet. `header_flags` are the
    /// second 16 bits of its header.
    fn reassembled(&mut self, flow: &Flow, header_flags: u16, captured: Captured);

    /// An analysed message, with the [keys](Self::keys) of its head.
    fn message(&mut self, flow: &Flow, message: &Message<'_>, keys: &Self::Keys<'_>);

    /// Whether the observer watches the exchange with this hash, which a query and its response
    /// share: if it does, it gets the exchange's messages a second time, with more of their context.
    fn inspects(&self, _exchange_hash: u32) -> bool {
        false
    }

    /// A message of an inspected exchange, after [`message`](Self::message) and
    /// [`malformed`](Self::malformed).
    fn inspected_message(&mut self, _message: &InspectedMessage<'_, Self::Keys<'_>>) {}

    /// A query of an inspected exchange has waited for longer than a second. Each query is reported
    /// once.
    fn query_waits(&mut self, _query: &WaitingQuery) {}

    /// A message, analysed or not, that cannot be parsed after its header.
    fn malformed(&mut self);

    /// Prefetches the memory where a datagram from or to this port will be counted. Has no effect.
    fn prefetch_udp_port(&self, _port: u16) {}

    /// A datagram from or to this port that is not a DNS port was analysed.
    fn udp_port(&mut self, port: u16);

    /// A query found its response, which has these [keys](Self::keys).
    fn transaction(&mut self, transaction: &Transaction<'_>, keys: &Self::Keys<'_>);

    /// A response without a query, or with another question.
    fn orphan(&mut self, _side: ClientSide) {}

    /// A query was not answered within the time-out.
    fn timed_out(&mut self, _query: &TimedOutQuery<'_>) {}

    /// Queries and responses since the last report, by outcome.
    fn transaction_counts(&mut self, counts: &TransactionCounts);

    /// An event of reassembly.
    fn reassembly(&mut self, event: ReassemblyEvent);

    /// The outcome of `count` DNS packets.
    fn outcome(&mut self, outcome: Outcome, count: u64);
}
