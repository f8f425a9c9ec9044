//! The true summary of the generated packets: exact counts and sets, no sketches.
//!
//! A field has the same name as the field of the agent's JSON with the same meaning.

mod collect;
mod finish;
mod lists;
mod outcome_names;
mod side;
mod sides;
mod transactions;

use serde::Serialize;

pub(crate) use collect::AnswerCollector;
pub use lists::Counts;
pub use side::SideAnswer;

/// The true answer for a whole capture and for each of its periods.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Answer {
    /// The prefixes of the watched host, to be given to the agent (`-H`).
    pub host: Vec<String>,
    /// All packets as one period.
    pub total: Summary,
    /// 60 s each, from the whole second of the first packet.
    pub periods: Vec<Summary>,
}

impl Answer {
    /// Lets each list show this many entries when it is serialised (50 otherwise).
    pub fn show_entries(&mut self, entries: usize) {
        for summary in std::iter::once(&mut self.total).chain(&mut self.periods) {
            for counts in summary.lists_mut() {
                counts.shown = entries;
            }
        }
    }
}

/// One period.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Its time.
    pub period: Span,
    /// All packets.
    pub packets: PacketAnswer,
    /// DNS.
    pub dns: DnsAnswer,
}

impl Summary {
    fn lists_mut(&mut self) -> [&mut Counts; 20] {
        let (packets, dns) = (&mut self.packets, &mut self.dns);
        [
            &mut packets.top_ipv4,
            &mut packets.top_ipv6,
            &mut dns.top_qname2,
            &mut dns.top_qname3,
            &mut dns.top_nxdomain,
            &mut dns.top_refused,
            &mut dns.top_srvfail,
            &mut dns.top_rcode,
            &mut dns.top_qtype,
            &mut dns.top_udp_ports,
            &mut dns.top_noerror,
            &mut dns.top_nodata,
            &mut dns.top_timed_out,
            &mut dns.top_qname_by_response_bytes,
            &mut dns.top_zones_nxdomain,
            &mut dns.top_zones_srvfail,
            &mut dns.top_zones_timed_out,
            &mut dns.top_ecs_subnets,
            &mut dns.inbound.top,
            &mut dns.outbound.top,
        ]
    }
}

/// Whether the last second of a period is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastSecond {
    Finished,
    Unfinished,
}

/// Beginning and length of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Seconds since 1970.
    pub start_ts: u64,
    /// Seconds, including the second of the newest packet.
    pub length: u64,
}

/// Counts of all packets.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct PacketAnswer {
    pub total: u64,
    pub udp: u64,
    pub tcp: u64,
    pub other_l4: u64,
    pub ipv4: u64,
    pub ipv6: u64,
    pub non_ip: u64,
    #[serde(rename = "in")]
    pub received: u64,
    #[serde(rename = "out")]
    pub sent: u64,
    pub unknown: u64,
    pub bytes_total: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub fragments: u64,
    pub vlan: u64,
    pub malformed: u64,
    pub tunnelled: u64,
    pub tcp_syn: u64,
    pub tcp_syn_ack: u64,
    pub tcp_rst: u64,
    /// By wire length: below 64, 128, 256, 512, 1024, 1519, and above.
    pub sizes: [u64; 7],
    pub cardinality: ExactCardinality,
    pub rates: ExactRates,
    /// Packets to and from the host in each second; the last one is not over.
    pub per_second: Vec<[u64; 2]>,
    pub top_ipv4: Counts,
    pub top_ipv6: Counts,
}

/// Exact numbers of distinct addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExactCardinality {
    /// Sources of packets to the host.
    pub src_ips_in: u64,
    /// Destinations of packets from the host.
    pub dst_ips_out: u64,
}

/// Packets per second over all whole seconds but the last, which is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExactRates {
    /// To the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pps_in: Option<ExactQuantiles>,
    /// From the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pps_out: Option<ExactQuantiles>,
}

/// Values of rank floor(p n) + 1, at most n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "percentiles")]
pub struct ExactQuantiles {
    pub p50: u64,
    pub p90: u64,
    pub p95: u64,
    pub p99: u64,
}

impl ExactQuantiles {
    /// Of sorted values; `None` if there are none.
    pub fn of(sorted: &[u64]) -> Option<Self> {
        let at = |percent: usize| sorted.get((percent * sorted.len() / 100).min(sorted.len() - 1)).copied();
        if sorted.is_empty() {
            return None;
        }
        Some(Self { p50: at(50)?, p90: at(90)?, p95: at(95)?, p99: at(99)? })
    }
}

/// Counts of DNS messages and transactions.
///
/// Only the header of a malformed message is known: it has a response code, and counts in
/// transactions like a message without a question.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct DnsAnswer {
    pub wire_packets: MessageCounts,
    /// Distinct question names.
    pub qname_cardinality: u64,
    pub xact: TransactionAnswer,
    pub flags: FlagsAnswer,
    pub edns: EdnsAnswer,
    pub top_qname2: Counts,
    pub top_qname3: Counts,
    pub top_nxdomain: Counts,
    pub top_refused: Counts,
    pub top_srvfail: Counts,
    pub top_rcode: Counts,
    pub top_qtype: Counts,
    pub top_udp_ports: Counts,
    pub top_noerror: Counts,
    pub top_nodata: Counts,
    pub top_timed_out: Counts,
    pub top_qname_by_response_bytes: Counts,
    pub top_zones_nxdomain: Counts,
    pub top_zones_srvfail: Counts,
    pub top_zones_timed_out: Counts,
    pub top_ecs_subnets: Counts,
    /// The host was asked.
    #[serde(rename = "in")]
    pub inbound: SideAnswer,
    /// The host asked.
    #[serde(rename = "out")]
    pub outbound: SideAnswer,
}

/// DNS messages by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct MessageCounts {
    pub total: u64,
    pub queries: u64,
    pub replies: u64,
    pub tcp: u64,
    pub udp: u64,
    pub ipv4: u64,
    pub ipv6: u64,
    pub noerror: u64,
    pub nxdomain: u64,
    pub srvfail: u64,
    pub refused: u64,
    pub malformed: u64,
}

/// Transactions; each belongs to the period of its response.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TransactionAnswer {
    /// In any direction.
    pub counts: ExactTransactionCounts,
    /// The host was the server.
    #[serde(rename = "in")]
    pub inbound: DirectionAnswer,
    /// The host was the client.
    #[serde(rename = "out")]
    pub outbound: DirectionAnswer,
}

/// Numbers of transactions, and of messages that did not become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct ExactTransactionCounts {
    pub total: u64,
    /// In the period in which the time ran out.
    pub timed_out: u64,
    pub late: u64,
    pub duplicates: u64,
    pub orphans: u64,
    pub retransmitted: u64,
}

/// Transactions of one direction.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DirectionAnswer {
    /// Their number.
    pub total: u64,
    /// Of the times in whole microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantiles_us: Option<ExactQuantiles>,
    /// Every time from query to response, sorted.
    #[serde(skip)]
    pub times_ns: Vec<u64>,
}

/// Header flags of the replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct FlagsAnswer {
    pub aa: u64,
    pub ad: u64,
    pub tc: u64,
}

/// EDNS(0) in messages that can be parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "named as in the agent's JSON, where they are described")]
pub struct EdnsAnswer {
    pub queries: u64,
    pub replies: u64,
    pub dnssec_ok: u64,
    pub client_subnet: u64,
    pub empty_answers: u64,
    pub answer_records: u64,
}
