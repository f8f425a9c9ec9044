//! Addresses: the watched host, its clients, the servers that it queries, and other hosts.
//!
//! Most clients live in shared address space (RFC 6598) and documentation space (RFC 3849). Some of
//! the busiest ones live in networks that MaxMind's public test databases know, so that geography
//! has something to show.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::random::{Rng, Zipf, mix};

/// Source and destination of a packet.
pub(crate) type PacketAddresses = (IpAddr, IpAddr);

/// The prefixes of the watched host, as they are given to the agent.
pub const HOST_PREFIXES: [&str; 2] = ["192.0.2.0/28", "2001:db8:53::/64"];

const HOST_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const HOST_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x53, 0, 0, 0, 0, 2);

/// Networks with an entry in the test databases: address, and how many low bits are free.
const KNOWN_V4: [([u8; 4], u32); 10] = [
    ([81, 2, 69, 160], 5),
    ([89, 160, 20, 112], 4),
    ([216, 160, 83, 56], 3),
    ([67, 43, 156, 0], 8),
    ([175, 16, 199, 0], 8),
    ([2, 125, 160, 216], 3),
    ([202, 196, 224, 0], 12),
    ([1, 128, 0, 0], 16),
    ([12, 81, 92, 0], 10),
    ([217, 65, 48, 0], 3),
];
const KNOWN_V6: [(u16, u16); 6] =
    [(0x2001, 0x218), (0x2001, 0x230), (0x2001, 0x238), (0x2001, 0x240), (0x2001, 0x250), (0x2a02, 0xcf40)];

/// Servers that the host queries.
const UPSTREAMS: u32 = 2_000;

/// Whether an address belongs to the watched host: [`HOST_PREFIXES`] as code.
pub(crate) fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => u32::from(v4) & 0xffff_fff0 == u32::from(HOST_V4) & 0xffff_fff0,
        IpAddr::V6(v6) => u128::from(v6) >> 64 == u128::from(HOST_V6) >> 64,
    }
}

/// Draws the parties of conversations.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    clients: Zipf,
    upstreams: Zipf,
    ipv6_share: f64,
    seed: u64,
}

/// The two ends of a conversation, of the same IP version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties {
    /// Sends the query.
    pub(crate) client: IpAddr,
    /// Sends the response.
    pub(crate) server: IpAddr,
}

impl Addresses {
    pub(crate) fn new(clients: u32, ipv6_share: f64, seed: u64) -> Self {
        // A flat head: the busiest of 50,000 clients sends about one query in fifty.
        Self {
            clients: Zipf::new(clients, 0.8),
            upstreams: Zipf::new(UPSTREAMS, 1.0),
            ipv6_share,
            seed: mix(seed),
        }
    }

    /// A client and the host that it queries.
    pub(crate) fn inbound(&self, rng: &mut Rng) -> Parties {
        let client = self.member(self.clients.draw(rng), self.seed);
        Parties { client, server: host_like(client, rng) }
    }

    /// The host and a server that it queries.
    pub(crate) fn outbound(&self, rng: &mut Rng) -> Parties {
        let server = self.member(self.upstreams.draw(rng), !self.seed);
        Parties { client: host_like(server, rng), server }
    }

    /// Neighbours of the host, seen on a mirror port.
    pub(crate) fn elsewhere(&self, rng: &mut Rng) -> Parties {
        let client = self.member(self.clients.draw(rng), self.seed);
        let server = match client {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(192, 0, 2, rng.between(16, 200) as u8)),
            IpAddr::V6(_) => {
                IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x54, 0, 0, 0, 0, rng.between(1, 200) as u16))
            }
        };
        Parties { client, server }
    }

    /// A forged source, one of `pool` if that is not 0, and the host.
    pub(crate) fn forged(&self, rng: &mut Rng, pool: u64) -> Parties {
        let client = match pool {
            0 => self.forged_source(rng),
            pool => self.forged_source(&mut Rng::new(mix(self.seed ^ rng.below(pool)))),
        };
        Parties { client, server: host_like(client, rng) }
    }

    fn forged_source(&self, rng: &mut Rng) -> IpAddr {
        if rng.chance(self.ipv6_share) {
            let bits = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
            // Global unicast, 2000::/3; the host's own prefix would take 61 equal bits.
            return IpAddr::V6(Ipv6Addr::from(bits >> 3 | 1 << 125));
        }
        loop {
            // Unicast of class A to C without this network, private, loopback and the host's own
            // network.
            let address = Ipv4Addr::from((rng.next_u64() >> 32) as u32);
            let [first, ..] = address.octets();
            if (1..224).contains(&first) && ![10, 127, 192].contains(&first) {
                return IpAddr::V4(address);
            }
        }
    }

    /// The address of a member of a population; ranks below four million have addresses of their
    /// own.
    fn member(&self, rank: u32, seed: u64) -> IpAddr {
        let bits = mix(seed ^ u64::from(rank));
        let known = rank < 400 && bits.is_multiple_of(3);
        let (network, free) = KNOWN_V4[rank as usize % KNOWN_V4.len()];
        let place = rank / KNOWN_V4.len() as u32 + 1;
        if (bits >> 11) as f64 / (1_u64 << 53) as f64 >= self.ipv6_share {
            let address = if known && place < (1 << free) - 1 {
                u32::from_be_bytes(network) | place
            } else {
                // 100.64.0.0/10, an odd multiplier scatters without collisions.
                0x6440_0000 | (rank.wrapping_mul(0x9e37_79b1).wrapping_add(seed as u32) & 0x3f_ffff)
            };
            return IpAddr::V4(Ipv4Addr::from(address));
        }
        let interface = u128::from(mix(u64::from(rank) ^ seed.rotate_left(32)));
        let network = if known {
            let (first, second) = KNOWN_V6[rank as usize % KNOWN_V6.len()];
            u128::from(first) << 112 | u128::from(second) << 96
        } else {
            0x2001_0db8_8000 << 80 | u128::from(bits & 0xfff) << 64
        };
        IpAddr::V6(Ipv6Addr::from(network | interface))
    }
}

/// One of the host's addresses of the same version.
fn host_like(peer: IpAddr, rng: &mut Rng) -> IpAddr {
    let second = u8::from(rng.chance(0.2));
    match peer {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::from(HOST_V4) + u32::from(second))),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(u128::from(HOST_V6) + u128::from(second))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_client_has_an_address_of_its_own_outside_the_host() {
        let addresses = Addresses::new(50_000, 0.3, 1);
        let members: HashSet<IpAddr> =
            (0..50_000).map(|rank| addresses.member(rank, addresses.seed)).collect();
        assert_eq!(members.len(), 50_000);
        assert!(!members.iter().any(|address| is_host(*address)));
        let v6 = members.iter().filter(|address| address.is_ipv6()).count();
        assert!((14_000..16_000).contains(&v6), "{v6} IPv6 clients");
    }

    #[test]
    fn exactly_one_party_is_the_host_unless_it_is_traffic_from_elsewhere() {
        let (addresses, mut rng) = (Addresses::new(1_000, 0.5, 1), Rng::new(1));
        for _ in 0..10_000 {
            let parties = addresses.inbound(&mut rng);
            assert!(is_host(parties.server) && !is_host(parties.client));
            let parties = addresses.outbound(&mut rng);
            assert!(is_host(parties.client) && !is_host(parties.server));
            let parties = addresses.forged(&mut rng, 0);
            assert!(is_host(parties.server) && !is_host(parties.client));
            let parties = addresses.elsewhere(&mut rng);
            assert!(!is_host(parties.client) && !is_host(parties.server));
        }
    }
}
