//! Recently answered queries. A further response to one of them is a duplicate.
//!
//! Nearly every query comes here, and few responses search for one. So keeping a query must be
//! cheap: a ring in the order of the responses, in which the newest replaces the oldest and nothing
//! is removed. A search first chains the queries that came since the last search: a chain links
//! queries whose hashes agree in their low bits, from the newest to the oldest. A chain ends at a
//! number that the ring has overwritten. The ring grows up to its ceiling while the oldest query is
//! still worth remembering.

use pktvisor_memory::huge_pages;
use pktvisor_memory::keyed_hash;

use super::{ALIKE_MAX, ENTRIES_MAX_DEFAULT};
use crate::transactions::outcome::QuestionKey;

/// Places at the start, a power of two.
const PLACES_MIN: usize = 512;

/// An answered query. Keyed hashes of 64 bits identify it: among 100,000 queries one is confused
/// with another once in 10^14 responses.
#[derive(Clone, Copy, Debug, Default)]
struct Answered {
    hash: u64,
    opened_ns: u64,
    /// A hash of its question; 0 without a question.
    question: u32,
    /// The number of the previous query in its chain, if it is chained.
    previous: u32,
}

/// The ring of answered queries.
#[derive(Debug)]
pub(super) struct AnsweredQueries {
    places_max: usize,
    /// The length is a power of two; query n is at place n modulo the length.
    places: Vec<Answered>,
    /// The number of the newest query of each chain; one chain per place. An empty chain has a
    /// number that the ring has overwritten.
    chains: Vec<u32>,
    /// How many of the newest queries are not chained yet.
    unchained: usize,
    /// Number of the newest query. Numbers wrap around: one from 2^32 before leads only to queries
    /// with another hash.
    newest: u32,
    /// Number of queries in the ring.
    len: usize,
}

impl AnsweredQueries {
    /// Remembers up to `max` queries, rounded up to a power of two.
    pub(super) fn new(max: usize) -> Self {
        let places_max = max.next_power_of_two();
        let len = places_max.min(PLACES_MIN);
        // Memory beyond the default is reserved when it is needed.
        let mut places = huge_pages::vec_with_room(places_max.min(ENTRIES_MAX_DEFAULT));
        places.resize(len, Answered::default());
        Self { places_max, places, chains: vec![0; len], unchained: 0, newest: 0, len: 0 }
    }

    /// Keeps a query. Queries opened before `since_ns` are not worth remembering.
    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64, question: Option<QuestionKey>, opened_ns: u64, since_ns: u64) {
        if self.len == self.places.len() {
            let oldest = self.places[self.place(self.newest.wrapping_add(1))];
            if oldest.opened_ns >= since_ns && self.len < self.places_max {
                self.grow();
            }
        }
        self.newest = self.newest.wrapping_add(1);
        self.len = (self.len + 1).min(self.places.len());
        self.unchained = (self.unchained + 1).min(self.len);
        let place = self.place(self.newest);
        self.places[place] = Answered { hash, question: question_hash(question), opened_ns, previous: 0 };
    }

    /// Whether a response belongs to a query that was answered and not opened before `since_ns`.
    pub(super) fn contains(&mut self, hash: u64, question: Option<QuestionKey>, since_ns: u64) -> bool {
        self.chain();
        let question = question_hash(question);
        let mut number = self.chains[self.place(hash as u32)];
        let mut alike = 0;
        let mut age = 0;
        // Each query of a chain must be older than the one before, so the walk ends.
        while let next = self.age(number)
            && (age..self.len).contains(&next)
            && alike < ALIKE_MAX
        {
            let found = &self.places[self.place(number)];
            if found.hash == hash {
                let agrees = found.question == question || found.question == 0 || question == 0;
                if agrees && found.opened_ns >= since_ns {
                    return true;
                }
                alike += 1;
            }
            number = found.previous;
            age = next + 1;
        }
        false
    }

    #[inline]
    fn place(&self, number: u32) -> usize {
        number as usize & (self.places.len() - 1)
    }

    /// How many queries came after a number.
    #[inline]
    fn age(&self, number: u32) -> usize {
        self.newest.wrapping_sub(number) as usize
    }

    /// Chains the queries that are not chained yet.
    fn chain(&mut self) {
        for age in (0..self.unchained).rev() {
            let number = self.newest.wrapping_sub(age as u32);
            let place = self.place(number);
            let chain = self.place(self.places[place].hash as u32);
            self.places[place].previous = self.chains[chain];
            self.chains[chain] = number;
        }
        self.unchained = 0;
    }

    /// Doubles the number of places. The next search chains the queries again.
    #[cold]
    fn grow(&mut self) {
        let places = self.places.len();
        self.places.resize(places * 2, Answered::default());
        for age in 0..self.len as u32 {
            let place = self.place(self.newest.wrapping_sub(age));
            if place >= places {
                self.places[place] = self.places[place - places];
            }
        }
        let passed = self.newest.wrapping_sub(self.len as u32);
        self.chains = vec![passed; places * 2];
        self.unchained = self.len;
    }
}

