//! The ledger of `/api/v1/metrics/app`, and `/api/v1/metrics/rates`.

/// `app.ledger`.
#[macro_export]
macro_rules! ledger {
    ($emit:ident) => {
        $emit! {
            /// What happened to each packet since start: seen = filtered + counted; counted DNS packets = not sampled
            /// (`not_chosen`) + delivered + lost + pending; delivered = analysed + malformed + without a complete
            /// message.
            #[derive(Copy, Eq)]
            "app.ledger": Ledger / Totals {
                /// Packets that reached the agent.
                seen: Derived(packets, exact) => ("pktvisor_packets_seen_total");
                /// Packets that the filter took out.
                filtered: Derived(packets, exact) => ("pktvisor_packets_filtered_total");
                /// Packets counted.
                counted: Derived(packets, exact) => ("pktvisor_packets_counted_total");
                /// Of the counted: packets that may carry DNS.
                dns_packets: Derived(packets, exact) => ("pktvisor_dns_packets_total");
                /// DNS packets whose flow was not sampled for deep analysis.
                not_chosen: Derived(packets, exact) => ("pktvisor_dns_packets_not_chosen_total");
                /// DNS packets that reached deep analysis.
                delivered: Derived(packets, exact) => ("pktvisor_dns_packets_delivered_total");
                /// DNS packets lost on the way there.
                lost: Derived(packets, exact) => ("pktvisor_dns_packets_lost_total");
                /// DNS packets on the way there.
                pending: Derived(packets, exact) => elsewhere;
                /// Delivered packets that completed at least one message that parses.
                analysed: Derived(packets, exact) => ("pktvisor_dns_packets_analysed_total");
                /// Delivered packets whose messages do not parse.
                malformed: Derived(packets, exact) => ("pktvisor_dns_packets_malformed_total");
                /// Delivered packets that completed no message.
                without_message: Derived(packets, exact) => ("pktvisor_dns_packets_without_message_total");
                /// DNS messages counted. A packet can complete several, or none.
                messages: Derived(messages, exact) => ("pktvisor_dns_messages_total");
            }
        }
    };
}

/// `packets` of the rates.
#[macro_export]
macro_rules! direction_rates {
    ($emit:ident) => { $emit! {
        /// Counts of the last full second.
        #[derive(Copy, Eq)]
        "packets": DirectionRates / Counters {
            /// Packets to HOST.
            received as "in": Derived("packets/s", exact) => ("pktvisor_packets_per_second", direction = "in");
            /// Packets from HOST.
            sent as "out": Derived("packets/s", exact) => ("pktvisor_packets_per_second", direction = "out");
            /// Packets of unknown direction.
            unknown: Derived("packets/s", exact) => ("pktvisor_packets_per_second", direction = "unknown");
            /// Wire bytes to HOST.
            bytes_in: Derived("bytes/s", exact) => ("pktvisor_bytes_per_second", direction = "in");
            /// Wire bytes from HOST.
            bytes_out: Derived("bytes/s", exact) => ("pktvisor_bytes_per_second", direction = "out");
            /// DNS queries.
            dns_queries: Derived("messages/s", exact) => ("pktvisor_dns_messages_per_second", kind = "query");
            /// DNS replies.
            dns_replies: Derived("messages/s", exact) => ("pktvisor_dns_messages_per_second", kind = "reply");
        }
    } };
}
