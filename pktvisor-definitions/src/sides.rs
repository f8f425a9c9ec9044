//! `dns.in` and `dns.out`: DNS by direction. HOST is asked (`in`), or HOST asks (`out`).
//!
//! Both groups have the same counters, and lists of the address at the other end: the clients that
//! ask HOST, and the servers that HOST asks.

/// `dns.in`.
#[macro_export]
macro_rules! dns_in {
    ($emit:ident) => {
        $crate::dns_side! {
            $emit
            /// DNS in which HOST is asked.
            "dns.in": DnsIn / DnsInRecord {
                /// Distinct addresses that asked HOST.
                clients: Distinct(addresses, Addresses, derived);
                /// Clients by queries.
                top_clients: List(queries, analysed, Address, derived);
                /// Clients by replies NXDOMAIN.
                top_clients_nxdomain: List(replies, analysed, Address, derived);
                /// Clients by replies SERVFAIL.
                top_clients_srvfail: List(replies, analysed, Address, derived) => elsewhere;
                /// Clients by replies REFUSED.
                top_clients_refused: List(replies, analysed, Address, derived) => elsewhere;
                /// Clients by messages that they sent and that cannot be parsed after the header.
                top_clients_malformed: List(messages, analysed, Address, derived) => elsewhere;
                /// Clients by queries not answered within the time-out.
                top_clients_timed_out: List(queries, analysed, Address, derived);
                /// Clients by replies with TC set.
                top_clients_truncated: List(replies, analysed, Address, derived) => elsewhere;
                /// Clients by queries over TCP.
                top_clients_tcp: List(queries, analysed, Address, derived) => elsewhere;
                /// Clients by bytes of the replies to them, DNS messages without lower headers.
                top_clients_response_bytes: List(bytes, analysed, Address, derived);
                /// Clients by transactions at or above the running 90th percentile of direction and period, from the eleventh
                /// transaction on.
                top_clients_slow: List(transactions, analysed, Address, derived) => elsewhere;
                /// Clients by amplified bytes: those of replies at least ten times as long as their query.
                top_clients_amplified: List(bytes, analysed, Address, derived) => elsewhere;
                /// Networks of the clients by queries, cut at the lengths of `--client-prefix`. Empty without the option.
                top_client_prefixes: List(queries, analysed, Prefix, derived) => elsewhere;
                /// Autonomous systems of the clients by queries. Empty without `--geo-asn`. Added up from the table behind
                /// `top_clients`: `upper` includes all queries of clients outside the table.
                top_client_asns: List(queries, analysed, Text, derived) => elsewhere;
                /// Countries of the clients by queries. Empty without `--geo-city`. Added up as `top_client_asns`.
                top_client_countries: List(queries, analysed, Text, derived) => elsewhere;
            }
        }
    };
}

/// `dns.out`.
#[macro_export]
macro_rules! dns_out {
    ($emit:ident) => {
        $crate::dns_side! {
            $emit
            /// DNS in which HOST asks.
            "dns.out": DnsOut / DnsOutRecord {
                /// Distinct addresses that HOST asked.
                servers: Distinct(addresses, Addresses, derived);
                /// Servers by queries.
                top_servers: List(queries, analysed, Address, derived);
                /// Servers by replies NXDOMAIN.
                top_servers_nxdomain: List(replies, analysed, Address, derived) => elsewhere;
                /// Servers by replies SERVFAIL.
                top_servers_srvfail: List(replies, analysed, Address, derived);
                /// Servers by replies REFUSED.
                top_servers_refused: List(replies, analysed, Address, derived) => elsewhere;
                /// Servers by messages that they sent and that cannot be parsed after the header.
                top_servers_malformed: List(messages, analysed, Address, derived) => elsewhere;
                /// Servers by queries not answered within the time-out.
                top_servers_timed_out: List(queries, analysed, Address, derived);
                /// Servers by replies with TC set.
                top_servers_truncated: List(replies, analysed, Address, derived) => elsewhere;
                /// Servers by queries over TCP.
                top_servers_tcp: List(queries, analysed, Address, derived) => elsewhere;
                /// Servers by bytes of their replies, DNS messages without lower headers.
                top_servers_response_bytes: List(bytes, analysed, Address, derived) => elsewhere;
                /// Servers by transactions at or above the running 90th percentile of direction and period, from the eleventh
                /// transaction on.
                top_servers_slow: List(transactions, analysed, Address, derived);
                /// Autonomous systems of the servers by queries. Empty without `--geo-asn`. Added up from the table behind
                /// `top_servers`: `upper` includes all queries to servers outside the table.
                top_server_asns: List(queries, analysed, Text, derived) => elsewhere;
                /// Countries of the servers by queries. Empty without `--geo-city`. Added up as `top_server_asns`.
                top_server_countries: List(queries, analysed, Text, derived) => elsewhere;
            }
        }
    };
}

