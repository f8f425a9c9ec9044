//! Attacks and failures of known kind and subject.

use std::net::{IpAddr, Ipv4Addr};

use super::ordinary::{
    A, BUSY_SERVER, BUSY_ZONE, Habits, NOERROR, NXDOMAIN, SERVFAIL, TXT, name, random_label,
};
use super::{Lookup, RESOLVER, Reply};
use crate::random::{Rng, mix};
use crate::stage::MILLISECOND_NS;

const ANY: u16 = 255;
const NULL: u16 = 10;
const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// What goes wrong, named as the finding that it must raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the findings")]
pub enum AttackKind {
    ServerUnanswered,
    ServerSlow,
    ServerServfail,
    ZoneServfail,
    RandomSubdomains,
    Tunnel,
    GreedyClient,
    Amplification,
    TruncationStorm,
    MalformedClient,
}

impl AttackKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::ServerUnanswered,
        Self::ServerSlow,
        Self::ServerServfail,
        Self::ZoneServfail,
        Self::RandomSubdomains,
        Self::Tunnel,
        Self::GreedyClient,
        Self::Amplification,
        Self::TruncationStorm,
        Self::MalformedClient,
    ];

    /// The kind of the finding.
    pub fn finding(self) -> &'static str {
        match self {
            Self::ServerUnanswered => "server_unanswered",
            Self::ServerSlow => "server_slow",
            Self::ServerServfail => "server_srvfail",
            Self::ZoneServfail => "zone_srvfail",
            Self::RandomSubdomains => "random_subdomains",
            Self::Tunnel => "tunnel",
            Self::GreedyClient => "greedy_client",
            Self::Amplification => "amplification",
            Self::TruncationStorm => "truncation_storm",
            Self::MalformedClient => "malformed_client",
        }
    }
}

/// An attack or a failure.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What goes wrong.
    pub kind: AttackKind,
    /// Its first second, since 1970.
    pub start_s: u64,
    /// Its length in seconds.
    pub seconds: u64,
    /// Its share of all queries, if it adds queries. Failures hit a zone and a server that have a
    /// twentieth of the look-ups anyway.
    pub share: f64,
    /// Chooses its variant and its subject.
    pub seed: u64,
}

impl Attack {
    /// The zone, client or server that a finding must name.
    pub(super) fn subject(&self, _habits: &Habits) -> String {
        match self.kind {
            AttackKind::ServerUnanswered | AttackKind::ServerSlow | AttackKind::ServerServfail => {
                BUSY_SERVER.to_string()
            }
            AttackKind::ZoneServfail => BUSY_ZONE.to_owned(),
            AttackKind::RandomSubdomains | AttackKind::Tunnel | AttackKind::TruncationStorm => self.zone(),
            AttackKind::GreedyClient | AttackKind::Amplification | AttackKind::MalformedClient => {
                self.attacker().to_string()
            }
        }
    }

    pub(super) fn lasts(&self, second_s: u64) -> bool {
        (self.start_s..self.start_s + self.seconds).contains(&second_s)
    }

    /// Queries that it adds, as a share of the ordinary look-ups.
    pub(super) fn extra_share(&self) -> f64 {
        match self.kind {
            AttackKind::ServerUnanswered
            | AttackKind::ServerSlow
            | AttackKind::ServerServfail
            | AttackKind::ZoneServfail => 0.0,
            // A look-up is 1.3 queries.
            _ => 1.3 * self.share / (1.0 - self.share),
        }
    }

    /// Changes an ordinary look-up that it hits.
    pub(super) fn change(&self, _habits: &Habits, lookup: &mut Lookup) {
        let is_server = lookup.server == BUSY_SERVER;
        match self.kind {
            AttackKind::ServerUnanswered if is_server => lookup.reply = Reply::Silence,
            AttackKind::ServerSlow if is_server => {
                if let Reply::Answer { after_ns, .. } = &mut lookup.reply {
                    *after_ns += 200 * MILLISECOND_NS;
                }
            }
            AttackKind::ServerServfail if is_server => fail(&mut lookup.reply),
            AttackKind::ZoneServfail if lookup.name.ends_with(&name(&[], BUSY_ZONE)) => {
                fail(&mut lookup.reply);
            }
            _ => {}
        }
    }

    /// A query that it adds.
    pub(super) fn lookup(&self, habits: &Habits, rng: &mut Rng) -> Lookup {
        let after_ns = rng.log_normal(2_000_000.0, 0.8) as u64;
        let answer = |rcode, data_bytes| Reply::Answer { after_ns, rcode, data_bytes };
        let zone = self.zone();
        let attacker = self.attacker();
        let (client, name, qtype, reply) = match self.kind {
            AttackKind::RandomSubdomains => {
                let label = random_label(rng, LETTERS, 6 + self.seed % 4, 12 + self.seed % 6);
                // Forged clients, all clients, or one.
                let client = match self.seed % 3 {
                    0 => IpAddr::V4(Ipv4Addr::from((rng.next_u64() as u32 >> 1) | 1 << 30)),
                    1 => habits.client(rng),
                    _ => attacker,
                };
                // Its servers break down in the end.
                let reply = rng.weighted(&[
                    (70, answer(NXDOMAIN, 0)),
                    (15, answer(SERVFAIL, 0)),
                    (15, Reply::Silence),
                ]);
                (client, name(&[&label], &zone), A, reply)
            }
            AttackKind::Tunnel => {
                let label = random_label(rng, LETTERS, 40, 60);
                let more = random_label(rng, LETTERS, 10, 40);
                let qtype = [TXT, NULL][(self.seed % 2) as usize];
                (
                    attacker,
                    name(&[&label, &more, b"t"], &zone),
                    qtype,
                    answer(NOERROR, rng.between(60, 300) as u16),
                )
            }
            AttackKind::GreedyClient => {
                let host = format!("host{}", rng.below(500));
                let site = format!("site{}.com", rng.below(200));
                (attacker, name(&[host.as_bytes()], &site), A, answer(NOERROR, 4))
            }
            AttackKind::Amplification => {
                let zone = format!("fat{}.example.com", rng.below(3));
                (attacker, name(&[], &zone), ANY, answer(NOERROR, 1_100))
            }
            AttackKind::TruncationStorm => {
                let client = if self.seed.is_multiple_of(2) { attacker } else { habits.client(rng) };
                (client, name(&[b"big"], &zone), TXT, Reply::Truncated { after_ns })
            }
            _ => (attacker, name(&[b"x"], &zone), A, Reply::Malformed),
        };
        Lookup { client, server: RESOLVER, name, qtype, reply }
    }

    fn zone(&self) -> String {
        format!("victim{}.com", mix(self.seed) % 1_000)
    }

    fn attacker(&self) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(100, 100, (mix(self.seed) >> 8) as u8, 7))
    }
}

fn fail(reply: &mut Reply) {
    if let Reply::Answer { rcode, data_bytes, .. } = reply {
        (*rcode, *data_bytes) = (SERVFAIL, 0);
    }
}
