//! From the tables to what the rules look at.

use pktvisor_findings::{
    CLIENT_QUERIES_MIN, ClientObservation, HeavyClient, ServerObservation, ZONE_QUERIES_MIN, ZoneObservation,
};

use super::OwnedAddress;
use super::client::ClientCounts;
use super::distinct::Distinct;
use super::named::NamedKey;
use super::server::ServerCounts;
use super::table::EvidenceTable;
use super::window::{ServerWindow, TwoBlocks, ZoneWindow};
use super::zone::ZoneName;

/// Queries and waiting queries in a window from which on a server is observed.
const SERVER_QUERIES_MIN: u32 = 4;

pub(super) fn is_zone_observed(zone: &ZoneWindow) -> bool {
    u64::from(zone.window.blocks().map(|counts| counts.queries).iter().sum::<u32>()) >= ZONE_QUERIES_MIN
}

pub(super) fn is_server_observed(server: &ServerWindow) -> bool {
    let asked = |counts: &ServerCounts| counts.queries + counts.waited;
    server.window.blocks().map(asked).iter().sum::<u32>() >= SERVER_QUERIES_MIN
}

pub(super) fn is_client_observed(client: &TwoBlocks<ClientCounts>) -> bool {
    u64::from(client.blocks().map(|counts| counts.queries).iter().sum::<u32>()) >= CLIENT_QUERIES_MIN
}

pub(super) fn zone(
    name: &NamedKey<ZoneName>,
    zone: &ZoneWindow,
    clients: &EvidenceTable<NamedKey<OwnedAddress>, TwoBlocks<ClientCounts>>,
) -> ZoneObservation {
    let counts = zone.window.sum();
    let labels = f64::from(counts.labels.max(1));
    let heavy = counts.heavy_clients.heaviest().into_iter().filter(|&(_, queries)| {
        // The others are not named.
        queries >= counts.queries / 10
    });
    let named = |(hash, queries): (u32, u32)| {
        let address = clients.find(hash)?;
        Some(HeavyClient { name: address.name(), queries: u64::from(queries) })
    };
    ZoneObservation {
        name: name.name(),
        queries: u64::from(counts.queries),
        tcp_queries: u64::from(counts.tcp_queries),
        responses: u64::from(counts.responses),
        nxdomain: u64::from(counts.nxdomain),
        servfail: u64::from(counts.servfail),
        refused: u64::from(counts.refused),
        truncated: u64::from(counts.truncated),
        data_queries: u64::from(counts.data_queries),
        response_bytes: u64::from(counts.response_bytes),
        names_below: u64::from(counts.labels),
        label_bytes: f64::from(counts.label_bytes) / labels,
        label_entropy_bits: f64::from(counts.label_entropy) / 256.0 / labels,
        name_bytes: f64::from(counts.name_bytes) / f64::from(counts.queries.max(1)),
        distinct_names: counts.names.estimate(),
        new_names: new_names(&counts.names, &zone.older_names),
        distinct_names_error: Distinct::<64>::error(),
        distinct_clients: counts.clients.estimate(),
        heavy_clients: heavy.filter_map(named).collect(),
    }
}

/// How many names are not among the older ones. The difference of two estimates is too rough if the
/// older ones are many times more.
fn new_names(names: &Distinct<64>, older: &Distinct<64>) -> Option<f64> {
    let before = older.estimate();
    let mut all = *older;
    all.merge(names);
    (before <= 16.0 * names.estimate()).then(|| all.estimate() - before)
}

pub(super) fn server(
    address: &NamedKey<OwnedAddress>,
    server: &ServerWindow,
    place: usize,
) -> ServerObservation {
    let counts = server.window.sum();
    ServerObservation {
        name: address.name(),
        queries: u64::from(counts.queries),
        host_queries: u64::from(counts.host_queries),
        remote_queries: u64::from(counts.remote_queries),
        responses: u64::from(counts.responses),
        servfail: u64::from(counts.servfail),
        truncated: u64::from(counts.truncated),
        times: counts.times.count(),
        median_us: counts.times.median_us(),
        median_low_us: counts.times.median_low_us(),
        seconds: server.seconds(place),
    }
}

pub(super) fn client(address: &NamedKey<OwnedAddress>, counts: &ClientCounts) -> ClientObservation {
    ClientObservation {
        name: address.name(),
        queries: u64::from(counts.queries),
        query_bytes: u64::from(counts.query_bytes),
        responses: u64::from(counts.responses),
        response_bytes: u64::from(counts.response_bytes),
        wide_queries: u64::from(counts.wide_queries),
        malformed: u64::from(counts.malformed),
        truncated: u64::from(counts.truncated),
        tcp_queries: u64::from(counts.tcp_queries),
    }
}