/// The rows that `dns.in` and `dns.out` share, and the lists of one of them.
#[doc(hidden)]
#[macro_export]
macro_rules! dns_side {
    ($emit:ident $(#[$about:meta])* $path:literal: $report:ident / $record:ident { $($lists:tt)* }) => {
        $emit! {
            $(#[$about])*
            $path: $report / $record {
                /// Queries: QR bit clear, any opcode.
                queries: Computed(queries, analysed);
                /// Replies: QR bit set, any opcode.
                replies: Computed(replies, analysed);
                /// Queries over TCP.
                tcp_queries: Computed(queries, analysed);
                /// Queries over IPv6.
                ipv6_queries: Computed(queries, analysed);
                /// Bytes of the queries, DNS messages without lower headers.
                query_bytes: Computed(bytes, analysed);
                /// Bytes of the replies.
                response_bytes: Computed(bytes, analysed);
                /// Replies with rcode 0, by the 4 rcode bits of the header.
                noerror: Computed(replies, analysed);
                /// Replies with rcode 3.
                nxdomain: Computed(replies, analysed);
                /// Replies with rcode 2.
                srvfail: Computed(replies, analysed);
                /// Replies with rcode 5.
                refused: Computed(replies, analysed);
                /// NOERROR replies without an answer record that are no referrals (RFC 2308 section 2.2).
                nodata: Computed(replies, analysed);
                /// Referrals: NOERROR replies without an answer record and without AA whose authority section begins with
                /// an NS record.
                referrals: Computed(replies, analysed);
                /// Malformed messages, by either end.
                malformed: Computed(messages, analysed);
                /// Queries not answered within the time-out.
                timed_out: Computed(queries, analysed);
                /// Responses without a query, or with another question.
                orphans: Computed(responses, analysed);
                /// Queries with RD set: recursion desired.
                rd_queries: Computed(queries, analysed);
                /// Queries with AD set: the client understands AD (RFC 6840 section 5.7).
                ad_queries: Computed(queries, analysed);
                /// Queries with CD set: the client validates itself (RFC 4035 section 3.2.2).
                cd_queries: Computed(queries, analysed);
                /// Queries with the DO bit (RFC 3225).
                do_queries: Computed(queries, analysed);
                /// Queries with a client subnet option (RFC 7871).
                ecs_queries: Computed(queries, analysed);
                /// Queries with a cookie (RFC 7873).
                cookie_queries: Computed(queries, analysed);
                /// Replies with a cookie.
                cookie_replies: Computed(replies, analysed);
                /// Replies with AA set.
                aa_replies: Computed(replies, analysed);
                /// Replies with TC set.
                tc_replies: Computed(replies, analysed);
                /// Replies with RA set: recursion available.
                ra_replies: Computed(replies, analysed);
                /// Replies with AD set.
                ad_replies: Computed(replies, analysed);
                /// Quantiles of the sizes of queries.
                query_size_bytes: Quantiles(bytes, derived);
                /// Quantiles of the sizes of replies.
                response_size_bytes: Quantiles(bytes, derived);
                /// Quantiles of the size of a response in percent of that of its query, in transactions with a time.
                size_ratio_pct: Quantiles("%", derived);
                /// Operation codes of messages, as IANA spells them.
                top_opcode: List(messages, analysed, Opcode, derived) => elsewhere;
                /// Response codes, as `dns.top_rcode`.
                top_rcode: List(replies, analysed, Rcode, derived) => elsewhere;
                /// Types of the first question, as `dns.top_qtype`.
                top_qtype: List(messages, analysed, Qtype, derived) => elsewhere;
                /// Classes of the first question, as IANA spells them; unknown ones `CLASSnnn` (RFC 3597).
                top_qclass: List(messages, analysed, Qclass, derived) => elsewhere;
                $($lists)*
            }
        }
    };
}
