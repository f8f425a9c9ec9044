//! The DNS of one direction: HOST is asked, or HOST asks. The JSON has a type for each, with the same
//! counters.

use pktvisor_api::{Dns, Quantiles};

use super::list_table::SideCount;
use crate::format::share;

/// Counters of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Side {
    /// Distinct clients, or servers.
    pub others: u64,
    /// Transactions.
    pub transactions: u64,
    /// The 95th percentile of their times in µs.
    pub p95_us: Option<u64>,
    /// Queries.
    pub queries: u64,
    /// Replies.
    pub replies: u64,
    /// Queries over TCP.
    pub tcp_queries: u64,
    /// Queries over IPv6.
    pub ipv6_queries: u64,
    /// Bytes of queries.
    pub query_bytes: u64,
    /// Bytes of replies.
    pub response_bytes: u64,
    /// Replies NOERROR.
    pub noerror: u64,
    /// Replies NXDOMAIN.
    pub nxdomain: u64,
    /// Replies SERVFAIL.
    pub srvfail: u64,
    /// Replies REFUSED.
    pub refused: u64,
    /// Replies NOERROR without an answer.
    pub nodata: u64,
    /// Referrals.
    pub referrals: u64,
    /// Malformed messages.
    pub malformed: u64,
    /// Queries not answered in time.
    pub timed_out: u64,
    /// Responses without a query.
    pub orphans: u64,
    /// Queries with RD set.
    pub rd_queries: u64,
    /// Queries with AD set.
    pub ad_queries: u64,
    /// Queries with CD set.
    pub cd_queries: u64,
    /// Queries with DO set.
    pub do_queries: u64,
    /// Queries with a client subnet.
    pub ecs_queries: u64,
    /// Queries with a cookie.
    pub cookie_queries: u64,
    /// Replies with a cookie.
    pub cookie_replies: u64,
    /// Replies with AA set.
    pub aa_replies: u64,
    /// Replies with TC set.
    pub tc_replies: u64,
    /// Replies with RA set.
    pub ra_replies: u64,
    /// Replies with AD set.
    pub ad_replies: u64,
    /// Sizes of queries.
    pub query_size_bytes: Option<Quantiles>,
    /// Sizes of replies.
    pub response_size_bytes: Option<Quantiles>,
    /// Sizes of responses in per cent of those of their queries.
    pub size_ratio_pct: Option<Quantiles>,
}

/// Copies the counters of a direction.
macro_rules! side {
    ($side:expr, $others:ident, $xact:expr) => {
        Side {
            others: $side.$others,
            transactions: $xact.total,
            p95_us: $xact.quantiles_us.map(|quantiles| quantiles.p95),
            queries: $side.queries,
            replies: $side.replies,
            tcp_queries: $side.tcp_queries,
            ipv6_queries: $side.ipv6_queries,
            query_bytes: $side.query_bytes,
            response_bytes: $side.response_bytes,
            noerror: $side.noerror,
            nxdomain: $side.nxdomain,
            srvfail: $side.srvfail,
            refused: $side.refused,
            nodata: $side.nodata,
            referrals: $side.referrals,
            malformed: $side.malformed,
            timed_out: $side.timed_out,
            orphans: $side.orphans,
            rd_queries: $side.rd_queries,
            ad_queries: $side.ad_queries,
            cd_queries: $side.cd_queries,
            do_queries: $side.do_queries,
            ecs_queries: $side.ecs_queries,
            cookie_queries: $side.cookie_queries,
            cookie_replies: $side.cookie_replies,
            aa_replies: $side.aa_replies,
            tc_replies: $side.tc_replies,
            ra_replies: $side.ra_replies,
            ad_replies: $side.ad_replies,
            query_size_bytes: $side.query_size_bytes,
            response_size_bytes: $side.response_size_bytes,
            size_ratio_pct: $side.size_ratio_pct,
        }
    };
}

impl Side {
    /// HOST is asked.
    pub fn inbound(dns: &Dns) -> Self {
        side!(dns.inbound, clients, dns.xact.inbound)
    }

    /// HOST asks.
    pub fn outbound(dns: &Dns) -> Self {
        side!(dns.outbound, servers, dns.xact.outbound)
    }

    /// Replies that are neither NOERROR nor NXDOMAIN.
    pub fn errors(&self) -> u64 {
        self.replies.saturating_sub(self.noerror).saturating_sub(self.nxdomain)
    }

    /// Share of the queries followed to their end that were not answered in time.
    pub fn unanswered_share(&self) -> Option<f64> {
        share(self.timed_out, self.transactions.saturating_add(self.timed_out))
    }
}

impl SideCount {
    /// The count of a direction.
    pub(super) fn of(self, side: &Side) -> u64 {
        match self {
            Self::Queries => side.queries,
            Self::Replies => side.replies,
            Self::Messages => side.queries.saturating_add(side.replies),
            Self::Nxdomain => side.nxdomain,
            Self::Servfail => side.srvfail,
            Self::Refused => side.refused,
            Self::Malformed => side.malformed,
            Self::TimedOut => side.timed_out,
            Self::Truncated => side.tc_replies,
            Self::TcpQueries => side.tcp_queries,
            Self::ResponseBytes => side.response_bytes,
        }
    }
}
