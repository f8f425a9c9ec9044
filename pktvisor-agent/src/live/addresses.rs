//! Adds the kernel's sketches of remote addresses to the live period.

use std::net::IpAddr;

use pktvisor_analysis::geo::Geo;
use pktvisor_capture::kernel::{CardinalityRegisters, HeavyHitters, Hitter, Hitters};
use pktvisor_common::address::IpVersion;
use pktvisor_metrics::Recorder;
use pktvisor_metrics::frequent::{Item, Key};

/// Adds the addresses with the most packets of one collection. Looks up the place of each address
/// once.
pub(super) fn add_frequent(hitters: &HeavyHitters, geo: Option<&mut Geo>, recorder: &mut Recorder) {
    let HeavyHitters { v4, v6 } = hitters;
    let items =
        v4.addresses.iter().map(|hitter| item(hitter, Key::new(IpVersion::V4.number(), &hitter.address)));
    recorder.frequent_addresses(IpVersion::V4, v4.absent_max, items);
    let items =
        v6.addresses.iter().map(|hitter| item(hitter, Key::new(IpVersion::V6.number(), &hitter.address)));
    recorder.frequent_addresses(IpVersion::V6, v6.absent_max, items);
    let Some(geo) = geo else { return };
    locate(v4, geo, recorder);
    locate(v6, geo, recorder);
    // The missed packets may all have been from one place.
    recorder.located_nowhere(v4.missed + v6.missed);
}

/// Adds the registers of distinct addresses.
pub(super) fn add_distinct(registers: &CardinalityRegisters, recorder: &mut Recorder) {
    recorder.distinct_addresses(&registers.sources_in, &registers.destinations_out);
}

fn item<'a, K>(hitter: &Hitter<K>, key: Key<'a>) -> Item<'a> {
    Item { key, lower: hitter.packets, upper: hitter.packets.saturating_add(hitter.missed_max) }
}

fn locate<K: Copy + Into<IpAddr>>(hitters: &Hitters<K>, geo: &mut Geo, recorder: &mut Recorder) {
    for hitter in &hitters.addresses {
        let location = geo.locate(hitter.address.into());
        recorder.located(location.city, location.asn, hitter.packets);
    }
}
