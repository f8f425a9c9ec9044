//! Nothing is found in ordinary traffic, although much of it looks odd.

use dns_traffic::{Config, Day, DayConfig, Generator};
use pktvisor_common::classify::LinkType;

use crate::inspected::{Host, Inspected, Seen};

const MIDNIGHT_S: u64 = 1_699_920_000;

pub(crate) fn watch_day(config: DayConfig, host: Host) -> Vec<Seen> {
    let mut inspected = Inspected::new(host);
    for packet in Day::new(config) {
        inspected.packet(packet.timestamp_ns, &packet.data, packet.data.len() as u32, LinkType::ETHERNET);
    }
    inspected.finish()
}

#[test]
fn nothing_is_found_in_hours_of_ordinary_traffic() {
    for (seed, queries_per_second) in [(1, 5.0), (2, 40.0), (3, 400.0)] {
        let seconds = (200_000.0 / queries_per_second) as u64;
        let start_s = MIDNIGHT_S + 9 * 3600 - 100;
        let day = DayConfig { seed, start_s, seconds, queries_per_second, attack: None };
        for host in [Host::Known, Host::Unknown] {
            let seen = watch_day(day.clone(), host);
            assert!(seen.is_empty(), "seed {seed}, {host:?}: {seen:?}");
        }
    }
}

#[test]
#[ignore = "takes minutes"]
fn nothing_is_found_in_a_day() {
    for queries_per_second in [3.0, 30.0, 150.0] {
        let start_s = MIDNIGHT_S;
        let day = DayConfig { seed: 5, start_s, seconds: 86_400, queries_per_second, attack: None };
        let seen = watch_day(day, Host::Known);
        assert!(seen.is_empty(), "{queries_per_second}/s: {seen:?}");
    }
}

#[test]
fn nothing_is_found_in_generated_traffic() {
    let config = Config { packets: 200_000, rate: 2_000.0, collect_answer: false, ..Config::DEFAULT };
    let mut inspected = Inspected::new(Host::Known);
    for packet in Generator::new(config).unwrap() {
        inspected.packet(packet.timestamp_ns, &packet.data, packet.data.len() as u32, LinkType::ETHERNET);
    }
    let seen = inspected.finish();
    assert!(seen.is_empty(), "{seen:?}");
}
