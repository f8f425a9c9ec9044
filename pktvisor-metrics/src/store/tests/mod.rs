//! The store as its readers see it.

mod moments;
mod periods;
mod rates;
mod rolling;
mod series;
mod sketches;
mod wall_clock;

use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{ClientSide, ExchangeEnds, Flow, Observer, Outcome, Transport};
use pktvisor_common::address::{Address, IpVersion};
use pktvisor_common::classify::{Captured, Class};
use pktvisor_common::counters::Counters;
use pktvisor_common::direction::Direction;

use super::*;
use crate::settings::Clock;

const S: u64 = 1_000_000_000;

fn store(periods: usize, summary: bool) -> Store {
    Store::new(StoreSettings { periods, summary, name_cut: NameCut::Labels, clock: Clock::Packets })
}

/// Counts a packet to HOST at each of these times, in seconds.
fn feed(store: &Store, times_s: &[f64]) {
    let mut batch = store.batch();
    let mut class = Class { ip_version: Some(IpVersion::V4), ..Class::default() };
    for time_s in times_s {
        class.source[3] = class.source[3].wrapping_add(1);
        batch.advance((time_s * S as f64) as u64, |_, _| {});
        batch.packet(&class, Direction::Received, 100);
    }
}

/// The ends of messages that no network of HOST sent or received.
fn ends() -> ExchangeEnds<'static> {
    static BYTES: [u8; 16] = [0; 16];
    let address = Address::new(IpVersion::V4, &BYTES);
    ExchangeEnds { client: address, server: address, side: ClientSide::Unknown }
}

fn bucket(store: &Store, n: usize) -> api::Period {
    store.bucket(n).unwrap()
}

fn span(period: &api::Period) -> (i64, i64, u64) {
    (period.period.start_ts, period.period.length, period.packets.total)
}

/// A store on the wall clock, which first ticks at this second.
fn live_store(start_s: u64) -> Store {
    let settings =
        StoreSettings { periods: 5, summary: false, name_cut: NameCut::Labels, clock: Clock::Wall };
    let store = Store::new(settings);
    store.batch().tick(start_s * S);
    store
}

/// Counters of this many DNS packets to HOST.
fn dns_packets(count: u64, not_chosen: u64) -> Counters {
    let mut counters = Counters::default();
    counters.packets.received = count;
    counters.packets.dns_packets = count;
    counters.packets.dns_not_sampled = not_chosen;
    counters
}
