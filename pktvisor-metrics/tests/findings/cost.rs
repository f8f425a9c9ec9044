//! What it costs to look for findings.

use std::time::{Duration, Instant};

use dns_traffic::{Config, Generator};
use pktvisor_common::classify::LinkType;

use crate::inspected::{Host, Inspected, Looking};

/// Prints the time for a packet, without and with findings, of the fastest of several runs. Build it
/// for release.
#[test]
#[ignore = "measures"]
fn the_time_for_a_packet() {
    for rate in [5_000.0, 100_000.0] {
        let config = Config { packets: 1_000_000, rate, collect_answer: false, ..Config::DEFAULT };
        let packets: Vec<_> = Generator::new(config).unwrap().collect();
        let mut best = [Duration::MAX; 2];
        for round in 0..14 {
            let looking = if round % 2 == 0 { Looking::Off } else { Looking::On };
            let start = Instant::now();
            let mut inspected = Inspected::with(Host::Known, looking);
            for packet in &packets {
                inspected.packet(
                    packet.timestamp_ns,
                    &packet.data,
                    packet.data.len() as u32,
                    LinkType::ETHERNET,
                );
            }
            let _ = inspected.finish();
            best[round % 2] = best[round % 2].min(start.elapsed());
        }
        let [without, with] = best.map(|time| time.as_secs_f64() * 1e9 / packets.len() as f64);
        let more = (with / without - 1.0) * 100.0;
        println!("{rate} packets/s: {without:.1} ns without, {with:.1} ns with findings, {more:.1} % more");
    }
}
