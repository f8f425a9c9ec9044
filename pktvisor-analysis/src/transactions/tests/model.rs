//! The same rules without an index, without lists and without care for time: every operation looks
//! at every query.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{START, flow, question};
use crate::transactions::*;

struct Query {
    key: (u8, u16),
    question: Option<QuestionKey>,
    timestamp_ns: u64,
    opened_ns: u64,
    state: EntryState,
    /// Orders the queries by when they came to their state.
    since: u64,
}

struct Answered {
    key: (u8, u16),
    question: Option<QuestionKey>,
    opened_ns: u64,
}

#[derive(Default)]
struct Model {
    timeout_ns: u64,
    entries_max: usize,
    clock_ns: u64,
    steps: u64,
    next_id: u64,
    queries: HashMap<u64, Query>,
    answered: Vec<Answered>,
    counts: TransactionCounts,
}

/// Whether questions are the same, or one of the two is none.
fn agree(one: Option<QuestionKey>, other: Option<QuestionKey>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

impl Model {
    fn step(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    fn oldest(&self, state: EntryState) -> Option<u64> {
        let in_state = self.queries.iter().filter(|(_, query)| query.state == state);
        in_state.min_by_key(|(_, query)| query.since).map(|(&id, _)| id)
    }

    fn is_past(&self, id: u64, limit_ns: u64) -> bool {
        self.clock_ns > self.queries[&id].opened_ns + limit_ns
    }

    fn advance(&mut self, now_ns: u64) {
        self.clock_ns = self.clock_ns.max(now_ns);
        while let Some(id) = self.oldest(EntryState::Open).filter(|&id| self.is_past(id, self.timeout_ns)) {
            let since = self.step();
            let query = self.queries.get_mut(&id).expect("it is there");
            (query.state, query.since) = (EntryState::TimedOut, since);
            self.counts.timed_out += 1;
        }
        let limit_ns = self.timeout_ns + LATE_NS;
        while let Some(id) = self.oldest(EntryState::TimedOut).filter(|&id| self.is_past(id, limit_ns)) {
            self.queries.remove(&id);
        }
    }

    /// Queries with a key and an agreeing question, the one to prefer first.
    fn matching(&self, key: (u8, u16), question: Option<QuestionKey>) -> Vec<u64> {
        let mut found: Vec<_> = self
            .queries
            .iter()
            .filter(|(_, query)| query.key == key && agree(query.question, question))
            .map(|(&id, query)| (query.state, query.opened_ns, query.question.map_or(0, |q| q.name_hash), id))
            .collect();
        found.sort();
        found.into_iter().map(|(_, _, _, id)| id).collect()
    }

    fn query(&mut self, key: (u8, u16), question: Option<QuestionKey>, timestamp_ns: u64) -> QueryOutcome {
        self.advance(timestamp_ns);
        let matching = self.matching(key, question);
        for id in &matching {
            let query = &self.queries[id];
            if query.state == EntryState::Open
                && timestamp_ns.saturating_sub(query.timestamp_ns) <= self.timeout_ns
            {
                self.counts.retransmitted += 1;
                return QueryOutcome::Retransmitted;
            }
        }
        for id in matching {
            let query = self.queries.remove(&id).expect("it is there");
            self.counts.timed_out += u64::from(query.state == EntryState::Open);
        }
        if self.queries.len() == self.entries_max {
            let oldest = self.oldest(EntryState::TimedOut).or(self.oldest(EntryState::Open));
            let query = self.queries.remove(&oldest.expect("a query")).expect("it is there");
            self.counts.shed += u64::from(query.state == EntryState::Open);
        }
        let (since, opened_ns) = (self.step(), self.clock_ns);
        self.next_id += 1;
        let query = Query { key, question, timestamp_ns, opened_ns, state: EntryState::Open, since };
        self.queries.insert(self.next_id, query);
        QueryOutcome::Opened
    }

    fn response(
        &mut self,
        key: (u8, u16),
        question: Option<QuestionKey>,
        timestamp_ns: u64,
    ) -> ResponseOutcome {
        self.advance(timestamp_ns);
        let Some(&id) = self.matching(key, question).first() else {
            if self.was_answered(key, question) {
                self.counts.duplicates += 1;
                return ResponseOutcome::Duplicate;
            }
            self.counts.orphans += 1;
            return ResponseOutcome::Orphan;
        };
        let query = self.queries.remove(&id).expect("it is there");
        let duration_ns = timestamp_ns.checked_sub(query.timestamp_ns);
        if query.state == EntryState::TimedOut || duration_ns.is_some_and(|ns| ns > self.timeout_ns) {
            self.counts.timed_out += u64::from(query.state == EntryState::Open);
            self.counts.late += 1;
            return ResponseOutcome::Late;
        }
        self.answered.push(Answered { key, question: query.question, opened_ns: query.opened_ns });
        self.counts.answered += 1;
        self.counts.negative_times += u64::from(duration_ns.is_none());
        ResponseOutcome::Answered { duration_ns, query_timestamp_ns: query.timestamp_ns }
    }

    /// Whether a query that agrees is among the newest answered ones, as many as are remembered.
    fn was_answered(&self, key: (u8, u16), question: Option<QuestionKey>) -> bool {
        let remembered = self.answered.iter().rev().take(self.entries_max.next_power_of_two());
        let mut alike = remembered.filter(|answered| answered.key == key).take(ALIKE_MAX);
        alike.any(|answered| {
            agree(answered.question, question) && self.clock_ns <= answered.opened_ns + self.timeout_ns
        })
    }

    fn open(&self) -> usize {
        self.queries.values().filter(|query| query.state == EntryState::Open).count()
    }

    fn waiting(&self) -> usize {
        let is_waiting = |query: &&Query| {
            query.state == EntryState::Open && self.clock_ns > query.opened_ns + 1_000_000_000
        };
        self.queries.values().filter(is_waiting).count()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Query,
    Response,
    Advance,
}

/// A step, a client, an id, a question or none, and how far time moves before it, back or forth.
fn steps() -> impl Strategy<Value = Vec<(Step, u8, u16, Option<u64>, i64)>> {
    let step = prop_oneof![4 => Just(Step::Query), 4 => Just(Step::Response), 1 => Just(Step::Advance)];
    let moves = prop_oneof![
        6 => 0_i64..3,
        2 => -4_i64..20,
        1 => Just(100_i64),
        1 => -300_i64..300,
        // To just before and just after the end of `LATE_NS`.
        1 => (LATE_NS as i64 + 90)..(LATE_NS as i64 + 110),
    ];
    let question = prop_oneof![1 => Just(None), 3 => (1_u64..4).prop_map(Some)];
    proptest::collection::vec((step, 0_u8..5, 0_u16..2, question, moves), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn the_table_follows_the_rules(steps in steps(), entries_max in prop_oneof![1_usize..6, Just(1_000)]) {
        let timeout_ns = 100;
        let mut table = Transactions::new(timeout_ns, entries_max);
        let mut model = Model { timeout_ns, entries_max, ..Default::default() };
        let mut now = START;
        for (step, client, id, name, moves) in steps {
            now = now.saturating_add_signed(moves);
            let question = name.and_then(question);
            match step {
                Step::Query => prop_assert_eq!(
                    table.query(&Exchange::of_query(&flow(client), id), question, now),
                    model.query((client, id), question, now)
                ),
                Step::Response => prop_assert_eq!(
                    table.response(&Exchange::of_response(&flow(client).reversed(), id), question, now),
                    model.response((client, id), question, now)
                ),
                Step::Advance => {
                    table.advance(now);
                    model.advance(now);
                }
            }
            prop_assert_eq!(table.open(), model.open());
            prop_assert_eq!(table.counts, model.counts);
        }
    }

    #[test]
    fn queries_wait_from_an_age_of_one_second_on(
        steps in steps(),
        entries_max in prop_oneof![1_usize..6, Just(1_000)],
    ) {
        const SCALE: i64 = 60_000_000;
        let timeout_ns = 5_000_000_000;
        let mut table = Transactions::new(timeout_ns, entries_max);
        let mut model = Model { timeout_ns, entries_max, ..Default::default() };
        let mut now = START;
        for (step, client, id, name, moves) in steps {
            now = now.saturating_add_signed(moves.min(300) * SCALE);
            let question = name.and_then(question);
            match step {
                Step::Query => {
                    table.query(&Exchange::of_query(&flow(client), id), question, now);
                    model.query((client, id), question, now);
                }
                Step::Response => {
                    table.response(&Exchange::of_response(&flow(client).reversed(), id), question, now);
                    model.response((client, id), question, now);
                }
                Step::Advance => {
                    table.advance(now);
                    model.advance(now);
                    table.update_waiting(|_, _| {});
                    prop_assert_eq!(table.open_queries().waiting, model.waiting() as u64);
                }
            }
            // Those of the last update that are still open.
            prop_assert!(table.open_queries().waiting <= model.waiting() as u64);
        }
        table.update_waiting(|_, _| {});
        prop_assert_eq!(table.open_queries().waiting, model.waiting() as u64);
    }
}
