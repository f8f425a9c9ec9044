//! Which response answers which query: the rules of the agent's documentation, over tables without a limit.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::super::facts::{MessageFacts, Transport};
use super::super::names::NameKey;
use super::super::stage::SECOND_NS;

const TIMEOUT_NS: u64 = 5 * SECOND_NS;
const LATE_NS: u64 = TIMEOUT_NS + 60 * SECOND_NS;

/// What a message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Opened a transaction.
    Opened,
    /// Repeated an open query.
    Retransmitted,
    /// Completed a transaction that took this long; the first query's direction is the response's reversed.
    Completed {
        time_ns: u64,
    },
    Duplicate,
    Late,
    Orphan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    transport: Transport,
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    id: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Answered,
    TimedOut,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    asked_ns: u64,
    question: Option<(NameKey, u16)>,
    state: State,
}

/// All transactions of which something may still come.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    entries: HashMap<Key, Entry>,
    /// Queries by time, until they are timed out and until they are forgotten.
    open: VecDeque<(u64, Key)>,
    known: VecDeque<(u64, Key)>,
}

impl Transactions {
    /// Lets time pass and reports when queries timed out.
    pub(super) fn advance(&mut self, now_ns: u64, mut timed_out: impl FnMut(u64)) {
        while let Some((asked_ns, key)) =
            self.open.pop_front_if(|(asked_ns, _)| now_ns > *asked_ns + TIMEOUT_NS)
        {
            if let Some(entry) = self.entries.get_mut(&key)
                && (entry.asked_ns, entry.state) == (asked_ns, State::Open)
            {
                entry.state = State::TimedOut;
                timed_out(asked_ns + TIMEOUT_NS);
            }
        }
        while let Some((asked_ns, key)) =
            self.known.pop_front_if(|(asked_ns, _)| now_ns > *asked_ns + LATE_NS)
        {
            if self.entries.get(&key).is_some_and(|entry| entry.asked_ns == asked_ns) {
                self.entries.remove(&key);
            }
        }
    }

    /// Takes in a message; time has been advanced to it.
    pub(super) fn observe(&mut self, now_ns: u64, src: IpAddr, dst: IpAddr, message: &MessageFacts) -> Event {
        let (from, to) = ((src, message.src_port), (dst, message.dst_port));
        let (client, server) = if message.response { (to, from) } else { (from, to) };
        let key = Key { transport: message.transport, client, server, id: message.id };
        if message.response {
            return self.respond(now_ns, &key, message.question);
        }
        if self.entries.get(&key).is_some_and(|entry| entry.state == State::Open) {
            return Event::Retransmitted;
        }
        self.entries.insert(key, Entry { asked_ns: now_ns, question: message.question, state: State::Open });
        self.open.push_back((now_ns, key));
        self.known.push_back((now_ns, key));
        Event::Opened
    }

    fn respond(&mut self, now_ns: u64, key: &Key, question: Option<(NameKey, u16)>) -> Event {
        let Some(entry) = self.entries.get_mut(key) else { return Event::Orphan };
        if entry.question.is_some() && question.is_some() && entry.question != question {
            return Event::Orphan;
        }
        match entry.state {
            State::Open => {
                entry.state = State::Answered;
                Event::Completed { time_ns: now_ns - entry.asked_ns }
            }
            State::TimedOut => {
                entry.state = State::Answered;
                Event::Late
            }
            State::Answered => Event::Duplicate,
        }
    }
}
