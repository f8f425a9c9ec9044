//! What is counted of a server.

use pktvisor_analysis::{ClientSide, InspectedMessage};

use super::rcode;
use super::table::EvidenceCounts;
use super::times::FewTimes;
use crate::keys::MessageKeys;

/// The numbers of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerCounts {
    pub(super) queries: u32,
    pub(super) responses: u32,
    /// Queries whose wait for a response exceeded one second in this time.
    pub(super) waited: u32,
    pub(super) servfail: u32,
    pub(super) truncated: u32,
    /// Queries of HOST.
    pub(super) host_queries: u32,
    /// Queries that HOST is asked.
    pub(super) remote_queries: u32,
    pub(super) times: FewTimes,
}

impl ServerCounts {
    pub(super) fn message(&mut self, inspected: &InspectedMessage<'_, MessageKeys<'_>>) {
        if inspected.message.is_response() {
            self.responses += 1;
            self.servfail += u32::from(inspected.message.header_rcode() == rcode::SERVFAIL);
            self.truncated += u32::from(inspected.message.header().tc());
            if let Some(duration_ns) = inspected.duration_ns {
                self.times.add(duration_ns / 1000);
            }
            return;
        }
        self.queries += 1;
        self.host_queries += u32::from(inspected.client == ClientSide::Host);
        self.remote_queries += u32::from(inspected.client == ClientSide::Remote);
    }

    pub(super) fn query_waits(&mut self, client: ClientSide) {
        self.waited += 1;
        // The place may be a new one.
        self.host_queries += u32::from(client == ClientSide::Host && self.host_queries == 0);
        self.remote_queries += u32::from(client == ClientSide::Remote && self.remote_queries == 0);
    }
}

impl EvidenceCounts for ServerCounts {
    fn merge(&mut self, other: &Self) {
        self.queries += other.queries;
        self.responses += other.responses;
        self.waited += other.waited;
        self.servfail += other.servfail;
        self.truncated += other.truncated;
        self.host_queries += other.host_queries;
        self.remote_queries += other.remote_queries;
        self.times.merge(&other.times);
    }
}
