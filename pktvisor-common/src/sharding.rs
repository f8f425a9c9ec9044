//! Which of several worker threads analyses a packet: all packets between two hosts go to the same
//! one.
//!
//! By hosts and not by flow, since fragments have no ports. A query and its response, the segments
//! of a connection and the fragments of a datagram then reach one thread, in the order of time, by
//! any receive queue. No thread waits for another.

use crate::classify::Class;
use crate::sampling::{Endpoint, flow_hash};

/// How many threads there are, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Shards(u16);

impl Shards {
    /// One for all.
    pub const ONE: Self = Self(1);
    /// The most that there can be.
    pub const MAX: Self = Self(64);

    /// This many, within the limits.
    pub const fn new(count: u16) -> Self {
        match count {
            0 => Self::ONE,
            1..=64 => Self(count),
            _ => Self::MAX,
        }
    }

    /// How many there are.
    #[inline(always)]
    pub const fn count(self) -> u32 {
        self.0 as u32
    }

    /// The one that a packet is for, counted from 0; the same for both directions.
    #[inline(always)]
    pub fn of(self, class: &Class) -> u32 {
        if self.count() <= 1 {
            return 0;
        }
        let end = |address| Endpoint { address, port: 0 };
        let hash = flow_hash(end(&class.source), end(&class.destination), 0, 0);
        (((hash >> 32) * u64::from(self.count())) >> 32) as u32
    }

    /// Place, in a map of programs, of the socket or ring by which a shard gets its packets of a
    /// receive queue or processor.
    #[inline(always)]
    pub const fn place(self, source: u32, shard: u32) -> u32 {
        source.wrapping_mul(self.count()).wrapping_add(shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::IpVersion;

    fn packet(client: u32, server: u32, port: u16) -> Class {
        let mut class = Class {
            ip_version: Some(IpVersion::V4),
            source_port: port,
            destination_port: 53,
            ..Class::default()
        };
        class.source[..4].copy_from_slice(&client.to_be_bytes());
        class.destination[..4].copy_from_slice(&server.to_be_bytes());
        class
    }

    #[test]
    fn packets_between_two_hosts_go_to_one_shard_whatever_their_ports_and_direction() {
        for count in [1, 2, 3, 16, 64] {
            for client in 0..1000 {
                let there = packet(client, 0xc000_0235, 5353);
                let back = Class { source: there.destination, destination: there.source, ..packet(0, 0, 4) };
                let shard = Shards::new(count).of(&there);
                assert!(shard < u32::from(count));
                assert_eq!(Shards::new(count).of(&back), shard);
            }
        }
    }

    #[test]
    fn hosts_are_spread_evenly_also_pairs_that_differ_alike() {
        const HOSTS: u32 = 40_000;
        type Pair = fn(u32) -> Class;
        let pairs: [(&str, Pair); 2] = [
            ("clients of a server", |i| packet(0x0a00_0000 + i, 0xc000_0235, 53)),
            ("neighbours", |i| packet(0x0a00_0000 + i, 0x0a01_0000 + i, 53)),
        ];
        for (what, pair) in pairs {
            let shards = Shards::new(8);
            let mut hosts = [0u32; 8];
            for i in 0..HOSTS {
                hosts[shards.of(&pair(i)) as usize] += 1;
            }
            // Five standard deviations of a fair choice.
            let expected = f64::from(HOSTS) / 8.0;
            let tolerance = 5.0 * (expected * 7.0 / 8.0).sqrt();
            assert!(hosts.iter().all(|&n| (f64::from(n) - expected).abs() < tolerance), "{what}: {hosts:?}");
        }
    }

    #[test]
    fn every_queue_has_a_place_of_its_own_for_every_shard() {
        let shards = Shards::new(3);
        let places: Vec<_> =
            (0..4).flat_map(|queue| (0..3).map(move |shard| shards.place(queue, shard))).collect();
        assert_eq!(places, (0..12).collect::<Vec<_>>());
        assert_eq!((Shards::new(0).count(), Shards::new(65).count()), (1, 64));
    }
}
