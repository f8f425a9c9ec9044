//! The lists of a period: one row each in a table, with all that the UI knows of a list; and the
//! rows that an agent sends in them.

use pktvisor_api::{Period, TopEntry};

use super::{
    printable::{KeptEnd, Printable},
    rates::RowRate,
};

/// Rows kept of one list. Agents send 10, or as many as asked for, at most 1,000.
const ROWS_MAX: usize = 1000;

/// What the rows of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSubject {
    /// Clients of HOST.
    Client,
    /// Servers that HOST asks.
    Server,
    /// Remote addresses of any role.
    Address,
    /// Domain names.
    Name,
    /// Zones.
    Zone,
    /// Query types.
    Qtype,
    /// Response codes.
    Rcode,
    /// Something else.
    Other,
}

/// The whole of the shares of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// DNS messages.
    Messages,
    /// DNS messages over UDP.
    UdpMessages,
    /// DNS replies.
    Replies,
    /// Replies NXDOMAIN.
    Nxdomain,
    /// Replies SERVFAIL.
    Servfail,
    /// Replies REFUSED.
    Refused,
    /// Transactions in.
    TransactionsIn,
    /// Transactions out.
    TransactionsOut,
    /// Packets to and from HOST.
    Packets,
}

/// Makes the lists from a row each: variant, title, subject of its rows, whole of its shares, place
/// in a period, explanation.
macro_rules! lists {
    ($($kind:ident: $title:literal, $subject:ident, $whole:ident, $($path:ident).+, $explanation:literal;)+) => {
        /// A list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ListKind {
            $(#[doc = $explanation] $kind,)+
        }

        impl ListKind {
            /// Every list.
            const EVERY: &'static [Self] = &[$(Self::$kind),+];
            /// Number of lists.
            pub const COUNT: usize = Self::EVERY.len();

            /// Its title.
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }

            /// An explanation of its counts.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$kind => $explanation,)+ }
            }

            /// What its rows are.
            pub fn subject(self) -> RowSubject {
                match self { $(Self::$kind => RowSubject::$subject,)+ }
            }

            /// What its shares are of.
            pub(super) fn shares_of(self) -> Whole {
                match self { $(Self::$kind => Whole::$whole,)+ }
            }
        }

        fn entries(period: &mut Period, kind: ListKind) -> &mut Vec<TopEntry> {
            match kind { $(ListKind::$kind => &mut period.$($path).+,)+ }
        }
    };
}

lists! {
    Qname2: "Names, 2 labels", Name, Messages, dns.top_qname2,
        "question names of queries and replies, by their last two labels";
    Qname3: "Names, 3 labels", Name, Messages, dns.top_qname3,
        "question names of queries and replies, by their last three labels";
    Nxdomain: "NXDOMAIN names", Name, Nxdomain, dns.top_nxdomain,
        "question names answered NXDOMAIN; share of the NXDOMAIN replies";
    Servfail: "SERVFAIL names", Name, Servfail, dns.top_srvfail,
        "question names answered SERVFAIL; share of the SERVFAIL replies";
    Refused: "REFUSED names", Name, Refused, dns.top_refused,
        "question names answered REFUSED; share of the REFUSED replies";
    SlowIn: "Slow, in", Name, TransactionsIn, dns.xact.inbound.top_slow,
        "names that HOST answered in its slowest tenth; share of the transactions in";
    SlowOut: "Slow, out", Name, TransactionsOut, dns.xact.outbound.top_slow,
        "names that HOST waited for in its slowest tenth; share of the transactions out";
    Qtype: "Query types", Qtype, Messages, dns.top_qtype,
        "query types of queries and replies";
    Rcode: "Response codes", Rcode, Replies, dns.top_rcode,
        "response codes, EDNS extended ones included; share of the replies";
    Ipv4: "IPv4 addresses", Address, Packets, packets.top_ipv4,
        "remote IPv4 addresses; share of the packets in and out";
    Ipv6: "IPv6 addresses", Address, Packets, packets.top_ipv6,
        "remote IPv6 addresses; share of the packets in and out";
    UdpPort: "DNS UDP ports", Other, UdpMessages, dns.top_udp_ports,
        "ports at the other end of DNS over UDP; share of the messages over UDP";
    GeoLoc: "Places", Other, Packets, packets.top_geo_loc,
        "places of the remote addresses; share of the packets in and out";
    Asn: "Networks (ASN)", Other, Packets, packets.top_asn,
        "networks of the remote addresses; share of the packets in and out";
}

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

    /// All, the ones an operator looks at first in front.
    pub const ALL: [Self; 14] = [
        Self::Qname2,
        Self::Nxdomain,
        Self::Servfail,
        Self::SlowIn,
        Self::Qname3,
        Self::Ipv4,
        Self::Rcode,
        Self::Qtype,
        Self::Refused,
        Self::SlowOut,
        Self::Ipv6,
        Self::Asn,
        Self::GeoLoc,
        Self::UdpPort,
    ];

    /// Those of the DNS page.
    pub const DNS: [Self; 10] = [
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
