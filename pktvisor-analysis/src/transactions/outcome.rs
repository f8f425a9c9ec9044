//! The outcomes of queries and responses, and their numbers.

/// The question of a query or response. They must agree if both have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionKey {
    /// A 64-bit hash of the lower-cased QNAME.
    pub name_hash: u64,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
}

/// The outcome of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryOutcome {
    /// It waits for its response.
    Opened,
    /// It repeats an open query, which keeps its time stamp.
    Retransmitted,
}

/// The outcome of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseOutcome {
    /// The first response to an open query: a transaction.
    Answered {
        /// Time from query to response; `None` if the response has an earlier time stamp than its
        /// query.
        duration_ns: Option<u64>,
        /// Time stamp of the (first) query.
        query_timestamp_ns: u64,
        /// Octets of the (first) query; 0 if it was not [described](super::Transactions::describe).
        query_bytes: u32,
    },
    /// The first response to an open query, but one of the two has no time stamp. So the duration
    /// is unknown.
    AnsweredUntimed,
    /// The response to a query that had timed out.
    Late,
    /// A further response to an answered query.
    Duplicate,
    /// There is no query for it.
    Orphan,
}

/// Queries without a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenQueries {
    /// Queries that wait for their response.
    pub open: u64,
    /// Of these: queries that have waited for longer than a second.
    pub waiting: u64,
}

/// Numbers of outcomes since they were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionCounts {
    /// Queries answered in time, those with negative times included.
    pub answered: u64,
    /// Answered queries whose response has an earlier time stamp.
    pub negative_times: u64,
    /// Queries not answered in time.
    pub timed_out: u64,
    /// Responses to queries that had timed out.
    pub late: u64,
    /// Further responses to answered queries.
    pub duplicates: u64,
    /// Responses without a query.
    pub orphans: u64,
    /// Queries that repeat an open one.
    pub retransmitted: u64,
    /// Open queries given up because the table was full.
    pub shed: u64,
}

impl TransactionCounts {
    /// Adds the numbers of `other`.
    pub fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.negative_times += other.negative_times;
        self.timed_out += other.timed_out;
        self.late += other.late;
        self.duplicates += other.duplicates;
        self.orphans += other.orphans;
        self.retransmitted += other.retransmitted;
        self.shed += other.shed;
    }
}
