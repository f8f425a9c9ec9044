//! `dns`: messages, names and transactions.

use serde::{Deserialize, Serialize};

use super::{Quantiles, TopEntry};

/// DNS of one period or window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Dns {
    /// Messages by kind, exact whatever the sampling rate.
    pub wire_packets: DnsMessages,
    /// Numbers of distinct names.
    pub cardinality: DnsCardinality,
    /// Queries matched with their responses.
    pub xact: Transactions,
    /// EDNS(0) in the analysed messages.
    pub edns: EdnsMetrics,
    /// The state of TCP stream and IP fragment reassembly.
    pub reassembly: Reassembly,
    /// Question names by their last two labels.
    pub top_qname2: Vec<TopEntry>,
    /// Question names by their last three labels.
    pub top_qname3: Vec<TopEntry>,
    /// Question names answered NXDOMAIN.
    pub top_nxdomain: Vec<TopEntry>,
    /// Question names answered REFUSED.
    pub top_refused: Vec<TopEntry>,
    /// Question names answered SERVFAIL.
    pub top_srvfail: Vec<TopEntry>,
    /// Response codes, EDNS extended ones included.
    pub top_rcode: Vec<TopEntry>,
    /// Query types.
    pub top_qtype: Vec<TopEntry>,
    /// Ports at the other end of DNS over UDP.
    pub top_udp_ports: Vec<TopEntry>,
}

/// DNS messages by kind. queries + replies, udp + tcp and ipv4 + ipv6 are each the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DnsMessages {
    /// All messages.
    pub total: u64,
    /// QR bit clear.
    pub queries: u64,
    /// QR bit set.
    pub replies: u64,
    /// Over TCP.
    pub tcp: u64,
    /// Over UDP.
    pub udp: u64,
    /// Over IPv4.
    pub ipv4: u64,
    /// Over IPv6.
    pub ipv6: u64,
    /// Replies with rcode 0.
    pub noerror: u64,
    /// Replies with rcode 3.
    pub nxdomain: u64,
    /// Replies with rcode 2.
    pub srvfail: u64,
    /// Replies with rcode 5.
    pub refused: u64,
    /// Messages of which the capture holds only a part.
    pub truncated_capture: u64,
    /// Messages that cannot be parsed after the header.
    pub malformed: u64,
}

/// Estimated numbers of distinct names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DnsCardinality {
    /// Distinct question names, without regard to case.
    pub qname: u64,
}

/// Queries and responses that belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Transactions {
    /// Numbers of transactions, in any direction.
    pub counts: TransactionCounts,
    /// HOST was asked.
    #[serde(rename = "in")]
    pub inbound: TransactionDirection,
    /// HOST asked.
    #[serde(rename = "out")]
    pub outbound: TransactionDirection,
}

/// Numbers of transactions and of what did not become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TransactionCounts {
    /// Queries answered within the time-out, in any direction.
    pub total: u64,
    /// Queries not answered within the time-out.
    pub timed_out: u64,
    /// Responses within 60 s after the time-out.
    pub late: u64,
    /// Further responses to an answered query.
    pub duplicates: u64,
    /// Responses without a query, or with another question.
    pub orphans: u64,
    /// Queries repeated while the first one was open.
    pub retransmitted: u64,
    /// Transactions with a response older than its query; not in the quantiles.
    pub negative_times: u64,
    /// Open queries given up because the table was full.
    pub shed: u64,
}

/// Transactions of one direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TransactionDirection {
    /// Transactions.
    pub total: u64,
    /// Time from query to response in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles_us: Option<Quantiles>,
    /// Question names at or above the running 90th percentile.
    pub top_slow: Vec<TopEntry>,
}

/// EDNS(0) (RFC 6891) in the analysed messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct EdnsMetrics {
    /// Queries with an OPT record.
    pub queries: u64,
    /// Replies with an OPT record.
    pub replies: u64,
    /// Queries with the DO bit (RFC 3225).
    pub dnssec_ok: u64,
    /// Queries with a client subnet option (RFC 7871).
    pub client_subnet: u64,
    /// Quantiles of the UDP payload size that queries offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp_size_bytes: Option<Quantiles>,
    /// NOERROR replies without an answer record.
    pub empty_answers: u64,
    /// Answer records in the analysed replies.
    pub answer_records: u64,
}

/// What reassembly of TCP streams and IP fragments had to give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Reassembly {
    /// Streams that lost their message boundaries.
    pub unsynchronised: u64,
    /// Gaps in streams that were given up.
    pub gaps: u64,
    /// Segments that brought nothing new.
    pub retransmitted_segments: u64,
    /// Streams dropped to stay within the memory budget.
    pub streams_evicted: u64,
    /// Fragmented datagrams put together.
    pub datagrams_reassembled: u64,
    /// Fragmented datagrams not complete after 30 s.
    pub datagrams_incomplete: u64,
    /// Fragmented datagrams dropped to stay within the memory budget, or impossible.
    pub datagrams_evicted: u64,
    /// Fragmented datagrams whose first fragment did not come within 30 s: whether they were DNS is not known.
    pub datagrams_unidentified: u64,
    /// Fragments that cannot be part of a datagram.
    pub fragments_malformed: u64,
}
