//! `dns`: messages, names, EDNS(0), reassembly.

/// `dns`: the lists. They count analysed messages.
#[macro_export]
macro_rules! dns {
    ($emit:ident) => {
        $emit! {
            /// DNS of one period or window.
            "dns": Dns / DnsRecord {
                /// Messages by kind, exact at any sampling rate.
                wire_packets: Group(DnsMessages, MessageRecord);
                /// Numbers of distinct names.
                cardinality: Group(DnsCardinality, DnsCardinalityRecord);
                /// Queries matched with their responses.
                xact: Group(Transactions, TransactionRecord);
                /// Flags in the headers of the analysed replies.
                flags: Group(DnsFlags, DnsFlagsRecord);
                /// EDNS(0) in the analysed messages.
                edns: Group(EdnsMetrics, EdnsRecord);
                /// The state of TCP stream and IP fragment reassembly.
                reassembly: Group(Reassembly, ReassemblyRecord);
                /// HOST is asked.
                inbound as "in": Group(DnsIn, DnsInRecord);
                /// HOST asks.
                outbound as "out": Group(DnsOut, DnsOutRecord);
                /// Question names by their last two labels: `a.b.example.com` is `.example.com`.
                top_qname2: List(messages, analysed, Name, derived);
                /// Question names by their last three labels. With `--public-suffix` both lists count from the registrable
                /// domain.
                top_qname3: List(messages, analysed, Name, derived);
                /// Question names answered NXDOMAIN.
                top_nxdomain: List(replies, analysed, Name);
                /// Question names answered REFUSED.
                top_refused: List(replies, analysed, Name);
                /// Question names answered SERVFAIL.
                top_srvfail: List(replies, analysed, Name);
                /// Response codes, EDNS extended ones (RFC 6891) included; spelled as in pktvisor 3.0 (`SRVFAIL`, `NOTIMP`).
                top_rcode: List(replies, analysed, Rcode, derived);
                /// Types of the first question, as IANA spells them; unknown ones `TYPEnnn` (RFC 3597).
                top_qtype: List(messages, analysed, Qtype, derived);
                /// Ports at the other end of DNS over UDP.
                top_udp_ports: List(packets, analysed, Port);
                /// Question names answered NOERROR, by their last three labels as in `top_qname3`; shorter ones whole.
                top_noerror: List(replies, analysed, Name, derived) => elsewhere;
                /// Question names answered NODATA, as `dns.in.nodata` counts it.
                top_nodata: List(replies, analysed, Name) => elsewhere;
                /// Question names of queries not answered within the time-out. Of names longer than 94 bytes the last
                /// labels, with a dot in front.
                top_timed_out: List(queries, analysed, Name) => elsewhere;
                /// Question names as in `top_noerror` by bytes of the replies, DNS messages without lower headers.
                top_qname_by_response_bytes: List(bytes, analysed, Name, derived) => elsewhere;
                /// Zones with names answered NXDOMAIN: the last two labels, or with `--public-suffix` the registrable
                /// domain.
                top_zones_nxdomain: List(replies, analysed, Zone);
                /// Zones with names answered SERVFAIL.
                top_zones_srvfail: List(replies, analysed, Zone);
                /// Zones with queries not answered within the time-out.
                top_zones_timed_out: List(queries, analysed, Zone);
                /// Client subnets (RFC 7871) in queries, with their source prefix lengths.
                top_ecs_subnets: List(queries, analysed, Prefix) => elsewhere;
                /// Countries of the client subnets in queries. Empty without `--geo-city`. Added up from the table behind
                /// `top_ecs_subnets`: `upper` includes all queries with subnets outside the table.
                top_ecs_countries: List(queries, analysed, Text, derived) => elsewhere;
                /// Autonomous systems of the client subnets in queries. Empty without `--geo-asn`. Added up as
                /// `top_ecs_countries`.
                top_ecs_asns: List(queries, analysed, Text, derived) => elsewhere;
                /// Extended DNS errors (RFC 8914) in replies, the first one of each, as IANA names them.
                top_ede: List(replies, analysed, Ede) => elsewhere;
            }
        }
    };
}

