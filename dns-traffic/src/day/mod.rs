//! An ordinary day of a resolver, and attacks on it, for tests of the rules that find what is
//! wrong.
//!
//! [`Generator`](crate::Generator) makes traffic whose exact summary is known. A [`Day`] makes
//! traffic whose meaning is known: what is ordinary although it looks odd (names of content
//! delivery networks, reverse names, block lists, antivirus), and an [`Attack`] of which kind and
//! subject are known. The load follows the hours of the day.

mod attack;
mod message;
mod ordinary;

use std::net::{IpAddr, Ipv4Addr};

use crate::GeneratedPacket;
use crate::frame::{self, Envelope, VlanTags};
use crate::queue::PacketQueue;
use crate::random::{Rng, exp};
use crate::stage::SECOND_NS;
pub use attack::{Attack, AttackKind};
use ordinary::Habits;

/// The resolver, the watched host.
pub(crate) const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

/// The settings of a day.
#[derive(Clone, Debug)]
pub struct DayConfig {
    /// Seed of all randomness.
    pub seed: u64,
    /// Its first second, since 1970.
    pub start_s: u64,
    /// Its length in seconds.
    pub seconds: u64,
    /// Mean number of queries a second at noon, those of the resolver included.
    pub queries_per_second: f64,
    /// An attack, if there is one.
    pub attack: Option<Attack>,
}

/// An iterator of the packets of a day, in order of time.
#[derive(Debug)]
pub struct Day {
    config: DayConfig,
    rng: Rng,
    habits: Habits,
    queue: PacketQueue,
    /// The second that is planned next.
    planned_s: u64,
    last_ns: u64,
    identification: u16,
    /// A slow change of the load: the logarithm of a factor.
    drift: f64,
}

/// A query and what becomes of it.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) client: IpAddr,
    pub(crate) server: IpAddr,
    /// The name in wire format, without the root label.
    pub(crate) name: Vec<u8>,
    pub(crate) qtype: u16,
    pub(crate) reply: Reply,
}

/// What becomes of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A response after so many nanoseconds, with this code and so many octets of data.
    Answer { after_ns: u64, rcode: u8, data_bytes: u16 },
    /// A truncated response.
    Truncated { after_ns: u64 },
    /// None.
    Silence,
    /// The query cannot be parsed and gets no response.
    Malformed,
}

impl Day {
    /// The packets of a day.
    pub fn new(config: DayConfig) -> Self {
        let mut rng = Rng::new(config.seed);
        let habits = Habits::new(&mut rng);
        let planned_s = config.start_s;
        Self {
            config,
            rng,
            habits,
            queue: PacketQueue::default(),
            planned_s,
            last_ns: 0,
            identification: 0,
            drift: 0.0,
        }
    }

    /// The subject that a finding on the attack must name.
    pub fn subject(&self) -> Option<String> {
        self.config.attack.as_ref().map(|attack| attack.subject(&self.habits))
    }

    fn plan_second(&mut self) {
        let second_s = self.planned_s;
        self.planned_s += 1;
        let queries = self.load(second_s);
        let start_ns = second_s * SECOND_NS;
        let attack = self.config.attack.clone().filter(|attack| attack.lasts(second_s));
        let count = poisson(&mut self.rng, queries);
        for _ in 0..count {
            let at_ns = start_ns + self.rng.below(SECOND_NS);
            for mut lookup in self.habits.lookups(&mut self.rng, second_s) {
                if let Some(attack) = &attack {
                    attack.change(&self.habits, &mut lookup);
                }
                self.send(at_ns, &lookup);
            }
        }
        if let Some(attack) = &attack {
            let queries = queries * attack.extra_share();
            for _ in 0..poisson(&mut self.rng, queries) {
                let at_ns = start_ns + self.rng.below(SECOND_NS);
                let lookup = attack.lookup(&self.habits, &mut self.rng);
                self.send(at_ns, &lookup);
            }
        }
    }

