//! The settings of the generator, their defaults, and their limits.

use clap::Args;
use thiserror::Error;

/// The settings of the generator. The same values always give the same packets.
///
/// Shares are probabilities between 0 and 1.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Config {
    /// Number of packets
    #[arg(long, default_value_t = Config::DEFAULT.packets)]
    pub packets: u64,
    /// Packets per second on average; with the number of packets it sets the time span
    #[arg(long, value_name = "PPS", default_value_t = Config::DEFAULT.rate)]
    pub rate: f64,
    /// Seed of all randomness
    #[arg(long, default_value_t = Config::DEFAULT.seed)]
    pub seed: u64,
    /// Time of the first packet in seconds since 1970
    #[arg(long, value_name = "SECONDS", default_value_t = Config::DEFAULT.start_s)]
    pub start_s: u64,

    /// Distinct names that are asked for, root and top level included
    #[arg(long, default_value_t = Config::DEFAULT.names)]
    pub names: u32,
    /// Exponent of the Zipf distribution of names
    #[arg(long, value_name = "S", default_value_t = Config::DEFAULT.zipf)]
    pub zipf: f64,
    /// Clients that ask the host
    #[arg(long, default_value_t = Config::DEFAULT.clients)]
    pub clients: u32,
    /// Share of clients and servers with IPv6 addresses
    #[arg(long, value_name = "SHARE", default_value_t = Config::DEFAULT.ipv6_share)]
    pub ipv6_share: f64,
    /// Share of DNS among the packets, handshakes of DNS over TCP included
    #[arg(long, value_name = "SHARE", default_value_t = Config::DEFAULT.dns_share)]
    pub dns_share: f64,
    /// Share of TCP among the DNS packets
    #[arg(long, value_name = "SHARE", default_value_t = Config::DEFAULT.tcp_share)]
    pub tcp_share: f64,
    /// Share of questions in mixed case (DNS 0x20)
    #[arg(long, value_name = "SHARE", default_value_t = Config::DEFAULT.mixed_case)]
    pub mixed_case: f64,

    /// Hostile: share of the queries that ask for random names below a victim's domain, answered
    /// NXDOMAIN
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub random_subdomains: f64,
    /// Hostile: share of the queries over UDP that come from random addresses
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub random_sources: f64,
    /// Number of distinct random names, and of distinct random addresses; 0: endless
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub random_pool: u64,
    /// Hostile: share of the random names that have 240 octets
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub long_names: f64,
    /// Hostile: share of DNS over UDP that is a lone message whose question cannot be parsed
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub malformed: f64,
    /// Share of the responses over UDP that come in IP fragments
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub fragments: f64,
    /// Put most frames into VLANs, some into two (QinQ)
    #[arg(long)]
    pub vlan: bool,
    /// Split messages of DNS over TCP over several segments
    #[arg(long)]
    pub split_tcp: bool,
    /// Share of the segments of DNS over TCP that arrive after their successor
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub reorder: f64,
    /// Share of the segments of DNS over TCP that arrive twice
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub duplicate_segments: f64,

    /// Whether to compute the true summary of the packets; needs memory for every distinct name,
    /// address and transaction.
    #[arg(skip = true)]
    pub collect_answer: bool,
}

impl Config {
    /// An unremarkable busy resolver.
    pub const DEFAULT: Self = Self {
        packets: 100_000,
        rate: 5_000.0,
        seed: 1,
        start_s: 1_700_000_000,
        names: 100_000,
        zipf: 1.0,
        clients: 50_000,
        ipv6_share: 0.3,
        dns_share: 0.65,
        tcp_share: 0.1,
        mixed_case: 0.1,
        random_subdomains: 0.0,
        random_sources: 0.0,
        random_pool: 0,
        long_names: 0.0,
        malformed: 0.0,
        fragments: 0.0,
        vlan: false,
        split_tcp: false,
        reorder: 0.0,
        duplicate_segments: 0.0,
        collect_answer: true,
    };

    /// Most names and clients that the generator can distinguish.
    const POPULATION_MAX: u32 = 4_000_000;
    /// The last second that a pcap file can hold is in 2106; this leaves room for the capture's
    /// span.
    const START_MAX_S: u64 = 4_000_000_000;

    /// Checks every setting against its limits.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (option, share) in [
            ("--ipv6-share", self.ipv6_share),
            ("--dns-share", self.dns_share),
            ("--tcp-share", self.tcp_share),
            ("--mixed-case", self.mixed_case),
            ("--random-subdomains", self.random_subdomains),
            ("--random-sources", self.random_sources),
            ("--long-names", self.long_names),
            ("--malformed", self.malformed),
            ("--fragments", self.fragments),
            ("--reorder", self.reorder),
            ("--duplicate-segments", self.duplicate_segments),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(ConfigError::Share { option, share });
            }
        }
        for (option, count) in [("--names", self.names), ("--clients", self.clients)] {
            if !(1..=Self::POPULATION_MAX).contains(&count) {
                return Err(ConfigError::Population { option, count });
            }
        }
        if !(0.0..=10.0).contains(&self.zipf) {
            return Err(ConfigError::Exponent(self.zipf));
        }
        if !(1e-3..=1e9).contains(&self.rate) {
            return Err(ConfigError::Rate(self.rate));
        }
        let span_s = self.packets as f64 / self.rate;
        if self.start_s as f64 + span_s > Self::START_MAX_S as f64 {
            return Err(ConfigError::Span { start_s: self.start_s, span_s });
        }
        Ok(())
    }

    /// Nanoseconds from the first packet to about the last one.
    pub(super) fn span_ns(&self) -> u64 {
        (self.packets as f64 / self.rate * 1e9) as u64
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A setting outside its limits.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A share that is not a probability.
    #[error("{option} {share} is not a share: use a number from 0 to 1")]
    Share {
        /// The option's name.
        option: &'static str,
        /// The value given.
        share: f64,
    },
    /// Too few or too many names or clients.
    #[error("{option} {count} cannot be generated: use 1 to {max}", max = Config::POPULATION_MAX)]
    Population {
        /// The option's name.
        option: &'static str,
        /// The value given.
        count: u32,
    },
    /// The exponent of the Zipf distribution.
    #[error("--zipf {0} is out of range: use 0 (all names alike) to 10")]
    Exponent(f64),
    /// The rate.
    #[error("--rate {0} is out of range: use 0.001 to 1000000000 packets per second")]
    Rate(f64),
    /// Time stamps beyond what a capture file can hold.
    #[error(
        "a capture from second {start_s} over {span_s} seconds ends after what pcap can hold: raise --rate"
    )]
    Span {
        /// First second.
        start_s: u64,
        /// Seconds.
        span_s: f64,
    },
}
