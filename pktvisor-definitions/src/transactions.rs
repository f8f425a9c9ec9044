//! `dns.xact`: queries and the responses that answer them.

/// `dns.xact`.
#[macro_export]
macro_rules! transactions {
    ($emit:ident) => {
        $emit! {
            /// Queries and responses that belong together.
            "dns.xact": Transactions / TransactionRecord {
                /// Numbers of transactions, in any direction.
                counts: Group(TransactionCounts, TransactionCountsRecord);
                /// Queries to HOST.
                inbound as "in": Group(TransactionDirection, TransactionDirectionRecord);
                /// Queries from HOST.
                outbound as "out": Group(TransactionDirection, TransactionDirectionRecord);
                /// Queries neither to nor from HOST.
                unknown: Group(TransactionDirection, TransactionDirectionRecord);
            }
        }
    };
}

/// `dns.xact.counts`.
#[macro_export]
macro_rules! transaction_counts {
    ($emit:ident) => { $emit! {
        /// Numbers of transactions, and of messages outside them.
        #[derive(Copy, Eq)]
        "dns.xact.counts": TransactionCounts / TransactionCountsRecord {
            /// Queries answered within the time-out, in any direction.
            total: Counter(transactions, analysed) => elsewhere;
            /// Queries not answered within the time-out.
            timed_out: Counter(queries, analysed) => ("pktvisor_period_dns_unmatched", cause = "timed_out");
            /// Responses within 60 s after the time-out.
            late: Counter(responses, analysed) => ("pktvisor_period_dns_unmatched", cause = "late");
            /// Further responses to an answered query.
            duplicates: Counter(responses, analysed) => ("pktvisor_period_dns_unmatched", cause = "duplicate");
            /// Responses without a query, or with another question.
            orphans: Counter(responses, analysed) => ("pktvisor_period_dns_unmatched", cause = "orphan");
            /// Queries repeated while the first one was open.
            retransmitted: Counter(queries, analysed);
            /// Transactions with a response older than its query; not in the quantiles.
            negative_times: Counter(transactions, analysed);
            /// Open queries given up because the table was full.
            shed: Counter(queries, exact);
        }
    } };
}

/// `dns.xact.in`, `dns.xact.out` and `dns.xact.unknown`.
#[macro_export]
macro_rules! transaction_direction {
    ($emit:ident) => {
        $emit! {
            /// Transactions of one direction.
            "dns.xact.in": TransactionDirection / TransactionDirectionRecord {
                /// Transactions. Pairs with time stamps only.
                total: Counter(transactions, analysed) => elsewhere;
                /// Time from query to response in microseconds.
                quantiles_us: Times("µs");
                /// Question names at or above the running 90th percentile of direction and period, from the eleventh
                /// transaction on.
                top_slow: List(transactions, analysed, Name);
            }
        }
    };
}
