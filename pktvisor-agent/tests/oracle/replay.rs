//! Replays a capture in memory through the agent.

use std::io::Cursor;
use std::sync::Arc;

use capture_file::Capture;
use pktvisor_agent::pipeline::{Intake, Pipeline};
use pktvisor_agent::replay::Replay;
use pktvisor_analysis::geo::Geo;
use pktvisor_analysis::public_suffix::NameCut;
use pktvisor_analysis::transactions::TIMEOUT_NS_DEFAULT;
use pktvisor_analysis::{Analysis, AnalysisSettings};
use pktvisor_api as api;
use pktvisor_capture::hosts::HostSet;
use pktvisor_common::classify::DnsPorts;
use pktvisor_common::sampling::SampleRate;
use pktvisor_metrics::{self as metrics, ClientPrefix, Store};

use super::traffic::Traffic;

/// How the agent is set up.
pub(crate) struct Setup {
    pub(crate) periods: usize,
    pub(crate) summary: bool,
    pub(crate) sample_pct: u8,
    pub(crate) geo: Option<Geo>,
    /// For the lists that are made with a report.
    pub(crate) report_geo: Option<Geo>,
    pub(crate) client_prefix: Option<ClientPrefix>,
}

impl Setup {
    pub(crate) fn summary() -> Self {
        Self { periods: 5, summary: true, sample_pct: 100, geo: None, report_geo: None, client_prefix: None }
    }

    /// Enough periods for any traffic here.
    pub(crate) fn periods() -> Self {
        Self { periods: 60, summary: false, ..Self::summary() }
    }
}

/// The state after the last packet.
pub(crate) struct Replayed {
    pub(crate) store: Store,
    pub(crate) open_transactions: u64,
}

impl Replayed {
    /// The whole capture.
    pub(crate) fn document(&self) -> api::Period {
        self.store.document().into_values().next().unwrap()
    }

    /// The periods, oldest first.
    pub(crate) fn buckets(&self) -> Vec<api::Period> {
        (0..self.store.filled()).rev().map(|n| self.store.bucket(n).unwrap()).collect()
    }
}

pub(crate) fn replay(traffic: &Traffic, setup: Setup) -> Replayed {
    let mut store = Store::new(metrics::StoreSettings {
        periods: setup.periods,
        summary: setup.summary,
        name_cut: NameCut::Labels,
        clock: metrics::Clock::Packets,
    });
    if let Some(geo) = setup.report_geo {
        store = store.with_geo(geo);
    }
    if let Some(prefix) = setup.client_prefix {
        store = store.with_client_prefix(prefix);
    }
    let mut replay = Replay {
        capture: Capture::from_reader(Cursor::new(Arc::clone(&traffic.pcap))).unwrap(),
        pacer: None,
        pipeline: pipeline(&traffic.answer.host, setup.sample_pct, setup.geo),
    };
    let mut open_transactions = 0;
    let warning = replay
        .run(&store, |progress| {
            open_transactions = progress.open_queries.open;
            true
        })
        .unwrap();
    assert!(warning.is_none(), "{warning:?}");
    Replayed { store, open_transactions }
}

pub(crate) fn pipeline(host: &[String], sample_pct: u8, geo: Option<Geo>) -> Pipeline {
    let host: HostSet = host.iter().map(|prefix| prefix.parse::<ipnet::IpNet>().unwrap()).collect();
    let dns_ports = DnsPorts::default();
    Pipeline {
        filter: None,
        dns_ports,
        host: host.clone(),
        geo,
        analysis: Analysis::new(AnalysisSettings {
            dns_ports,
            sample_rate: SampleRate::percent(sample_pct),
            transaction_timeout_ns: TIMEOUT_NS_DEFAULT,
            host,
        }),
        intake: Intake::default(),
    }
}
