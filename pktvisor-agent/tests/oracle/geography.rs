//! Places and networks, with MaxMind's public test databases.
//!
//! They are in `../shared/geo` beside the repository. Without them these tests print so and pass.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use dns_traffic::Counts;
use pktvisor_analysis::geo::Geo;
use pktvisor_api::{self as api, TopEntry};
use pktvisor_metrics::ClientPrefix;

use super::replay::{Setup, replay};
use super::traffic::{self, Traffic};

/// Addresses that the generator uses, and their places in the databases.
const KNOWN: [(&str, &str, &str); 5] = [
    ("216.160.83.57", "NA/United States/WA/Milton", "209"),
    ("89.160.20.113", "EU/Sweden/E/Linköping", "29518/Bredband2 AB"),
    ("67.43.156.1", "AS/Bhutan", "35908"),
    ("2.125.160.217", "EU/United Kingdom/ENG/Boxford", "Unknown"),
    ("100.64.0.1", "Unknown", "Unknown"),
];

fn databases() -> Option<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/geo");
    let (city, asn) = (folder.join("GeoLite2-City-Test.mmdb"), folder.join("GeoLite2-ASN-Test.mmdb"));
    if city.is_file() && asn.is_file() {
        return Some((city, asn));
    }
    println!("skipped: the test databases of MaxMind are not in {}", folder.display());
    None
}

fn top(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut top: Vec<_> = counts.into_iter().collect();
    top.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    top.truncate(10);
    top
}

fn listed(list: &[TopEntry]) -> Vec<(String, u64)> {
    list.iter().map(|entry| (entry.name.clone(), entry.estimate)).collect()
}

#[test]
fn every_packet_of_known_direction_counts_under_the_place_and_network_of_its_remote_end() {
    let Some((city, asn)) = databases() else { return };
    let open = || Geo::open(Some(&city), Some(&asn)).unwrap();
    let traffic = Traffic::of(traffic::ordinary());
    let packets = replay(&traffic, Setup { geo: Some(open()), ..Setup::summary() }).document().packets;

    let answer = &traffic.answer.total.packets;
    let (mut places, mut networks) = (HashMap::new(), HashMap::new());
    let mut geo = open();
    for (address, count) in answer.top_ipv4.iter().chain(answer.top_ipv6.iter()) {
        let location = geo.locate(address.parse().unwrap());
        *places.entry(location.city.unwrap().to_owned()).or_insert(0) += count;
        *networks.entry(location.asn.unwrap().to_owned()).or_insert(0) += count;
    }
    assert_eq!(places.values().sum::<u64>(), answer.received + answer.sent);
    assert!(places.len() > 5 && networks.len() > 2, "{places:?} {networks:?}");
    assert_eq!(listed(&packets.top_geo_loc), top(places));
    assert_eq!(listed(&packets.top_asn), top(networks));
}

/// The counts of addresses, added up by a part of their location.
fn located(counts: &Counts, mut part: impl FnMut(IpAddr) -> String) -> Vec<(String, u64)> {
    let mut places = HashMap::new();
    for (address, count) in counts.iter() {
        let address = address.split('/').next().unwrap();
        *places.entry(part(address.parse().unwrap())).or_insert(0) += count;
    }
    top(places)
}

#[test]
fn clients_servers_and_client_subnets_are_added_up_by_country_and_network() {
    let Some((city, asn)) = databases() else { return };
    let open = || Geo::open(Some(&city), Some(&asn)).unwrap();
    let traffic = Traffic::of(traffic::ordinary());
    let found = replay(&traffic, Setup { report_geo: Some(open()), ..Setup::summary() }).document().dns;
    let answer = &traffic.answer.total.dns;
    let mut geo = open();
    for (networks, countries, counts) in [
        (&found.inbound.top_client_asns, &found.inbound.top_client_countries, &answer.inbound.top),
        (&found.outbound.top_server_asns, &found.outbound.top_server_countries, &answer.outbound.top),
        (&found.top_ecs_asns, &found.top_ecs_countries, &answer.top_ecs_subnets),
    ] {
        let wanted = located(counts, |address| geo.country(address).unwrap().to_owned());
        // Client subnets are random, and the databases know few networks.
        assert!(wanted.len() > 3 || wanted[0].0 == "Unknown", "{wanted:?}");
        assert_eq!(listed(countries), wanted);
        assert_eq!(listed(networks), located(counts, |address| geo.locate(address).asn.unwrap().to_owned()));
        assert!(countries.iter().chain(networks).all(|entry| entry.lower == entry.upper), "all are listed");
    }
    assert!(found.inbound.top_client_countries.iter().any(|entry| entry.name == "Sweden"));
}

#[test]
fn places_of_clients_outside_the_table_are_part_of_every_upper_bound() {
    let Some((city, _)) = databases() else { return };
    let open = || Geo::open(Some(&city), None).unwrap();
    let traffic = Traffic::of(traffic::plentiful());
    let found = replay(&traffic, Setup { report_geo: Some(open()), ..Setup::periods() });
    let found = found.store.window(60).unwrap().dns.inbound;
    let mut geo = open();
    let mut truth = HashMap::new();
    for (address, count) in traffic.answer.total.dns.inbound.top.iter() {
        *truth.entry(geo.country(address.parse().unwrap()).unwrap().to_owned()).or_insert(0) += count;
    }
    assert_eq!(found.top_client_countries.len(), 10);
    for entry in &found.top_client_countries {
        let count = truth[&entry.name];
        assert!(entry.lower.unwrap() <= count && count <= entry.upper.unwrap(), "{entry:?} counts {count}");
    }
    assert!(found.top_client_asns.is_empty(), "there is no such database");
}

#[test]
fn networks_of_clients_are_cut_at_the_given_lengths() {
    let traffic = Traffic::of(traffic::ordinary());
    let prefix = ClientPrefix { v4_bits: 22, v6_bits: 56 };
    let setup = Setup { client_prefix: Some(prefix), ..Setup::summary() };
    let found = replay(&traffic, setup).document().dns.inbound.top_client_prefixes;
    let wanted = located(&traffic.answer.total.dns.inbound.top, |address| {
        let bits = if address.is_ipv4() { prefix.v4_bits } else { prefix.v6_bits };
        ipnet::IpNet::new(address, bits).unwrap().trunc().to_string()
    });
    assert_eq!(listed(&found), wanted);
}

#[test]
fn places_and_networks_are_spelled_as_in_version_3() {
    let Some((city, asn)) = databases() else { return };
    let mut geo = Geo::open(Some(&city), Some(&asn)).unwrap();
    for (address, place, network) in KNOWN {
        let location = geo.locate(address.parse().unwrap());
        assert_eq!((location.city, location.asn), (Some(place), Some(network)), "{address}");
    }
}

#[test]
fn without_databases_the_lists_are_empty() {
    let traffic = Traffic::of(traffic::sparse());
    let api::Period { packets, dns, .. } = replay(&traffic, Setup::summary()).document();
    assert!(packets.top_geo_loc.is_empty() && packets.top_asn.is_empty());
    assert!(dns.inbound.top_client_countries.is_empty() && dns.outbound.top_server_asns.is_empty());
    assert!(dns.top_ecs_countries.is_empty() && dns.inbound.top_client_prefixes.is_empty());
}
