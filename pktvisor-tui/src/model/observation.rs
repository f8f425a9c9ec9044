//! One period or window as received, and the figures that follow from it.

use std::{cmp::Reverse, time::Duration};

use pktvisor_api::{Dns, Packets, Period, PeriodSpan};

use super::{
    list_table::{ListKind, ShareWhole},
    lists::{Row, Sort, take_lists},
    printable::Printable,
    row_rate::RowRate,
    side::Side,
};
use crate::format::{self, share};

/// A period or window. Its lists are rows; those inside `packets` and `dns` are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Its name: `5m`.
    pub name: Printable,
    /// Its time span.
    pub span: PeriodSpan,
    /// Counts of every packet.
    pub packets: Packets,
    /// Results of DNS analysis.
    pub dns: Dns,
    /// Share of the DNS packets that was analysed, 0 to 1.
    pub sampling_rate: f64,
    /// DNS messages that were analysed; 0 if the agent does not report them.
    pub analysed_messages: u64,
    /// Whether the agent is of our line, or an older one.
    pub ours: bool,
    lists: Vec<Vec<Row>>,
}

/// Response codes that are counted for every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rcode {
    /// 0
    Noerror,
    /// 3
    Nxdomain,
    /// 2
    Servfail,
    /// 5
    Refused,
    /// Every other one.
    Other,
}

impl Rcode {
    /// In the order of the screen.
    pub const ALL: [Self; 5] = [Self::Noerror, Self::Nxdomain, Self::Servfail, Self::Refused, Self::Other];

    /// As RFC 1035 and RFC 2136 spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noerror => "NOERROR",
            Self::Nxdomain => "NXDOMAIN",
            Self::Servfail => "SERVFAIL",
            Self::Refused => "REFUSED",
            Self::Other => "other",
        }
    }
}

impl Observation {
    /// A period of an older agent, which lacks some numbers.
    pub fn of_older_agent(name: &str, period: Period) -> Self {
        Self { ours: false, ..Self::new(name, period) }
    }

    /// A period of an agent of our line.
    pub fn new(name: &str, mut period: Period) -> Self {
        let lists = take_lists(&mut period);
        let rate = period.sampling.rate;
        Self {
            name: Printable::new(name),
            span: period.period,
            packets: period.packets,
            dns: period.dns,
            analysed_messages: period.sampling.messages,
            sampling_rate: if rate.is_finite() { rate.clamp(0.0, 1.0) } else { 1.0 },
            ours: true,
            lists,
        }
    }

    /// Its name and its minutes: `last 5m 2020-03-24 03:41:00–03:45:37 UTC 277s`.
    pub fn span_text(&self) -> String {
        let start = self.span.start_ts;
        let end = start.saturating_add(self.span.length);
        let length = format::age(Duration::from_secs(self.span.length.try_into().unwrap_or(0)));
        format!(
            "{} {} {}–{} UTC {length:>6}",
            self.name,
            format::date(start),
            format::time_of_day(start),
            format::time_of_day(end),
        )
    }

