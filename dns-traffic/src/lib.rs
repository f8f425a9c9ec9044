//! Generates traffic like that of a busy DNS server, with its true summary.
//!
//! [`Generator`] plans whole conversations (a query and its response, a TCP connection, a flow of
//! something else) into a queue. The queue returns packets one by one in order of time, with
//! bounded memory. The same [`Config`] always gives the same packets, on every machine. [`Answer`]
//! is computed from the facts of the packets, never by reading them.
//!
//! The crate depends on no other crate of the workspace, so its answer does not depend on the code
//! that it tests. The command `pcap-replay generate`, tests and benchmarks use it.
//!
//! ```
//! use dns_traffic::{Config, Generator};
//!
//! let mut generator = Generator::new(Config { packets: 1_000, ..Config::default() })?;
//! let bytes: usize = generator.by_ref().map(|packet| packet.data.len()).sum();
//! let answer = generator.into_answer().unwrap_or_default();
//! assert_eq!(answer.total.packets.bytes_total, bytes as u64);
//! # Ok::<(), dns_traffic::ConfigError>(())
//! ```

mod addresses;
mod answer;
mod background;
mod config;
mod day;
mod facts;
mod frame;
mod message;
mod names;
mod queue;
mod random;
mod stage;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub use addresses::HOST_PREFIXES;
pub use answer::{
    Answer, Counts, DirectionAnswer, DnsAnswer, EdnsAnswer, ExactCardinality, ExactQuantiles, ExactRates,
    ExactTransactionCounts, FlagsAnswer, MessageCounts, PacketAnswer, Span, Summary, TransactionAnswer,
};
pub use config::{Config, ConfigError};
pub use day::{Attack, AttackKind, Day, DayConfig};

use answer::AnswerCollector;
use stage::{SECOND_NS, Stage};

/// A packet that the caller keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedPacket {
    /// Nanoseconds since 1970; later than that of the packet before.
    pub timestamp_ns: u64,
    /// The whole Ethernet frame.
    pub data: Vec<u8>,
}

/// A packet in the generator's own buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneratedPacketRef<'a> {
    /// Nanoseconds since 1970; later than that of the packet before.
    pub timestamp_ns: u64,
    /// The whole Ethernet frame.
    pub data: &'a [u8],
}

/// An iterator of packets.
#[derive(Clone, Debug)]
pub struct Generator {
    stage: Stage,
    kinds: [ConversationKind; 3],
    /// The time of the next conversation.
    next_start_ns: u64,
    last_ns: u64,
    collector: Option<AnswerCollector>,
}

/// A kind of conversation, and its number of packets so far.
#[derive(Clone, Copy, Debug)]
struct ConversationKind {
    share: f64,
    packets_max: u64,
    converse: fn(&mut Stage, u64),
    conversations: u64,
    packets: u64,
}

impl Generator {
    /// A generator of `config.packets` packets.
    ///
    /// # Errors
    ///
    /// A setting is outside its limits.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let kind = |share, packets_max, converse, packets: u64| ConversationKind {
            share,
            packets_max,
            converse,
            conversations: 100,
            packets: 100 * packets,
        };
        let kinds = [
            kind(config.dns_share * (1.0 - config.tcp_share), udp::PACKETS_MAX, udp::converse, 2),
            kind(config.dns_share * config.tcp_share, tcp::PACKETS_MAX, tcp::converse, 12),
            kind(1.0 - config.dns_share, background::PACKETS_MAX, background::converse, 6),
        ];
        let collector = config.collect_answer.then(AnswerCollector::default);
        let stage = Stage::new(config);
        let next_start_ns = stage.start_ns();
        Ok(Self { stage, kinds, next_start_ns, last_ns: 0, collector })
    }

    /// The next packet, valid until the following call. It does not allocate for each packet.
    pub fn next_packet(&mut self) -> Option<GeneratedPacketRef<'_>> {
        while self.stage.queue.added() < self.stage.config.packets
            && self.stage.queue.next_due_ns().is_none_or(|due_ns| due_ns > self.next_start_ns)
        {
            self.plan_conversation();
        }
        let (due_ns, slot) = self.stage.queue.pop()?;
        let timestamp_ns = due_ns.max(self.last_ns + 1);
        self.last_ns = timestamp_ns;
        let packet = self.stage.queue.packet(slot);
        if let Some(collector) = &mut self.collector {
            collector.observe(timestamp_ns, packet.data.len() as u64, &packet.facts);
        }
        Some(GeneratedPacketRef { timestamp_ns, data: &packet.data })
    }

    /// The true summary of the packets so far; `None` without [`Config::collect_answer`].
    pub fn answer(&self) -> Option<Answer> {
        self.clone().into_answer()
    }

    /// The true summary of the packets so far; `None` without [`Config::collect_answer`].
    pub fn into_answer(self) -> Option<Answer> {
        self.collector.map(|collector| collector.into_answer(&self.stage.names))
    }

    fn plan_conversation(&mut self) {
        let now_ns = self.next_start_ns;
        let before = self.stage.queue.added();
        let left = self.stage.config.packets - before;
        let chosen = self.choose_kind();
        let kind = &mut self.kinds[chosen];
        if kind.packets_max <= left {
            (kind.converse)(&mut self.stage, now_ns);
            kind.conversations += 1;
            kind.packets += self.stage.queue.added() - before;
        } else if self.stage.rng.chance(self.stage.config.dns_share) {
            // A conversation that begins must also end within the capture.
            udp::converse_briefly(&mut self.stage, now_ns, left >= 2);
        } else {
            background::single(&mut self.stage, now_ns);
        }
        let planned = (self.stage.queue.added() - before) as f64;
        let mean_ns = planned / self.stage.config.rate * SECOND_NS as f64;
        self.next_start_ns = now_ns.saturating_add(self.stage.rng.exponential(mean_ns) as u64);
    }

    /// Chooses a kind with probability share / mean length, so that the shares of packets are met.
    fn choose_kind(&mut self) -> usize {
        let weights = self.kinds.map(|kind| kind.share * kind.conversations as f64 / kind.packets as f64);
        let mut left = self.stage.rng.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

impl Iterator for Generator {
    type Item = GeneratedPacket;

    fn next(&mut self) -> Option<GeneratedPacket> {
        self.next_packet()
            .map(|packet| GeneratedPacket { timestamp_ns: packet.timestamp_ns, data: packet.data.to_vec() })
    }
}
