//! What is counted of a client that asks HOST, or of any client if HOST is unknown.

use pktvisor_analysis::{InspectedMessage, Transport};

use super::table::EvidenceCounts;
use crate::keys::MessageKeys;

/// The numbers of a client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClientCounts {
    pub(super) queries: u32,
    pub(super) query_bytes: u32,
    pub(super) responses: u32,
    /// Over UDP only.
    pub(super) response_bytes: u32,
    /// Queries for types with large answers.
    pub(super) wide_queries: u32,
    /// Messages of the client that cannot be parsed.
    pub(super) malformed: u32,
    /// Truncated responses to it.
    pub(super) truncated: u32,
    pub(super) tcp_queries: u32,
}

impl ClientCounts {
    pub(super) fn message(&mut self, inspected: &InspectedMessage<'_, MessageKeys<'_>>) {
        let bytes = inspected.bytes as u32;
        if inspected.message.is_response() {
            self.responses += 1;
            // A response over TCP never goes to a forged address.
            if inspected.flow.transport != Transport::Tcp {
                self.response_bytes = self.response_bytes.saturating_add(bytes);
            }
            self.truncated += u32::from(inspected.message.header().tc());
            return;
        }
        self.queries += 1;
        self.query_bytes = self.query_bytes.saturating_add(bytes);
        self.malformed += u32::from(inspected.message.malformed);
        self.tcp_queries += u32::from(inspected.flow.transport == Transport::Tcp);
        let qtype = inspected.message.question.as_ref().map(|question| question.qtype);
        self.wide_queries += u32::from(qtype.is_some_and(has_large_answers));
    }
}

impl EvidenceCounts for ClientCounts {
    fn merge(&mut self, other: &Self) {
        self.queries += other.queries;
        self.query_bytes = self.query_bytes.saturating_add(other.query_bytes);
        self.responses += other.responses;
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        self.wide_queries += other.wide_queries;
        self.malformed += other.malformed;
        self.truncated += other.truncated;
        self.tcp_queries += other.tcp_queries;
    }
}

/// TXT, RRSIG, DNSKEY and ANY (<https://www.iana.org/assignments/dns-parameters>).
fn has_large_answers(qtype: u16) -> bool {
    matches!(qtype, 16 | 46 | 48 | 255)
}
