//! The input of the rules: what was counted in the last seconds.
//!
//! All numbers of messages are counts of inspected messages, of which each stands for
//! [`scale`](TrafficObservation::scale) messages. They are lower bounds: an item counts from the moment it
//! got its place in a table.

use std::sync::Arc;

/// What the rules judge once a second.
#[derive(Clone, Debug, Default)]
pub struct TrafficObservation {
    /// The second that has ended, since 1970-01-01 UTC.
    pub second_s: u64,
    /// Seconds inspected so far without a gap; 0 until the first second that was inspected from its
    /// beginning to its end.
    pub inspected_s: u64,
    /// Seconds that the numbers below cover: up to ten.
    pub window_s: u64,
    /// Messages that an inspected one stands for; at least 1.
    pub scale: f64,
    /// All inspected messages.
    pub totals: TrafficTotals,
    /// The zones with enough messages for a rule.
    pub zones: Vec<ZoneObservation>,
    /// The servers that were asked.
    pub servers: Vec<ServerObservation>,
    /// The clients with enough messages for a rule; HOST is not among them.
    pub clients: Vec<ClientObservation>,
    /// The agent itself.
    pub agent: AgentObservation,
}

impl TrafficObservation {
    /// Whether anything had enough messages for a rule.
    pub(crate) fn has_subjects(&self) -> bool {
        !(self.zones.is_empty() && self.servers.is_empty() && self.clients.is_empty())
    }
}

/// All inspected messages of the window.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrafficTotals {
    /// Queries.
    pub queries: u64,
    /// Queries that HOST did not send.
    pub client_queries: u64,
    /// Queries over TCP.
    pub tcp_queries: u64,
    /// Responses.
    pub responses: u64,
    /// Responses with the code SERVFAIL.
    pub servfail: u64,
    /// Responses with the bit TC.
    pub truncated: u64,
}

/// A zone: a registrable domain and all names below it.
#[derive(Clone, Debug, Default)]
pub struct ZoneObservation {
    /// Its name.
    pub name: Arc<str>,
    /// Queries.
    pub queries: u64,
    /// Queries over TCP.
    pub tcp_queries: u64,
    /// Responses.
    pub responses: u64,
    /// Responses with the code NXDOMAIN.
    pub nxdomain: u64,
    /// Responses with the code SERVFAIL.
    pub servfail: u64,
    /// Responses with the code REFUSED.
    pub refused: u64,
    /// Responses with the bit TC.
    pub truncated: u64,
    /// Queries for types that carry free content, such as TXT and NULL.
    pub data_queries: u64,
    /// Octets of the responses.
    pub response_bytes: u64,
    /// Queries for names below the zone.
    pub names_below: u64,
    /// Mean length of the first label of these names.
    pub label_bytes: f64,
    /// Mean entropy of the letters of the first label, in bits for each letter.
    pub label_entropy_bits: f64,
    /// Mean length of the names.
    pub name_bytes: f64,
    /// Estimated number of distinct names.
    pub distinct_names: f64,
    /// Relative standard error of this estimate.
    pub distinct_names_error: f64,
    /// Estimated number of these names that were not asked for in the hour before; `None` if it
    /// had too many names to tell.
    pub new_names: Option<f64>,
    /// Estimated number of distinct clients.
    pub distinct_clients: f64,
    /// The heaviest clients, heaviest first.
    pub heavy_clients: Vec<HeavyClient>,
}

/// A client with many messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeavyClient {
    /// Its address.
    pub name: Arc<str>,
    /// At least so many inspected messages.
    pub queries: u64,
}

/// A server.
#[derive(Clone, Debug, Default)]
pub struct ServerObservation {
    /// Its address.
    pub name: Arc<str>,
    /// Queries to it.
    pub queries: u64,
    /// Of these: queries of HOST.
    pub host_queries: u64,
    /// Of these: queries to HOST, which is then this server.
    pub remote_queries: u64,
    /// Its responses.
    pub responses: u64,
    /// Responses with the code SERVFAIL.
    pub servfail: u64,
    /// Responses with the bit TC.
    pub truncated: u64,
    /// Number of times from query to response.
    pub times: u64,
    /// Their median in microseconds.
    pub median_us: Option<f64>,
    /// The lower bound of the median.
    pub median_low_us: Option<f64>,
    /// The last seconds, newest first.
    pub seconds: Vec<ServerSecond>,
}

/// What happened at a server in one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerSecond {
    /// Queries to it.
    pub queries: u64,
    /// Its responses.
    pub responses: u64,
    /// Queries whose wait for a response began to exceed one second.
    pub waited: u64,
}

/// A client.
#[derive(Clone, Debug, Default)]
pub struct ClientObservation {
    /// Its address.
    pub name: Arc<str>,
    /// Its queries.
    pub queries: u64,
    /// Their octets.
    pub query_bytes: u64,
    /// Responses to it.
    pub responses: u64,
    /// Their octets.
    pub response_bytes: u64,
    /// Queries for types with large answers: ANY, DNSKEY, TXT, RRSIG.
    pub wide_queries: u64,
    /// Queries that cannot be parsed.
    pub malformed: u64,
    /// Responses to it with the bit TC.
    pub truncated: u64,
    /// Queries over TCP.
    pub tcp_queries: u64,
}

/// The agent itself.
#[derive(Clone, Debug, Default)]
pub struct AgentObservation {
    /// the watched interfaces.
    pub interfaces: Vec<InterfaceObservation>,
    /// Packets counted since start.
    pub packets: u64,
    /// DNS packets lost before analysis since start.
    pub lost: u64,
    /// Packets that drivers dropped since start.
    pub driver_drops: u64,
    /// The share of the DNS flows that is analysed now, in percent.
    pub sample_rate_now_pct: f64,
    /// The share that the user allows, in percent.
    pub sample_rate_max_pct: f64,
}

/// A watched interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceObservation {
    /// Its name.
    pub name: String,
    /// Whether packets can arrive.
    pub condition: LinkCondition,
}

/// Whether packets can arrive at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCondition {
    /// They can.
    Up,
    /// The interface exists, but is down.
    Down,
    /// The interface does not exist, or cannot be watched.
    Gone,
}
