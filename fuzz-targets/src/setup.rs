//! The agent in process, in several setups.

use pktvisor_agent::pipeline::{Intake, Pipeline};
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::{self as analysis, Analysis, AnalysisLimits};
use pktvisor_capture::Filter;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{self as metrics, Store};

/// The options that an operator can choose.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Periods kept.
    pub periods: usize,
    /// One period for the whole capture.
    pub summary: bool,
    /// Share of the flows that is analysed.
    pub sample_pct: u8,
    /// Whether HOST is known.
    pub has_host: bool,
    /// A filter expression.
    pub filter: Option<&'static str>,
    /// Whether names are cut at public suffixes.
    pub public_suffix: bool,
    /// Ceilings of the tables.
    pub limits: AnalysisLimits,
}

impl Setup {
    /// Different ones in turn.
    pub fn number(n: usize) -> Self {
        Self {
            periods: [5, 1, 2, 12][n % 4],
            summary: n.is_multiple_of(3),
            sample_pct: [100, 100, 37, 0][n / 2 % 4],
            has_host: n % 5 < 3,
            filter: (n % 7 == 6).then_some("udp or tcp or icmp"),
            public_suffix: n % 11 == 10,
            limits: AnalysisLimits::default(),
        }
    }

    /// An empty store.
    pub fn store(&self) -> Store {
        let name_cut = if self.public_suffix { NameCut::PublicSuffix } else { NameCut::Labels };
        Store::new(metrics::StoreSettings {
            periods: self.periods,
            summary: self.summary,
            name_cut,
            clock: metrics::Clock::Packets,
        })
    }

    /// A pipeline that no packet has passed.
    pub fn pipeline(&self) -> Pipeline {
        // Halves of both address spaces, so that all directions come up.
        let networks = if self.has_host { &["0.0.0.0/1", "2001:db8::/33", "fe80::/11"][..] } else { &[] };
        let host: HostSet = networks.iter().filter_map(|network| network.parse().ok()).collect();
        let dns_ports = DnsPorts::default();
        Pipeline {
            filter: self.filter.map(Filter::new),
            dns_ports,
            host: host.clone(),
            geo: None,
            analysis: Analysis::with_limits(
                analysis::AnalysisSettings {
                    dns_ports,
                    sample_rate: SampleRate::percent(self.sample_pct),
                    transaction_timeout_ns: 5_000_000_000,
                    host,
                },
                self.limits,
            ),
            intake: Intake::default(),
        }
    }
}
