//! The pages, their lists, and the orders of the fleet.

use crate::model::ListKind;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Everything at a glance.
    Overview,
    /// DNS in depth.
    Dns,
    /// Who asks HOST.
    Clients,
    /// Whom HOST asks.
    Servers,
    /// What is asked for.
    Zones,
    /// Packets in depth.
    Network,
    /// The agent itself: capture, ledger, connection.
    Agent,
    /// All agents.
    Fleet,
}

impl Page {
    /// In the order of the tabs.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Dns,
        Self::Clients,
        Self::Servers,
        Self::Zones,
        Self::Network,
        Self::Agent,
        Self::Fleet,
    ];

    /// The name on its tab.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Dns => "DNS",
            Self::Clients => "Clients",
            Self::Servers => "Servers",
            Self::Zones => "Zones",
            Self::Network => "Network",
            Self::Agent => "Agent",
            Self::Fleet => "Fleet",
        }
    }

    /// Its lists, where no finding changes their order.
    pub(super) fn lists(self) -> &'static [ListKind] {
        match self {
            Self::Overview => &ListKind::ALL,
            Self::Dns => &ListKind::DNS,
            Self::Clients => &ListKind::CLIENTS,
            Self::Servers => &ListKind::SERVERS,
            Self::Zones => &ListKind::ZONES,
            Self::Network => &ListKind::NETWORK,
            Self::Agent | Self::Fleet => &[],
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Order of the fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FleetSort {
    /// As given on the command line.
    #[default]
    Given,
    /// Most queries first.
    Queries,
    /// Largest error share first.
    Errors,
    /// Slowest first.
    Slowest,
    /// Most packets first.
    Packets,
    /// Worst state first.
    State,
}

impl FleetSort {
    pub(super) fn next(self) -> Self {
        match self {
            Self::Given => Self::Queries,
            Self::Queries => Self::Errors,
            Self::Errors => Self::Slowest,
            Self::Slowest => Self::Packets,
            Self::Packets => Self::State,
            Self::State => Self::Given,
        }
    }

    /// Its name in the title.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "in the order given",
            Self::Queries => "by queries",
            Self::Errors => "by failed replies",
            Self::Slowest => "by p95",
            Self::Packets => "by packets",
            Self::State => "worst first",
        }
    }
}
