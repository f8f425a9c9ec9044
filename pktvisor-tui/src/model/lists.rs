//! The fourteen lists of a period: their titles, the wholes of their shares, and their rows.

use pktvisor_api::{Period, TopEntry};

use super::printable::{KeptEnd, Printable};

/// Rows kept of one list. Agents send at most 10.
const ROWS_MAX: usize = 100;

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Question names by their last two labels.
    Qname2,
    /// Question names by their last three labels.
    Qname3,
    /// Question names answered NXDOMAIN.
    Nxdomain,
    /// Question names answered SERVFAIL.
    Servfail,
    /// Question names answered REFUSED.
    Refused,
    /// Names that HOST answered slowly.
    SlowIn,
    /// Names that HOST waited for.
    SlowOut,
    /// Query types.
    Qtype,
    /// Response codes.
    Rcode,
    /// Remote IPv4 addresses.
    Ipv4,
    /// Remote IPv6 addresses.
    Ipv6,
    /// Ports at the other end of DNS over UDP.
    UdpPort,
    /// Places of remote addresses.
    GeoLoc,
    /// Networks of remote addresses.
    Asn,
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
}

/// Order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Largest first, as the agent sends them.
    #[default]
    Count,
    /// By name.
    Name,
    /// By the upper bound of the estimate.
    Upper,
}

impl Sort {
    /// The next order.
    pub fn next(self) -> Self {
        match self {
            Self::Count => Self::Name,
            Self::Name => Self::Upper,
            Self::Upper => Self::Count,
        }
    }

    /// Its name in titles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Name => "name",
            Self::Upper => "upper bound",
        }
    }
}

/// The order of each list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorts([Sort; ListKind::COUNT]);

impl Sorts {
    /// The order of a list.
    pub fn of(&self, kind: ListKind) -> Sort {
        self.0.get(kind.index()).copied().unwrap_or_default()
    }

    /// Gives a list, and no other, its next order.
    pub fn advance(&mut self, kind: ListKind) {
        if let Some(sort) = self.0.get_mut(kind.index()) {
            *sort = sort.next();
        }
    }
}

impl ListKind {
    /// Number of lists.
    pub const COUNT: usize = 14;

    /// All, the ones an operator looks at first in front.
    pub const ALL: [Self; Self::COUNT] = [
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

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Qname2 => "Names, 2 labels",
            Self::Qname3 => "Names, 3 labels",
            Self::Nxdomain => "NXDOMAIN names",
            Self::Servfail => "SERVFAIL names",
            Self::Refused => "REFUSED names",
            Self::SlowIn => "Slow, in",
            Self::SlowOut => "Slow, out",
            Self::Qtype => "Query types",
            Self::Rcode => "Response codes",
            Self::Ipv4 => "IPv4 addresses",
            Self::Ipv6 => "IPv6 addresses",
            Self::UdpPort => "DNS UDP ports",
            Self::GeoLoc => "Places",
            Self::Asn => "Networks (ASN)",
        }
    }

    /// An explanation of its counts.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Qname2 => "question names of queries and replies, by their last two labels",
            Self::Qname3 => "question names of queries and replies, by their last three labels",
            Self::Nxdomain => "question names answered NXDOMAIN; share of the NXDOMAIN replies",
            Self::Servfail => "question names answered SERVFAIL; share of the SERVFAIL replies",
            Self::Refused => "question names answered REFUSED; share of the REFUSED replies",
            Self::SlowIn => "names that HOST answered in its slowest tenth; share of the transactions in",
            Self::SlowOut => "names that HOST waited for in its slowest tenth; share of the transactions out",
            Self::Qtype => "query types of queries and replies",
            Self::Rcode => "response codes, EDNS extended ones included; share of the replies",
            Self::Ipv4 => "remote IPv4 addresses; share of the packets in and out",
            Self::Ipv6 => "remote IPv6 addresses; share of the packets in and out",
            Self::UdpPort => "ports at the other end of DNS over UDP; share of the messages over UDP",
            Self::GeoLoc => "places of the remote addresses; share of the packets in and out",
            Self::Asn => "networks of the remote addresses; share of the packets in and out",
        }
    }

    /// The important end of its names.
    pub fn keep(self) -> KeptEnd {
        match self {
            Self::Qname2
            | Self::Qname3
            | Self::Nxdomain
            | Self::Servfail
            | Self::Refused
            | Self::SlowIn
            | Self::SlowOut => KeptEnd::Tail,
            Self::Ipv6 => KeptEnd::Ends,
            _ => KeptEnd::Head,
        }
    }

    /// The place in [`Observation::lists`](super::Observation).
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// Takes the lists out of a period.
pub(super) fn take_lists(period: &mut Period) -> [Vec<Row>; ListKind::COUNT] {
    let mut lists: [Vec<Row>; ListKind::COUNT] = Default::default();
    for kind in ListKind::ALL {
        if let Some(list) = lists.get_mut(kind.index()) {
            *list = rows(std::mem::take(entries(period, kind)));
        }
    }
    lists
}

fn entries(period: &mut Period, kind: ListKind) -> &mut Vec<TopEntry> {
    let (dns, packets) = (&mut period.dns, &mut period.packets);
    match kind {
        ListKind::Qname2 => &mut dns.top_qname2,
        ListKind::Qname3 => &mut dns.top_qname3,
        ListKind::Nxdomain => &mut dns.top_nxdomain,
        ListKind::Servfail => &mut dns.top_srvfail,
        ListKind::Refused => &mut dns.top_refused,
        ListKind::SlowIn => &mut dns.xact.inbound.top_slow,
        ListKind::SlowOut => &mut dns.xact.outbound.top_slow,
        ListKind::Qtype => &mut dns.top_qtype,
        ListKind::Rcode => &mut dns.top_rcode,
        ListKind::Ipv4 => &mut packets.top_ipv4,
        ListKind::Ipv6 => &mut packets.top_ipv6,
        ListKind::UdpPort => &mut dns.top_udp_ports,
        ListKind::GeoLoc => &mut packets.top_geo_loc,
        ListKind::Asn => &mut packets.top_asn,
    }
}

fn rows(entries: Vec<TopEntry>) -> Vec<Row> {
    entries
        .into_iter()
        .take(ROWS_MAX)
        .map(|entry| Row {
            name: Printable::new(&entry.name),
            estimate: entry.estimate,
            bounds: entry.lower.zip(entry.upper),
            scaled: entry.scaled,
        })
        .collect()
}
