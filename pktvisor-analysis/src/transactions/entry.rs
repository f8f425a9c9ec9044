//! A query in the table.

use pktvisor_common::address::{AddressPair, IpVersion};
use pktvisor_common::packet::Stamp;
use pktvisor_memory::keyed_hash;

use crate::flow::{Flow, FlowEnd, Transport};
use crate::transactions::message_time::MessageTime;
use crate::transactions::outcome::QuestionKey;

/// The key that a query and its response share, from their headers.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub(super) key: ExchangeKey,
    pub(super) hash: u64,
}

impl Exchange {
    /// The exchange of a query with this flow and id.
    #[inline]
    pub fn of_query(flow: &Flow, id: u16) -> Self {
        let (client, server) = (flow.source_end(), flow.destination_end());
        Self::between(client, server, flow.transport, id)
    }

    /// The exchange of a response with this id and flow. The flow has the direction of the
    /// response, opposite to that of the query.
    #[inline]
    pub fn of_response(flow: &Flow, id: u16) -> Self {
        let (client, server) = (flow.destination_end(), flow.source_end());
        Self::between(client, server, flow.transport, id)
    }

    /// The exchange of a client and a server, which have addresses of one version.
    #[inline(always)]
    pub(crate) fn between(client: FlowEnd<'_>, server: FlowEnd<'_>, transport: Transport, id: u16) -> Self {
        let key = ExchangeKey::new(client, server, transport, id);
        Self { key, hash: key.hash() }
    }

    /// The hash for the index.
    #[inline]
    pub(crate) fn index_hash(&self) -> u32 {
        self.hash as u32
    }
}

/// Addresses, ports, transport and id of a query.
#[derive(Clone, Copy, Debug, Eq)]
pub(super) struct ExchangeKey([u64; 5]);

impl PartialEq for ExchangeKey {
    /// Five instructions, where the derived one would be a call.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

/// The state of an entry. A response prefers a smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntryState {
    Open,
    TimedOut,
}

/// A query, in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    pub(super) key: ExchangeKey,
    /// The query's time stamp. The entries have the table's clock at its arrival.
    pub(super) query_timestamp_ns: u64,
    pub(super) name_hash: u64,
    pub(super) qtype: u16,
    pub(super) qclass: u16,
    pub(super) has_question: bool,
    /// Whether the time stamp is the query's own.
    pub(super) stamp: Stamp,
    pub(super) state: EntryState,
}

impl Entry {
    #[inline]
    pub(super) fn new(key: ExchangeKey, question: Option<QuestionKey>, at: MessageTime) -> Self {
        let has_question = question.is_some();
        let QuestionKey { name_hash, qtype, qclass } =
            question.unwrap_or(QuestionKey { name_hash: 0, qtype: 0, qclass: 0 });
        let state = EntryState::Open;
        let MessageTime { ns: query_timestamp_ns, stamp } = at;
        Self { key, query_timestamp_ns, name_hash, qtype, qclass, has_question, stamp, state }
    }

    #[inline]
    pub(super) fn question(&self) -> Option<QuestionKey> {
        let &Self { name_hash, qtype, qclass, .. } = self;
        self.has_question.then_some(QuestionKey { name_hash, qtype, qclass })
    }

    /// Whether the questions agree, or one of them is absent.
    #[inline]
    pub(super) fn agrees(&self, question: Option<QuestionKey>) -> bool {
        let (Some(one), Some(other)) = (self.question(), question) else { return true };
        one == other
    }
}

impl ExchangeKey {
    #[inline(always)]
    fn new(client: FlowEnd<'_>, server: FlowEnd<'_>, transport: Transport, id: u16) -> Self {
        let [client_words, server_words] =
            [client, server].map(|end| u128::from_le_bytes(*end.address.bytes()));
        let transport = match transport {
            Transport::Udp => 0,
            Transport::Tcp => 1,
        };
        let rest = u64::from(client.port) << 48
            | u64::from(server.port) << 32
            | u64::from(id) << 16
            | u64::from(client.address.version().number()) << 8
            | transport;
        let halves = |words: u128| (words as u64, (words >> 64) as u64);
        let (client, server) = (halves(client_words), halves(server_words));
        Self([client.0, client.1, server.0, server.1, rest])
    }

    /// The client's address, and the server's.
    pub(super) fn addresses(&self) -> AddressPair {
        let Self([source_low, source_high, destination_low, destination_high, rest]) = *self;
        let bytes = |low: u64, high: u64| (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
        let is_v4 = (rest >> 8) as u8 == IpVersion::V4.number();
        let version = if is_v4 { IpVersion::V4 } else { IpVersion::V6 };
        AddressPair::new(version, bytes(source_low, source_high), bytes(destination_low, destination_high))
    }

    #[inline]
    pub(super) fn hash(&self) -> u64 {
        keyed_hash::of_words(self.0)
    }
}
