//! Who does what in the last seconds: tables of zones, servers and clients for the rules that find
//! what is wrong.
//!
//! ```text
//! SecondEvidence    one thread's tables of the running second  ─┐ at the end of a second
//! EvidenceHistory   the tables of the last five to ten seconds ◄┘ ─ TrafficObservation ─ Judge
//! ```
//!
//! All tables have a fixed size, so a flood of zones or of forged clients cannot grow them, and the
//! heavy ones stay: see [`table`]. Rules compare shares, so a sample is enough: above a fixed
//! number of messages a second only some exchanges are inspected, each with its query and its
//! response. A message that is not inspected costs one comparison.

mod client;
mod distinct;
mod heavy;
mod history;
mod label;
mod named;
mod observe;
mod server;
mod table;
mod times;
mod window;
mod zone;

pub use history::AgentSource;
pub(super) use history::EvidenceHistory;

use pktvisor_analysis::message::Message;
use pktvisor_analysis::{ClientSide, InspectedMessage, Transport, WaitingQuery};
use pktvisor_common::address::{Address, IpVersion};
use pktvisor_memory::keyed_hash;

use crate::frequent::Key;
use crate::keys::{CUT, MessageKeys};
use client::ClientCounts;
use label::EntropyTable;
use named::HasName;
use server::ServerCounts;
use table::EvidenceTable;
use zone::{ZoneCounts, ZoneName};

/// About as many messages as one thread inspects in a second.
const INSPECTED_PER_SECOND: u32 = 512;

/// Sets of the tables of one second. Each set has four places, so that the least item that is sure
/// to have a place is far below one percent of the messages.
const ZONE_SETS: usize = 128;
const SERVER_SETS: usize = 64;
const CLIENT_SETS: usize = 128;

/// The tables of one thread for the running second.
#[derive(Debug)]
pub(super) struct SecondEvidence {
    /// Exchanges with a hash up to this are inspected.
    hash_max: u32,
    /// One of 2^this exchanges is inspected.
    exponent: u32,
    /// Messages inspected in this second.
    inspected: u32,
    /// The number of messages that they stand for.
    messages: u64,
    /// Queries that waited for longer than a second.
    waited: u32,
    queries: u32,
    client_queries: u32,
    responses: u32,
    truncated: u32,
    servfail: u32,
    tcp_queries: u32,
    zones: EvidenceTable<ZoneName, ZoneCounts>,
    servers: EvidenceTable<OwnedAddress, ServerCounts>,
    clients: EvidenceTable<OwnedAddress, ClientCounts>,
    entropy: EntropyTable,
}

/// An address that a table keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OwnedAddress {
    version: IpVersion,
    bytes: [u8; 16],
}

impl Default for OwnedAddress {
    fn default() -> Self {
        Self { version: IpVersion::V4, bytes: [0; 16] }
    }
}

impl OwnedAddress {
    fn of(address: Address<'_>) -> Self {
        Self { version: address.version(), bytes: *address.bytes() }
    }
}

impl HasName for OwnedAddress {
    fn text(&self) -> String {
        std::net::IpAddr::from(Address::new(self.version, &self.bytes)).to_string()
    }
}

fn address_hash(address: Address<'_>) -> u64 {
    let value = u128::from_le_bytes(*address.bytes());
    let version = u64::from(address.version().number());
    keyed_hash::of_words([value as u64, (value >> 64) as u64, version])
}

/// The hash of a zone, for its own name and for all names below it.
#[inline]
fn zone_hash(key: Key<'_>) -> u64 {
    if key.tag == CUT { key.hash() } else { keyed_hash::of_bytes(key.bytes, CUT) }
}

impl Default for SecondEvidence {
    fn default() -> Self {
        Self {
            hash_max: u32::MAX,
            exponent: 0,
            inspected: 0,
            messages: 0,
            waited: 0,
            queries: 0,
            client_queries: 0,
            responses: 0,
            truncated: 0,
            servfail: 0,
            tcp_queries: 0,
            zones: EvidenceTable::new(ZONE_SETS),
            servers: EvidenceTable::new(SERVER_SETS),
            clients: EvidenceTable::new(CLIENT_SETS),
            entropy: EntropyTable::new(),
        }
    }
}

