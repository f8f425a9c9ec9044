//! Places and networks of listed addresses, looked up when a report is made.
//!
//! So a packet costs nothing more. A place is the sum of its addresses in the table. What the table
//! does not attribute to an address may belong to any place, so it is part of each upper bound.

use std::collections::HashMap;
use std::net::IpAddr;

use pktvisor_analysis::geo::{Geo, UNKNOWN};
use pktvisor_api as api;

use crate::listed::{List, ListQuery};

/// The part of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlacePart {
    Country,
    Network,
}

impl PlacePart {
    fn of(self, geo: &mut Geo, address: IpAddr) -> Option<&str> {
        match self {
            Self::Country => geo.country(address),
            Self::Network => geo.locate(address).asn,
        }
    }
}

/// The places with the largest sums. `total` is the weight of all items, listed or not.
pub(super) fn located(
    geo: &mut Geo,
    part: PlacePart,
    addresses: impl Iterator<Item = (Option<IpAddr>, u64)>,
    total: u64,
    query: ListQuery,
) -> List {
    let mut sums: HashMap<Box<str>, u64> = HashMap::new();
    let mut attributed = 0;
    for (address, weight) in addresses.filter(|(_, weight)| *weight > 0) {
        let place = match address {
            Some(address) => part.of(geo, address),
            None => Some(UNKNOWN),
        };
        // Without a database of this kind there is no list.
        let Some(place) = place else { return List::of_unknown(total) };
        attributed += weight;
        match sums.get_mut(place) {
            Some(sum) => *sum += weight,
            None => drop(sums.insert(place.into(), weight)),
        }
    }
    let rest = total.saturating_sub(attributed);
    let mut places: Vec<_> = sums.into_iter().collect();
    places.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let left_out = places.get(query.length.entries()).map_or(0, |(_, sum)| *sum);
    places.truncate(query.length.entries());
    let entry = |(name, sum): (Box<str>, u64)| api::TopEntry {
        name: name.into_string(),
        estimate: sum,
        lower: Some(sum),
        upper: Some(sum + rest),
        scaled: None,
    };
    List { entries: places.into_iter().map(entry).collect(), absent_upper: query.bound(|| left_out + rest) }
}
