//! Places and networks, with MaxMind's public test databases.
//!
//! They are in `../shared/geo` beside the repository. Without them these tests print so and pass.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pktvisor_analysis::geo::Geo;
use pktvisor_api::TopEntry;

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
    let packets = replay(&traffic, Setup::summary()).document().packets;
    assert!(packets.top_geo_loc.is_empty() && packets.top_asn.is_empty());
}