/// `dns.wire_packets`. Identities: `queries + replies`, `udp + tcp` and `ipv4 + ipv6` are each the total.
#[macro_export]
macro_rules! dns_messages {
    ($emit:ident) => {
        $emit! {
            /// DNS messages by kind, by their fixed header (RFC 1035 section 4.1.1). queries + replies, udp + tcp and
            /// ipv4 + ipv6 are each the total.
            #[derive(Copy, Eq)]
            "dns.wire_packets": DnsMessages / MessageRecord, kernel DnsCounters {
                /// All messages.
                total: Derived(messages, exact) => elsewhere;
                /// QR bit clear, any opcode.
                queries: Kernel(messages) => ("pktvisor_period_dns_messages", kind = "query");
                /// QR bit set, any opcode.
                replies: Kernel(messages) => ("pktvisor_period_dns_messages", kind = "reply");
                /// Over TCP.
                tcp: Kernel(messages) => ("pktvisor_period_dns_transport_messages", protocol = "tcp");
                /// Over UDP.
                udp: Kernel(messages) => ("pktvisor_period_dns_transport_messages", protocol = "udp");
                /// Over IPv4.
                ipv4: Kernel(messages);
                /// Over IPv6.
                ipv6: Kernel(messages);
                /// Replies with rcode 0, by the 4 rcode bits of the header.
                noerror: Derived(replies, exact) => ("pktvisor_period_dns_replies", rcode = "NOERROR");
                /// Replies with rcode 3.
                nxdomain: Derived(replies, exact) => ("pktvisor_period_dns_replies", rcode = "NXDOMAIN");
                /// Replies with rcode 2.
                srvfail: Derived(replies, exact) => ("pktvisor_period_dns_replies", rcode = "SERVFAIL");
                /// Replies with rcode 5.
                refused: Derived(replies, exact) => ("pktvisor_period_dns_replies", rcode = "REFUSED");
                /// Messages of which the capture holds only a part.
                truncated_capture: Kernel(messages);
                /// Messages that cannot be parsed after the header; they count in all of the above.
                malformed: Counter(messages, exact);
            }
        }
    };
}

/// `dns.cardinality`.
#[macro_export]
macro_rules! dns_cardinality {
    ($emit:ident) => {
        $emit! {
            /// Estimated numbers of distinct names.
            #[derive(Copy, Eq)]
            "dns.cardinality": DnsCardinality / DnsCardinalityRecord {
                /// Distinct question names of queries and replies, without regard to case.
                qname: Distinct(names, Names) => ("pktvisor_period_dns_names");
            }
        }
    };
}

/// `dns.flags`.
#[macro_export]
macro_rules! dns_flags {
    ($emit:ident) => {
        $emit! {
            /// Flags in the headers of the analysed replies (RFC 1035 section 4.1.1, RFC 4035 section 3.2.3).
            #[derive(Copy, Eq)]
            "dns.flags": DnsFlags / DnsFlagsRecord {
                /// Replies with AA set: the server is an authority for the name.
                aa: Derived(replies, analysed) => ("pktvisor_period_dns_flagged_replies", flag = "AA");
                /// Replies with AD set: the resolver has validated all of the answer.
                ad: Derived(replies, analysed) => ("pktvisor_period_dns_flagged_replies", flag = "AD");
                /// Replies with TC set: the client has to repeat the query over TCP.
                tc: Derived(replies, analysed) => ("pktvisor_period_dns_flagged_replies", flag = "TC");
            }
        }
    };
}

/// `dns.edns`.
#[macro_export]
macro_rules! edns {
    ($emit:ident) => {
        $emit! {
            /// EDNS(0) (RFC 6891) in the analysed messages.
            "dns.edns": EdnsMetrics / EdnsRecord {
                /// Queries with an OPT record.
                queries: Derived(messages, analysed);
                /// Replies with an OPT record.
                replies: Derived(messages, analysed);
                /// Queries with the DO bit (RFC 3225).
                dnssec_ok: Derived(queries, analysed);
                /// Queries with a client subnet option (RFC 7871).
                client_subnet: Derived(queries, analysed);
                /// Quantiles of the UDP payload size that queries offer.
                udp_size_bytes: Quantiles(bytes);
                /// NOERROR replies without an answer record.
                empty_answers: Counter(replies, analysed);
                /// Answer records in the analysed replies.
                answer_records: Counter(records, analysed);
            }
        }
    };
}

/// `dns.reassembly`.
#[macro_export]
macro_rules! reassembly {
    ($emit:ident) => {
        $emit! {
            /// Losses in the reassembly of TCP streams and IP fragments.
            #[derive(Copy, Eq)]
            "dns.reassembly": Reassembly / ReassemblyRecord {
                /// Streams that lost their message boundaries (a length prefix below 12), or began without any.
                unsynchronised: Counter(times, exact);
                /// Missing data in TCP streams that was given up.
                gaps: Counter(gaps, exact);
                /// Segments that brought nothing new.
                retransmitted_segments: Counter(segments, exact);
                /// Streams dropped to stay within the memory budget.
                streams_evicted: Counter(streams, exact);
                /// Fragmented datagrams put together.
                datagrams_reassembled: Counter(datagrams, exact);
                /// Fragmented datagrams not complete after 30 s.
                datagrams_incomplete: Counter(datagrams, exact);
                /// Fragmented datagrams dropped to stay within the memory budget, or impossible.
                datagrams_evicted: Counter(datagrams, exact);
                /// Fragmented datagrams whose first fragment did not come within 30 s: whether they were DNS is not known.
                datagrams_unidentified: Counter(datagrams, exact);
                /// Fragments that cannot be part of a datagram.
                fragments_malformed: Counter(fragments, exact);
            }
        }
    };
}
