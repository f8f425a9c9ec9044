//! The rows of the lists that an agent sends, their order, and the lists of each page.

use pktvisor_api::{Period, TopEntry};

use super::{
    list_table::{ListKind, RowSubject, entries},
    printable::{KeptEnd, Printable},
    row_rate::RowRate,
};

/// Rows kept of one list. Agents send 10, or as many as asked for, at most 1,000.
const ROWS_MAX: usize = 1000;

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The counted item.
    pub name: Printable,
    /// Its count.
    pub estimate: u64,
    /// Bounds of the true number; absent from 3.0 agents.
    pub bounds: Option<(u64, u64)>,
    /// The estimate over the achieved sampling rate.
    pub scaled: Option<u64>,
    /// How fast it grows, if that was asked for.
    pub rate: Option<RowRate>,
}

/// Order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Largest first, as the agent sends them.
    #[default]
    Count,
    /// By the rate of the last seconds.
    Rate,
    /// By what the rate of the last seconds exceeds that of the window.
    Change,
    /// By name.
    Name,
    /// By the upper bound of the estimate.
    Upper,
}

/// Whether rows have rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatesGiven {
    /// The agent serves the last seconds.
    Yes,
    /// It is an older one.
    No,
}

impl Sort {
    /// Whether it needs the rates of the last seconds.
    pub fn needs_rates(self) -> bool {
        matches!(self, Self::Rate | Self::Change)
    }

    /// The next order; `rates` says whether the agent gives them.
    pub fn next(self, rates: RatesGiven) -> Self {
        match self {
            Self::Count if rates == RatesGiven::Yes => Self::Rate,
            Self::Rate => Self::Change,
            Self::Count | Self::Change => Self::Name,
            Self::Name => Self::Upper,
            Self::Upper => Self::Count,
        }
    }

    /// Its name in titles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Change => "change",
            Self::Name => "name",
            Self::Upper => "upper bound",
        }
    }
}

/// The order of each list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorts([Sort; ListKind::COUNT]);

impl Default for Sorts {
    fn default() -> Self {
        Self([Sort::default(); ListKind::COUNT])
    }
}

impl Sorts {
    /// The order of a list.
    pub fn of(&self, kind: ListKind) -> Sort {
        self.0.get(kind.index()).copied().unwrap_or_default()
    }

    /// Gives a list, and no other, its next order.
    pub fn advance(&mut self, kind: ListKind, rates: RatesGiven) {
        if let Some(sort) = self.0.get_mut(kind.index()) {
            *sort = sort.next(rates);
        }
    }
}

impl ListKind {
    /// Every list, in no order.
    pub(super) fn every() -> impl Iterator<Item = Self> {
        Self::EVERY.iter().copied()
    }

    /// Those of the overview, the ones an operator looks at first in front.
    pub const ALL: [Self; 16] = [
        Self::Qname2,
        Self::Nxdomain,
        Self::Clients,
        Self::Servers,
        Self::Servfail,
        Self::SlowIn,
        Self::SlowOut,
        Self::Qname3,
        Self::Ipv4,
        Self::Rcode,
        Self::Qtype,
        Self::Refused,
        Self::Ipv6,
        Self::Asn,
        Self::GeoLoc,
        Self::UdpPort,
    ];

    /// Every list once, in the order of the pages.
    pub fn printed() -> Vec<Self> {
        let pages: [&[Self]; 6] =
            [&Self::ALL, &Self::DNS, &Self::CLIENTS, &Self::SERVERS, &Self::ZONES, &Self::NETWORK];
        let mut printed = Vec::with_capacity(Self::COUNT);
        for kind in pages.concat() {
            if !printed.contains(&kind) {
                printed.push(kind);
            }
        }
        printed
    }

    /// Those of the DNS page.
    pub const DNS: [Self; 14] = [
        Self::Qname2,
        Self::Qname3,
        Self::Nxdomain,
        Self::Servfail,
        Self::Refused,
        Self::SlowIn,
        Self::SlowOut,
        Self::Qtype,
        Self::Rcode,
        Self::UdpPort,
        Self::Ede,
        Self::EcsSubnets,
        Self::EcsCountries,
        Self::EcsAsns,
    ];

    /// Those of the page of clients.
    pub const CLIENTS: [Self; 18] = [
        Self::Clients,
        Self::ClientsTimedOut,
        Self::ClientsNxdomain,
        Self::ClientsServfail,
        Self::ClientsBytes,
        Self::ClientsAmplified,
        Self::ClientsTcp,
        Self::ClientsTruncated,
        Self::ClientsMalformed,
        Self::ClientsRefused,
        Self::ClientsSlow,
        Self::ClientPrefixes,
        Self::ClientAsns,
        Self::ClientCountries,
        Self::QtypesIn,
        Self::RcodesIn,
        Self::OpcodesIn,
        Self::QclassesIn,
    ];

    /// Those of the page of servers.
    pub const SERVERS: [Self; 16] = [
        Self::Servers,
        Self::ServersTimedOut,
        Self::ServersSlow,
        Self::ServersServfail,
        Self::ServersNxdomain,
        Self::ServersRefused,
        Self::ServersTruncated,
        Self::ServersTcp,
        Self::ServersMalformed,
        Self::ServersBytes,
        Self::ServerAsns,
        Self::ServerCountries,
        Self::QtypesOut,
        Self::RcodesOut,
        Self::OpcodesOut,
        Self::QclassesOut,
    ];

    /// Those of the page of zones.
    pub const ZONES: [Self; 12] = [
        Self::ZonesNxdomain,
        Self::ZonesServfail,
        Self::ZonesTimedOut,
        Self::Qname2,
        Self::Qname3,
        Self::Nxdomain,
        Self::Servfail,
        Self::TimedOut,
        Self::Refused,
        Self::Nodata,
        Self::NamesByBytes,
        Self::Noerror,
    ];

    /// Those of the network page.
    pub const NETWORK: [Self; 5] = [Self::Ipv4, Self::Ipv6, Self::Asn, Self::GeoLoc, Self::UdpPort];

    /// The important end of its names.
    pub fn keep(self) -> KeptEnd {
        match self.subject() {
            RowSubject::Name | RowSubject::Zone => KeptEnd::Tail,
            RowSubject::Client | RowSubject::Server | RowSubject::Address => KeptEnd::Ends,
            RowSubject::Qtype | RowSubject::Rcode | RowSubject::Other => KeptEnd::Head,
        }
    }

    /// The place in [`Observation::lists`](super::Observation).
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Takes the lists out of a period.
pub(super) fn take_lists(period: &mut Period) -> Vec<Vec<Row>> {
    let mut lists = vec![Vec::new(); ListKind::COUNT];
    for kind in ListKind::every() {
        if let Some(list) = lists.get_mut(kind.index()) {
            *list = rows(std::mem::take(entries(period, kind)));
        }
    }
    lists
}

/// Entries as rows, safe to show.
pub(super) fn rows(entries: Vec<TopEntry>) -> Vec<Row> {
    entries
        .into_iter()
        .take(ROWS_MAX)
        .map(|entry| Row {
            name: Printable::new(&entry.name),
            estimate: entry.estimate,
            bounds: entry.lower.zip(entry.upper),
            scaled: entry.scaled,
            rate: None,
        })
        .collect()
}
