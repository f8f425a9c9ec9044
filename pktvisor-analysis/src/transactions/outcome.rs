//! What a query or response turns out to be, and how often.

/// What must agree between query and response where both have a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionKey {
    /// A 64-bit hash of the lower-cased QNAME.
    pub name_hash: u64,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
}

/// What became of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryOutcome {
    /// It waits for its response.
    Opened,
    /// It repeats an open one, whose time stamp stays.
    Retransmitted,
}

/// What a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseOutcome {
    /// The first response to an open query: a transaction.
    Answered {
        /// From query to response; none when the response is stamped before its query.
        duration_ns: Option<u64>,
        /// Time stamp of the (first) query.
        query_timestamp_ns: u64,
    },
    /// The same where the query or the response was captured without a time stamp: how long it took is not known.
    AnsweredUntimed,
    /// The response to a query that had timed out.
    Late,
    /// A further response to an answered query.
    Duplicate,
    /// No query asked for it.
    Orphan,
}

/// Numbers of what happened since they were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionCounts {
    /// Queries answered in time, those with negative times included.
    pub answered: u64,
    /// Answered queries with a response stamped before them.
    pub negative_times: u64,
    /// Queries not answered in time.
    pub timed_out: u64,
    /// Responses to queries that had timed out.
    pub late: u64,
    /// Further responses to answered queries.
    pub duplicates: u64,
    /// Responses nobody asked for.
    pub orphans: u64,
    /// Queries that repeat an open one.
    pub retransmitted: u64,
    /// Open queries given up because the table was full.
    pub shed: u64,
}

impl TransactionCounts {
    /// Adds what `other` counted.
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
