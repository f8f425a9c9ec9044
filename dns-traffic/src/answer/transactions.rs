//! Matches responses to queries by the rules of the agent's documentation, with tables of unlimited
//! size.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::super::facts::{MessageFacts, MessageTransport};
use super::super::names::NameKey;
use super::super::stage::SECOND_NS;

const TIMEOUT_NS: u64 = 5 * SECOND_NS;
const LATE_NS: u64 = TIMEOUT_NS + 60 * SECOND_NS;

/// The effect of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransactionEvent {
    /// Opened a transaction.
    Opened,
    /// Repeated an open query.
    Retransmitted,
    /// Completed a transaction that took this long; the first query's direction is the response's
    /// reversed.
    Completed {
        time_ns: u64,
        /// Octets of the first query.
        query_bytes: u64,
    },
    Duplicate,
    Late,
    Orphan,
}

/// A query that timed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedOut {
    pub(super) at_ns: u64,
    pub(super) client: IpAddr,
    pub(super) server: IpAddr,
    pub(super) name: Option<NameKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct QueryKey {
    transport: MessageTransport,
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    id: u16,
}

/// In the order in which a response prefers queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum QueryState {
    Open,
    TimedOut,
    Answered,
}

#[derive(Clone, Copy, Debug)]
struct OpenQuery {
    asked_ns: u64,
    bytes: u64,
    question: Option<(NameKey, u16)>,
    state: QueryState,
}

impl OpenQuery {
    /// Whether the questions are the same, or one of them is unknown.
    fn agrees(&self, question: Option<(NameKey, u16)>) -> bool {
        self.question.is_none() || question.is_none() || self.question == question
    }
}

/// All transactions that may still get a message.
#[derive(Clone, Debug, Default)]
pub(super) struct TransactionReplay {
    /// Ports and ids are reused, so a key may have several questions.
    entries: HashMap<QueryKey, Vec<OpenQuery>>,
    /// Queries by time, until they are timed out and until they are forgotten.
    open: VecDeque<(u64, QueryKey)>,
    known: VecDeque<(u64, QueryKey)>,
}

impl TransactionReplay {
    /// Lets time pass and reports when queries timed out.
    pub(super) fn advance(&mut self, now_ns: u64, mut timed_out: impl FnMut(TimedOut)) {
        while let Some((asked_ns, key)) =
            self.open.pop_front_if(|(asked_ns, _)| now_ns > *asked_ns + TIMEOUT_NS)
        {
            let entries = self.entries.get_mut(&key).into_iter().flatten();
            for entry in entries.filter(|entry| (entry.asked_ns, entry.state) == (asked_ns, QueryState::Open))
            {
                entry.state = QueryState::TimedOut;
                timed_out(TimedOut {
                    at_ns: asked_ns + TIMEOUT_NS,
                    client: key.client.0,
                    server: key.server.0,
                    name: entry.question.map(|(name, _)| name),
                });
            }
        }
        while let Some((asked_ns, key)) =
            self.known.pop_front_if(|(asked_ns, _)| now_ns > *asked_ns + LATE_NS)
        {
            let Some(entries) = self.entries.get_mut(&key) else { continue };
            entries.retain(|entry| entry.asked_ns != asked_ns);
            if entries.is_empty() {
                self.entries.remove(&key);
            }
        }
    }

    /// Adds a message; time has been advanced to it.
    pub(super) fn observe(
        &mut self,
        now_ns: u64,
        src: IpAddr,
        dst: IpAddr,
        message: &MessageFacts,
    ) -> TransactionEvent {
        let (from, to) = ((src, message.src_port), (dst, message.dst_port));
        let (client, server) = if message.response { (to, from) } else { (from, to) };
        let key = QueryKey { transport: message.transport, client, server, id: message.id };
        if message.response {
            return self.respond(now_ns, &key, message.question);
        }
        let entries = self.entries.entry(key).or_default();
        if entries.iter().any(|entry| entry.state == QueryState::Open && entry.agrees(message.question)) {
            return TransactionEvent::Retransmitted;
        }
        entries.retain(|entry| !entry.agrees(message.question));
        let (bytes, question) = (message.bytes, message.question);
        entries.push(OpenQuery { asked_ns: now_ns, bytes, question, state: QueryState::Open });
        self.open.push_back((now_ns, key));
        self.known.push_back((now_ns, key));
        TransactionEvent::Opened
    }

    /// An answered query is known until its time-out, one that timed out until its late response.
    fn respond(&mut self, now_ns: u64, key: &QueryKey, question: Option<(NameKey, u16)>) -> TransactionEvent {
        let Some(entries) = self.entries.get_mut(key) else { return TransactionEvent::Orphan };
        entries.retain(|entry| entry.state != QueryState::Answered || now_ns <= entry.asked_ns + TIMEOUT_NS);
        let agreeing = entries.iter_mut().enumerate().filter(|(_, entry)| entry.agrees(question));
        let Some((index, entry)) = agreeing.min_by_key(|(_, entry)| (entry.state, entry.asked_ns)) else {
            return TransactionEvent::Orphan;
        };
        match entry.state {
            QueryState::Open => {
                entry.state = QueryState::Answered;
                TransactionEvent::Completed { time_ns: now_ns - entry.asked_ns, query_bytes: entry.bytes }
            }
            QueryState::TimedOut => {
                entries.remove(index);
                TransactionEvent::Late
            }
            QueryState::Answered => TransactionEvent::Duplicate,
        }
    }
}