    /// The rows of a list, in the agent's order.
    pub fn list(&self, kind: ListKind) -> &[Row] {
        self.lists.get(kind.index()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn rows_mut(&mut self, kind: ListKind) -> Option<&mut Vec<Row>> {
        self.lists.get_mut(kind.index())
    }

    /// The rows whose name contains `filter`, without regard to case, in the requested order.
    pub fn rows(&self, kind: ListKind, filter: &str, sort: Sort) -> Vec<&Row> {
        let filter = filter.to_lowercase();
        let mut rows: Vec<&Row> = self
            .list(kind)
            .iter()
            .filter(|row| filter.is_empty() || row.name.as_str().to_lowercase().contains(&filter))
            .collect();
        match sort {
            Sort::Count => rows.sort_by(|a, b| b.estimate.cmp(&a.estimate).then_with(|| a.name.cmp(&b.name))),
            Sort::Rate => rows.sort_by_key(|row| {
                (Reverse(row.rate.map_or(0, |rate| rate.now_milli)), Reverse(row.estimate))
            }),
            Sort::Change => rows.sort_by_key(|row| {
                (Reverse(row.rate.map_or(0, RowRate::change_milli)), Reverse(row.estimate))
            }),
            Sort::Name => rows.sort_by(|a, b| a.name.cmp(&b.name)),
            Sort::Upper => {
                let upper = |row: &Row| row.bounds.map_or(row.estimate, |(_, upper)| upper);
                rows.sort_by(|a, b| upper(b).cmp(&upper(a)).then_with(|| a.name.cmp(&b.name)));
            }
        }
        rows
    }

    /// Whether there are packets, but none to or from HOST: the agent does not know the addresses
    /// of HOST.
    pub fn has_no_direction(&self) -> bool {
        self.packets.total > 0 && self.packets.received == 0 && self.packets.sent == 0
    }

    /// Whether the agent tells apart the DNS in which HOST is asked and in which HOST asks.
    pub fn has_sides(&self) -> bool {
        let (inbound, outbound) = (&self.dns.inbound, &self.dns.outbound);
        inbound.queries > 0 || outbound.queries > 0 || inbound.replies > 0 || outbound.replies > 0
    }

    /// Share of the DNS that was analysed: names, types and times are of this part only. Agents of
    /// the 3.0 line sampled among all packets, and report it as `deep_samples`.
    pub fn analysed_share(&self) -> f64 {
        if self.ours {
            self.sampling_rate
        } else {
            share(self.packets.deep_samples, self.packets.total).unwrap_or(1.0)
        }
    }

    /// Replies with a response code.
    pub fn replies_with(&self, rcode: Rcode) -> u64 {
        let messages = &self.dns.wire_packets;
        match rcode {
            Rcode::Noerror => messages.noerror,
            Rcode::Nxdomain => messages.nxdomain,
            Rcode::Servfail => messages.srvfail,
            Rcode::Refused => messages.refused,
            Rcode::Other => messages
                .replies
                .saturating_sub(messages.noerror)
                .saturating_sub(messages.nxdomain)
                .saturating_sub(messages.srvfail)
                .saturating_sub(messages.refused),
        }
    }

    /// Share of a response code in the replies.
    pub fn share_of(&self, rcode: Rcode) -> Option<f64> {
        share(self.replies_with(rcode), self.dns.wire_packets.replies)
    }

    /// Replies that are neither NOERROR nor NXDOMAIN: the server, or the way to it, failed.
    pub fn errors(&self) -> u64 {
        let messages = &self.dns.wire_packets;
        messages.replies.saturating_sub(messages.noerror).saturating_sub(messages.nxdomain)
    }

    /// Share of [`errors`](Self::errors) in the replies.
    pub fn error_share(&self) -> Option<f64> {
        share(self.errors(), self.dns.wire_packets.replies)
    }

    /// Share of the queries followed to their end that were not answered in time.
    pub fn timeout_share(&self) -> Option<f64> {
        let counts = &self.dns.xact.counts;
        share(counts.timed_out, counts.total.saturating_add(counts.timed_out))
    }

    /// The most important 95th percentile in µs: the answer times of HOST, or else its waiting
    /// times.
    pub fn p95_us(&self) -> Option<u64> {
        let xact = &self.dns.xact;
        xact.inbound.quantiles_us.or(xact.outbound.quantiles_us).map(|quantiles| quantiles.p95)
    }

    /// A count over the whole period as an average per second; `None` for a period without length.
    pub fn per_second(&self, count: u64) -> Option<u64> {
        let seconds = u64::try_from(self.span.length).ok().filter(|seconds| *seconds > 0)?;
        Some(((count as f64) / (seconds as f64)).round() as u64)
    }
}

/// The values of an observation that belong to a list.
impl ListKind {
    /// Why it has no rows: nothing was counted yet, or the agent lacks something for it.
    pub fn why_empty(self, observation: &Observation) -> &'static str {
        let of_sides = matches!(self.shares_of(), ShareWhole::In(_) | ShareWhole::Out(_));
        let of_remote_ends = of_sides || matches!(self, Self::Ipv4 | Self::Ipv6 | Self::GeoLoc | Self::Asn);
        match self {
            _ if observation.packets.total == 0 => "nothing yet",
            _ if of_remote_ends && observation.has_no_direction() => "no HOST known: pktvisord -H",
            Self::GeoLoc => "needs pktvisord --geo-city",
            Self::Asn => "needs pktvisord --geo-asn",
            _ if of_sides && !observation.has_sides() => "not reported by this agent",
            Self::ClientPrefixes => "needs pktvisord --client-prefix",
            Self::ClientAsns | Self::ServerAsns | Self::EcsAsns => "none, or no pktvisord --geo-asn",
            Self::ClientCountries | Self::ServerCountries | Self::EcsCountries => {
                "none, or no pktvisord --geo-city"
            }
            _ => "none",
        }
    }

    /// The whole of the shares: all messages or packets that could be in the list. Deep analysis
    /// counts unscaled, so the whole of its lists is the analysed part.
    pub fn whole(self, observation: &Observation) -> u64 {
        let (dns, packets) = (&observation.dns, &observation.packets);
        let analysed = |messages: u64| (messages as f64 * observation.analysed_share()).round() as u64;
        match self.shares_of() {
            ShareWhole::Messages => match observation.analysed_messages {
                0 => analysed(dns.wire_packets.total),
                exact => exact,
            },
            ShareWhole::Nxdomain => analysed(dns.wire_packets.nxdomain),
            ShareWhole::Servfail => analysed(dns.wire_packets.srvfail),
            ShareWhole::Refused => analysed(dns.wire_packets.refused),
            ShareWhole::Replies => analysed(dns.wire_packets.replies),
            ShareWhole::UdpMessages => analysed(dns.wire_packets.udp),
            ShareWhole::Noerror => analysed(dns.wire_packets.noerror),
            ShareWhole::Nodata => dns.inbound.nodata.saturating_add(dns.outbound.nodata),
            ShareWhole::TimedOut => dns.xact.counts.timed_out,
            ShareWhole::ResponseBytes => {
                dns.inbound.response_bytes.saturating_add(dns.outbound.response_bytes)
            }
            ShareWhole::EcsQueries => dns.edns.client_subnet,
            ShareWhole::In(count) => count.of(&Side::inbound(dns)),
            ShareWhole::Out(count) => count.of(&Side::outbound(dns)),
            ShareWhole::TransactionsIn => dns.xact.inbound.total,
            ShareWhole::TransactionsOut => dns.xact.outbound.total,
            ShareWhole::Packets => {
                let directed = packets.received.saturating_add(packets.sent);
                if observation.ours { directed } else { analysed(directed) }
            }
        }
    }
}