#[inline]
fn question_hash(question: Option<QuestionKey>) -> u32 {
    question.map_or(0, |QuestionKey { name_hash, qtype, qclass }| {
        (keyed_hash::of_words([name_hash, u64::from(qtype) << 16 | u64::from(qclass)]) as u32).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name_hash: u64) -> Option<QuestionKey> {
        Some(QuestionKey { name_hash, qtype: 1, qclass: 1 })
    }

    /// Hash number `n`; every chain has two of them, however many chains there are.
    fn hash(n: u64) -> u64 {
        (n / 2) | ((n % 2) << 60)
    }

    #[test]
    fn the_newest_are_remembered_up_to_the_ceiling() {
        let mut answered = AnsweredQueries::new(1_000);
        for n in 0..5_000 {
            answered.insert(hash(n), question(n), n, 0);
            let first = (n + 1).saturating_sub(1_024);
            assert!(answered.contains(hash(first), question(first), 0), "{first} of {n}");
            assert!(!answered.contains(hash(first), question(first + 1), 0));
            assert!(first == 0 || !answered.contains(hash(first - 1), question(first - 1), 0), "{n}");
        }
        let remembered = (0..5_000).filter(|&n| answered.contains(hash(n), None, 0));
        assert_eq!(remembered.count(), 1_024);
    }

    #[test]
    fn it_does_not_grow_while_the_oldest_is_not_worth_remembering() {
        let mut answered = AnsweredQueries::new(1 << 16);
        for n in 0..100_000_u64 {
            answered.insert(hash(n), None, n, n.saturating_sub(100));
        }
        assert_eq!(answered.places.len(), PLACES_MIN);
        assert!(answered.contains(hash(99_950), None, 99_900));
        assert!(!answered.contains(hash(99_800), None, 99_900), "it is there, but too old");
    }

    #[test]
    fn numbers_wrap_around() {
        let mut answered = AnsweredQueries::new(4);
        answered.newest = u32::MAX - 10;
        answered.chains = vec![answered.newest; 4];
        for n in 0..20 {
            answered.insert(hash(n), None, n, 0);
            // Search now and then, because a search chains the new queries.
            let remembered = (0..20).filter(|&m| answered.contains(hash(m), None, 0));
            assert!(n % 3 == 0 || remembered.eq((n + 1).saturating_sub(4)..n + 1), "after {n}");
        }
    }

    #[test]
    fn of_many_with_one_hash_only_the_newest_are_looked_at() {
        let mut answered = AnsweredQueries::new(1_000);
        for n in 0..100 {
            answered.insert(7, question(n), 0, 0);
        }
        let remembered = (0..100).filter(|&n| answered.contains(7, question(n), 0));
        assert!(remembered.eq(100 - ALIKE_MAX as u64..100));
    }
}
