//! The shared state of all conversations: randomness, names and addresses, the queue of packets,
//! the end of the capture.

use std::net::IpAddr;

use super::addresses::{Addresses, Parties};
use super::config::Config;
use super::facts::{Facts, IpFacts};
use super::frame::{Envelope, VlanTags, protocol};
use super::names::Names;
use super::queue::PacketQueue;
use super::random::{Rng, Zipf};

pub(crate) const MICROSECOND_NS: u64 = 1_000;
pub(crate) const MILLISECOND_NS: u64 = 1_000_000;
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// The shared state of conversations.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) config: Config,
    pub(crate) rng: Rng,
    pub(crate) names: Names,
    pub(crate) popularity: Zipf,
    pub(crate) addresses: Addresses,
    pub(crate) queue: PacketQueue,
    /// Buffer of the message that is being written.
    pub(crate) scratch: Vec<u8>,
    start_ns: u64,
    end_ns: u64,
    identification: u16,
}

/// The host's part in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The host is asked.
    Server,
    /// The host asks.
    Client,
    /// Others talk.
    Bystander,
}

impl Role {
    /// The server of the conversation: the host is a resolver, and asks authoritative servers.
    pub(crate) fn asked_server(self) -> AskedServer {
        match self {
            Self::Server | Self::Bystander => AskedServer::Resolver,
            Self::Client => AskedServer::Authoritative,
        }
    }
}

/// The kind of server that a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedServer {
    /// Asked for recursion.
    Resolver,
    Authoritative,
}

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        let start_ns = config.start_s * SECOND_NS;
        Self {
            rng: Rng::new(config.seed),
            names: Names::new(config.names, config.seed),
            popularity: Zipf::new(config.names, config.zipf),
            addresses: Addresses::new(config.clients, config.ipv6_share, config.seed),
            queue: PacketQueue::default(),
            scratch: Vec::new(),
            start_ns,
            end_ns: start_ns.saturating_add(config.span_ns()),
            identification: 0,
            config,
        }
    }

    /// The time of the first packet.
    pub(crate) fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// Whether a packet of that time still belongs to the capture.
    pub(crate) fn lasts_until(&self, at_ns: u64) -> bool {
        at_ns <= self.end_ns
    }

    /// `delay_ns` after `from_ns`, shortened towards the end, so that the rate stays the same until
    /// the end.
    pub(crate) fn after(&self, from_ns: u64, delay_ns: u64) -> u64 {
        let at_ns = from_ns.saturating_add(delay_ns);
        if self.lasts_until(at_ns) {
            at_ns
        } else {
            from_ns + 700 * MICROSECOND_NS + delay_ns % MILLISECOND_NS
        }
    }

    /// A log-normal time of at most four seconds, so that the answer comes before the time-out.
    pub(crate) fn time_ns(&mut self, median_ns: u64, sigma: f64) -> u64 {
        (self.rng.log_normal(median_ns as f64, sigma) as u64).clamp(10 * MICROSECOND_NS, 4 * SECOND_NS)
    }

    /// The time until the answer, measured at the host.
    pub(crate) fn answer_time_ns(&mut self, role: Role) -> u64 {
        match role {
            // Four of five answers come from the cache.
            Role::Server | Role::Bystander if self.rng.chance(0.8) => self.time_ns(150 * MICROSECOND_NS, 0.6),
            Role::Server | Role::Bystander => self.time_ns(25 * MILLISECOND_NS, 1.0),
            Role::Client => self.time_ns(18 * MILLISECOND_NS, 0.9),
        }
    }

    /// The round trip between host and peer, half of it on each side of a bystander.
    pub(crate) fn round_trip_ns(&mut self) -> u64 {
        self.time_ns(12 * MILLISECOND_NS, 0.7)
    }

    /// The parties of a conversation of this role.
    pub(crate) fn parties(&mut self, role: Role) -> Parties {
        match role {
            Role::Server => self.addresses.inbound(&mut self.rng),
            Role::Client => self.addresses.outbound(&mut self.rng),
            Role::Bystander => self.addresses.elsewhere(&mut self.rng),
        }
    }

    /// A resolver receives more queries than it sends.
    pub(crate) fn role(&mut self) -> Role {
        self.rng.weighted(&[(70, Role::Server), (28, Role::Client), (2, Role::Bystander)])
    }

    /// An ephemeral port, above all registered ports.
    pub(crate) fn port(&mut self) -> u16 {
        self.rng.between(10_240, 65_535) as u16
    }

    /// The VLAN tags of a conversation.
    pub(crate) fn tags(&mut self) -> VlanTags {
        if !self.config.vlan {
            return VlanTags::None;
        }
        self.rng.weighted(&[(70, VlanTags::Single), (20, VlanTags::Double), (10, VlanTags::None)])
    }

    /// An envelope with a fresh identification.
    pub(crate) fn envelope(&mut self, src: IpAddr, dst: IpAddr, tags: VlanTags) -> Envelope {
        self.identification = self.identification.wrapping_add(1);
        Envelope { src, dst, tags, identification: self.identification }
    }
}

/// Records the facts of an IP packet that is neither a fragment nor TCP. The sender adds its
/// messages.
pub(crate) fn record_ip(facts: &mut Facts, envelope: &Envelope, protocol: u8) {
    let (src, dst) = (envelope.src, envelope.dst);
    facts.vlan = envelope.tags != VlanTags::None;
    facts.ip = Some(IpFacts { src, dst, protocol, fragment: false, tcp_flags: 0 });
}

/// As [`record_ip`], for a fragment of a UDP datagram.
pub(crate) fn record_udp_fragment(facts: &mut Facts, envelope: &Envelope) {
    record_ip(facts, envelope, protocol::UDP);
    facts.ip = facts.ip.map(|ip| IpFacts { fragment: true, ..ip });
}

/// As [`record_ip`], for a TCP segment.
pub(crate) fn record_tcp(facts: &mut Facts, envelope: &Envelope, tcp_flags: u8) {
    record_ip(facts, envelope, protocol::TCP);
    facts.ip = facts.ip.map(|ip| IpFacts { tcp_flags, ..ip });
}
