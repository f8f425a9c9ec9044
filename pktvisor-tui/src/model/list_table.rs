//! The table of lists: one row each, with all that the UI knows of a list.

use pktvisor_api::{Period, TopEntry};

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
pub(super) enum ShareWhole {
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
    /// NOERROR replies.
    Noerror,
    /// NOERROR replies without an answer.
    Nodata,
    /// Queries not answered in time.
    TimedOut,
    /// Bytes of replies.
    ResponseBytes,
    /// Queries with a client subnet.
    EcsQueries,
    /// Transactions in.
    TransactionsIn,
    /// Transactions out.
    TransactionsOut,
    /// A count of the DNS in which HOST is asked.
    In(SideCount),
    /// A count of the DNS in which HOST asks.
    Out(SideCount),
    /// Packets to and from HOST.
    Packets,
}

/// A count of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SideCount {
    Queries,
    Replies,
    Messages,
    Nxdomain,
    Servfail,
    Refused,
    Malformed,
    TimedOut,
    Truncated,
    TcpQueries,
    ResponseBytes,
}

/// Makes the lists from a row each: variant, title, subject of its rows, whole of its shares, place
/// in a period, explanation.
macro_rules! lists {
    ($($kind:ident: $title:literal, $subject:ident, $whole:ident $(($of:ident))?, $($path:ident).+, $explanation:literal;)+) => {
        /// A list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ListKind {
            $(#[doc = $explanation] $kind,)+
        }

        impl ListKind {
            /// Every list.
            pub(super) const EVERY: &'static [Self] = &[$(Self::$kind),+];
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
            pub(super) fn shares_of(self) -> ShareWhole {
                match self { $(Self::$kind => ShareWhole::$whole $((SideCount::$of))?,)+ }
            }
        }

        /// The place of a list in a period.
        pub(super) fn entries(period: &mut Period, kind: ListKind) -> &mut Vec<TopEntry> {
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
    Clients: "Clients", Client, In(Queries), dns.inbound.top_clients,
        "clients of HOST, by queries";
    ClientsNxdomain: "Clients, NXDOMAIN", Client, In(Nxdomain), dns.inbound.top_clients_nxdomain,
        "clients by replies NXDOMAIN; share of these replies in this direction";
    ClientsServfail: "Clients, SERVFAIL", Client, In(Servfail), dns.inbound.top_clients_srvfail,
        "clients by replies SERVFAIL; share of these replies in this direction";
    ClientsRefused: "Clients, REFUSED", Client, In(Refused), dns.inbound.top_clients_refused,
        "clients by replies REFUSED; share of these replies in this direction";
    ClientsMalformed: "Clients, malformed", Client, In(Malformed), dns.inbound.top_clients_malformed,
        "clients by messages that they sent and that cannot be parsed";
    ClientsTimedOut: "Clients, unanswered", Client, In(TimedOut), dns.inbound.top_clients_timed_out,
        "clients by queries without a response within 5 s";
    ClientsTruncated: "Clients, truncated", Client, In(Truncated), dns.inbound.top_clients_truncated,
        "clients by replies with TC set";
    ClientsTcp: "Clients, TCP", Client, In(TcpQueries), dns.inbound.top_clients_tcp,
        "clients by queries over TCP";
    ClientsBytes: "Clients, bytes", Client, In(ResponseBytes), dns.inbound.top_clients_response_bytes,
        "clients by bytes of the replies to them";
    ClientsSlow: "Clients, slow", Client, TransactionsIn, dns.inbound.top_clients_slow,
        "clients by transactions in the slowest tenth; share of the transactions";
    ClientsAmplified: "Clients, amplified", Client, In(ResponseBytes), dns.inbound.top_clients_amplified,
        "clients by bytes of replies at least ten times as long as their query";
    ClientPrefixes: "Client networks", Client, In(Queries), dns.inbound.top_client_prefixes,
        "networks of the clients, by queries";
    ClientAsns: "Client ASNs", Other, In(Queries), dns.inbound.top_client_asns,
        "autonomous systems of the clients, by queries";
    ClientCountries: "Client countries", Other, In(Queries), dns.inbound.top_client_countries,
        "countries of the clients, by queries";
    QtypesIn: "Query types, in", Qtype, In(Messages), dns.inbound.top_qtype,
        "query types of this direction";
    RcodesIn: "Response codes, in", Rcode, In(Replies), dns.inbound.top_rcode,
        "response codes of this direction";
    OpcodesIn: "Operations, in", Other, In(Messages), dns.inbound.top_opcode,
        "operation codes of this direction";
    QclassesIn: "Classes, in", Other, In(Messages), dns.inbound.top_qclass,
        "classes of the questions of this direction";
    Servers: "Servers", Server, Out(Queries), dns.outbound.top_servers,
        "servers that HOST asks, by queries";
    ServersNxdomain: "Servers, NXDOMAIN", Server, Out(Nxdomain), dns.outbound.top_servers_nxdomain,
        "servers by replies NXDOMAIN; share of these replies in this direction";
    ServersServfail: "Servers, SERVFAIL", Server, Out(Servfail), dns.outbound.top_servers_srvfail,
        "servers by replies SERVFAIL; share of these replies in this direction";
    ServersRefused: "Servers, REFUSED", Server, Out(Refused), dns.outbound.top_servers_refused,
        "servers by replies REFUSED; share of these replies in this direction";
    ServersMalformed: "Servers, malformed", Server, Out(Malformed), dns.outbound.top_servers_malformed,
        "servers by messages that they sent and that cannot be parsed";
    ServersTimedOut: "Servers, unanswered", Server, Out(TimedOut), dns.outbound.top_servers_timed_out,
        "servers by queries without a response within 5 s";
    ServersTruncated: "Servers, truncated", Server, Out(Truncated), dns.outbound.top_servers_truncated,
        "servers by replies with TC set";
    ServersTcp: "Servers, TCP", Server, Out(TcpQueries), dns.outbound.top_servers_tcp,
        "servers by queries over TCP";
    ServersBytes: "Servers, bytes", Server, Out(ResponseBytes), dns.outbound.top_servers_response_bytes,
        "servers by bytes of the replies from them";
    ServersSlow: "Servers, slow", Server, TransactionsOut, dns.outbound.top_servers_slow,
        "servers by transactions in the slowest tenth; share of the transactions";
    ServerAsns: "Server ASNs", Other, Out(Queries), dns.outbound.top_server_asns,
        "autonomous systems of the servers, by queries";
    ServerCountries: "Server countries", Other, Out(Queries), dns.outbound.top_server_countries,
        "countries of the servers, by queries";
    QtypesOut: "Query types, out", Qtype, Out(Messages), dns.outbound.top_qtype,
        "query types of this direction";
    RcodesOut: "Response codes, out", Rcode, Out(Replies), dns.outbound.top_rcode,
        "response codes of this direction";
    OpcodesOut: "Operations, out", Other, Out(Messages), dns.outbound.top_opcode,
        "operation codes of this direction";
    QclassesOut: "Classes, out", Other, Out(Messages), dns.outbound.top_qclass,
        "classes of the questions of this direction";
    ZonesNxdomain: "Zones, NXDOMAIN", Zone, Nxdomain, dns.top_zones_nxdomain,
        "zones with names answered NXDOMAIN; share of the NXDOMAIN replies";
    ZonesServfail: "Zones, SERVFAIL", Zone, Servfail, dns.top_zones_srvfail,
        "zones with names answered SERVFAIL; share of the SERVFAIL replies";
    ZonesTimedOut: "Zones, unanswered", Zone, TimedOut, dns.top_zones_timed_out,
        "zones by queries without a response within 5 s";
    TimedOut: "Unanswered names", Name, TimedOut, dns.top_timed_out,
        "question names of queries without a response within 5 s";
    Nodata: "NODATA names", Name, Nodata, dns.top_nodata,
        "question names answered NOERROR without an answer; share of these replies";
    Noerror: "NOERROR names", Name, Noerror, dns.top_noerror,
        "question names answered NOERROR; share of the NOERROR replies";
    NamesByBytes: "Names by bytes", Name, ResponseBytes, dns.top_qname_by_response_bytes,
        "question names by bytes of the replies";
    Ede: "Extended errors", Other, Replies, dns.top_ede,
        "extended DNS errors (RFC 8914) in replies; share of the replies";
    EcsSubnets: "Client subnets (ECS)", Other, EcsQueries, dns.top_ecs_subnets,
        "client subnets in queries (RFC 7871); share of the queries that have one";
    EcsCountries: "ECS countries", Other, EcsQueries, dns.top_ecs_countries,
        "countries of the client subnets in queries";
    EcsAsns: "ECS ASNs", Other, EcsQueries, dns.top_ecs_asns,
        "autonomous systems of the client subnets in queries";
}