impl SecondEvidence {
    /// Whether the exchange with this hash is inspected.
    #[inline]
    pub(super) fn inspects(&self, exchange_hash: u32) -> bool {
        exchange_hash <= self.hash_max
    }

    /// Counts a message of an inspected exchange.
    pub(super) fn message(&mut self, inspected: &InspectedMessage<'_, MessageKeys<'_>>) {
        let flow = inspected.flow;
        self.count(inspected.message, flow.transport, inspected.client);
        let (source, destination) = (flow.addresses.source(), flow.addresses.destination());
        let (client, server) = match inspected.message.is_response() {
            false => (source, destination),
            true => (destination, source),
        };
        let client_hash = address_hash(client);
        if let Some(counts) = self.servers.get(address_hash(server), || OwnedAddress::of(server)) {
            counts.message(inspected);
        }
        if inspected.client != ClientSide::Host
            && let Some(counts) = self.clients.get(client_hash, || OwnedAddress::of(client))
        {
            counts.message(inspected);
        }
        if let (Some(question), Some(keys)) = (&inspected.message.question, inspected.keys.question())
            && let Some(counts) = self.zones.get(zone_hash(keys.qname2), || ZoneName::of(keys.qname2.bytes))
        {
            let client = (inspected.client != ClientSide::Host).then_some(client_hash);
            counts.message(inspected, question, keys.qname2.bytes.len(), client, &self.entropy);
        }
    }

    #[inline]
    fn count(&mut self, message: &Message<'_>, transport: Transport, client: ClientSide) {
        self.inspected += 1;
        self.messages += 1 << self.exponent;
        if self.inspected.is_multiple_of(2 * INSPECTED_PER_SECOND) {
            self.set_exponent(self.exponent + 1);
        }
        if message.is_response() {
            self.responses += 1;
            self.truncated += u32::from(message.header().tc());
            self.servfail += u32::from(message.header_rcode() == rcode::SERVFAIL);
        } else {
            self.queries += 1;
            self.client_queries += u32::from(client != ClientSide::Host);
            self.tcp_queries += u32::from(transport == Transport::Tcp);
        }
    }

    /// Counts a query of an inspected exchange that has waited for longer than a second.
    pub(super) fn query_waits(&mut self, query: &WaitingQuery) {
        self.waited += 1;
        let server = query.addresses.destination();
        if let Some(counts) = self.servers.get(address_hash(server), || OwnedAddress::of(server)) {
            counts.query_waits(query.client);
        }
    }

    fn set_exponent(&mut self, exponent: u32) {
        self.exponent = exponent.min(31);
        self.hash_max = u32::MAX >> self.exponent;
    }

    /// Whether nothing was inspected in this second.
    fn is_empty(&self) -> bool {
        self.inspected == 0 && self.waited == 0
    }

    /// Begins the next second, after the tables were emptied.
    fn begin_second(&mut self) {
        self.set_exponent(exponent_for(self.messages));
        (self.inspected, self.messages, self.waited) = (0, 0, 0);
        (self.queries, self.client_queries, self.tcp_queries) = (0, 0, 0);
        (self.responses, self.truncated, self.servfail) = (0, 0, 0);
    }

    /// Inspects the same share of the exchanges as `other`.
    pub(super) fn adopt_rate(&mut self, other: &Self) {
        self.set_exponent(exponent_for(other.messages));
    }
}

/// The least exponent with which so many messages a second are inspected as intended.
fn exponent_for(messages: u64) -> u32 {
    (0..32).find(|&exponent| messages >> exponent <= u64::from(INSPECTED_PER_SECOND)).unwrap_or(31)
}

/// Response codes, RFC 1035 section 4.1.1.
mod rcode {
    pub(super) const SERVFAIL: u8 = 2;
    pub(super) const NXDOMAIN: u8 = 3;
    pub(super) const REFUSED: u8 = 5;
}
