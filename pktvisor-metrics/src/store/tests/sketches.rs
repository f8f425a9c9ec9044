//! The sketches of periods and windows.

use std::collections::BTreeSet;

use datasketches::hll::HllSketch;
use pktvisor_analysis::message::MessageHead;
use pktvisor_analysis::name::Name;
use pktvisor_analysis::{Flow, Observer, Transport};
use pktvisor_common::classify::Captured;
use pktvisor_definitions::{Exactness, GROUPS, Kind};

use super::*;
use crate::listed::ListLength;
use crate::settings::ClientPrefix;

const LENGTH: ListLength = ListLength::DEFAULT;

/// The paths of all rows of this kind.
fn paths(is_wanted: fn(Kind, Exactness) -> bool) -> BTreeSet<String> {
    let rows = GROUPS.iter().flat_map(|group| group.metrics.iter().map(move |metric| (group.path, metric)));
    let wanted = rows.filter(|(_, metric)| is_wanted(metric.kind, metric.class));
    wanted.map(|(path, metric)| format!("{path}.{}", metric.key)).collect()
}

fn estimate(image: &api::HllImage) -> u64 {
    HllSketch::deserialize(&image.0).unwrap().composite_estimate().round() as u64
}

#[test]
fn the_sketches_of_a_window_are_those_of_its_report() {
    let store = store(5, false);
    feed(&store, &[100.0, 100.1, 160.0, 161.0, 170.0]);
    let document = store.sketches(3, LENGTH).unwrap();
    assert_eq!((document.format, document.periods), (api::SKETCHES_FORMAT, 2));
    assert_eq!(document.period, store.window(3).unwrap());
    let images: Vec<_> =
        document.distinct.iter().map(|(path, image)| (path.as_str(), estimate(image))).collect();
    assert_eq!(images, [("packets.cardinality.src_ips_in", 5)]);
    assert_eq!(document.histograms["packets.rates.pps_in"].count, 70);
}

#[test]
fn each_period_has_sketches_of_its_own() {
    let store = store(5, false);
    feed(&store, &[100.0, 100.1, 160.0]);
    let of = |n| store.sketches_of_bucket(n, LENGTH).unwrap();
    assert_eq!([0, 1].map(|n| of(n).period), [0, 1].map(|n| bucket(&store, n)));
    assert_eq!([0, 1].map(|n| estimate(&of(n).distinct["packets.cardinality.src_ips_in"])), [1, 2]);
    assert_eq!(store.sketches(1, LENGTH).unwrap(), of(0));
    assert_eq!(store.sketches_of_bucket(2, LENGTH), Err(NoPeriod::NotYet { last: 1 }));
    assert_eq!(store.sketches(6, LENGTH), Err(NoPeriod::OutOfRange { first: 1, last: 5 }));
}

#[test]
fn every_list_states_what_it_leaves_out_unless_places_are_unknown() {
    let store = store(5, false);
    feed(&store, &[100.0]);
    let lists = store.sketches_of_bucket(0, LENGTH).unwrap().lists;
    let missing: Vec<_> =
        paths(|kind, _| kind == Kind::List).into_iter().filter(|path| !lists.contains_key(path)).collect();
    assert_eq!(missing, ["packets.top_ASN", "packets.top_geoLoc"]);
    assert!(lists.values().all(|totals| totals.absent_upper == 0), "one address is listed");
}

#[test]
fn a_list_states_the_largest_count_that_it_leaves_out() {
    let store = store(5, false);
    let mut times = vec![100.0; 20];
    feed(&store, &times);
    times.truncate(15);
    feed(&store, &times);
    let one = ListLength::new(15).unwrap();
    let document = store.sketches_of_bucket(0, one).unwrap();
    assert!(document.period.packets.top_ipv4.iter().all(|entry| entry.estimate == 2));
    assert_eq!(document.lists["packets.top_ipv4"].absent_upper, 1);
    let tied = store.sketches_of_bucket(0, LENGTH).unwrap();
    assert_eq!(tied.lists["packets.top_ipv4"].absent_upper, 2);
}

#[test]
fn paths_are_those_of_the_declarations() {
    let store = store(5, false);
    feed(&store, &[100.0, 161.0]);
    let document = store.sketches(2, LENGTH).unwrap();
    let lists = paths(|kind, _| kind == Kind::List);
    let distinct = paths(|_, class| class == Exactness::Distinct);
    let quantiles = paths(|kind, _| kind == Kind::Quantiles);
    assert!(document.lists.keys().all(|path| lists.contains(path)));
    assert!(document.distinct.keys().all(|path| distinct.contains(path)));
    assert!(document.histograms.keys().all(|path| quantiles.contains(path)));
}

#[test]
fn without_their_lengths_the_networks_of_clients_are_unknown() {
    const PATH: &str = "dns.in.top_client_prefixes";
    let prefix = ClientPrefix { v4_bits: 24, v6_bits: 56 };
    for (store, is_stated) in [(store(5, false), false), (store(5, false).with_client_prefix(prefix), true)] {
        let mut batch = store.batch();
        let mut head = MessageHead::new(&[0; 12]);
        let mut name = Name::default();
        head.parse(&mut name).unwrap();
        let recorder = batch.recorder();
        let ends = ExchangeEnds { side: ClientSide::Remote, ..ends() };
        let keys = recorder.keys(recorder.end_keys(&ends), &head);
        let class = Class { ip_version: Some(IpVersion::V4), ..Class::default() };
        let flow = Flow::of(&class, Transport::Udp).unwrap();
        recorder.message(&flow, head.parse_rest(Captured::Whole), &keys);
        drop(batch);
        let document = store.sketches_of_bucket(0, LENGTH).unwrap();
        assert_eq!(document.period.dns.inbound.queries, 1);
        assert_eq!(document.period.dns.inbound.top_client_prefixes.len(), usize::from(is_stated));
        assert_eq!(document.lists.contains_key(PATH), is_stated);
    }
}