    /// Mean number of look-ups in a second: by the hour, with a slow drift.
    fn load(&mut self, second_s: u64) -> f64 {
        // A parabola from a fifth at midnight to all at noon, in UTC.
        let hour = (second_s % 86_400) as f64 / 3600.0;
        let of_day = 1.0 - 0.8 * ((hour - 12.0) / 12.0) * ((hour - 12.0) / 12.0);
        self.drift = 0.98 * self.drift + (self.rng.unit() - 0.5) * 0.1;
        // A look-up of habits is 1.3 queries.
        self.config.queries_per_second / 1.3 * of_day * exp(self.drift)
    }

    fn send(&mut self, at_ns: u64, lookup: &Lookup) {
        let id = self.rng.next_u64() as u16;
        let port = self.rng.between(1024, 65_535) as u16;
        let query = match lookup.reply {
            Reply::Malformed => message::malformed(id, &mut self.rng),
            _ => message::query(id, lookup),
        };
        self.add(at_ns, (lookup.client, lookup.server), (port, 53), &query);
        let (after_ns, response) = match lookup.reply {
            Reply::Answer { after_ns, rcode, data_bytes } => {
                (after_ns, message::response(id, lookup, rcode, data_bytes))
            }
            Reply::Truncated { after_ns } => (after_ns, message::truncated(id, lookup)),
            Reply::Silence | Reply::Malformed => return,
        };
        self.add(at_ns + after_ns, (lookup.server, lookup.client), (53, port), &response);
    }

    fn add(&mut self, at_ns: u64, (src, dst): (IpAddr, IpAddr), ports: (u16, u16), message: &[u8]) {
        self.identification = self.identification.wrapping_add(1);
        let envelope = Envelope { src, dst, tags: VlanTags::None, identification: self.identification };
        frame::udp(&mut self.queue.add(at_ns).data, &envelope, ports, message);
    }
}

impl Iterator for Day {
    type Item = GeneratedPacket;

    fn next(&mut self) -> Option<GeneratedPacket> {
        let end_s = self.config.start_s + self.config.seconds;
        while self.planned_s < end_s
            && self.queue.next_due_ns().is_none_or(|due_ns| due_ns >= self.planned_s * SECOND_NS)
        {
            self.plan_second();
        }
        let (due_ns, slot) = self.queue.pop()?;
        self.last_ns = due_ns.max(self.last_ns + 1);
        Some(GeneratedPacket { timestamp_ns: self.last_ns, data: self.queue.packet(slot).data.clone() })
    }
}

/// A number of independent events with this mean.
fn poisson(rng: &mut Rng, mean: f64) -> u64 {
    let mut left = mean;
    let mut count = 0;
    loop {
        left -= rng.exponential(1.0);
        if left < 0.0 {
            return count;
        }
        count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(attack: Option<Attack>) -> DayConfig {
        DayConfig { seed: 3, start_s: 1_700_000_000, seconds: 20, queries_per_second: 200.0, attack }
    }

    #[test]
    fn a_day_goes_forward_and_is_the_same_again() {
        let packets: Vec<_> = Day::new(config(None)).collect();
        assert!(packets.is_sorted_by(|a, b| a.timestamp_ns < b.timestamp_ns));
        assert!((2_000..20_000).contains(&packets.len()), "{}", packets.len());
        assert!(packets.iter().eq(&Day::new(config(None)).collect::<Vec<_>>()));
    }

    #[test]
    fn every_attack_changes_the_traffic_and_has_a_subject() {
        let ordinary: Vec<_> = Day::new(config(None)).collect();
        for kind in AttackKind::ALL {
            let attack = Attack { kind, start_s: 1_700_000_005, seconds: 10, share: 0.05, seed: 1 };
            let day = Day::new(config(Some(attack)));
            assert!(!day.subject().unwrap().is_empty());
            assert!(!day.eq(ordinary.iter().cloned()), "{kind:?}");
        }
    }
}
