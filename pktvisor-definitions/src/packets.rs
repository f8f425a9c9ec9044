//! `packets`: what is counted for every packet.

/// `packets`. Identities: `in + out + unknown` and `ipv4 + ipv6 + non_ip` are both the total; `udp + tcp + other_l4` is
/// `ipv4 + ipv6`.
#[macro_export]
macro_rules! packets {
    ($emit:ident) => {
        $emit! {
            /// Packets of one period or window.
            "packets": Packets / PacketRecord, kernel PacketCounters {
                /// All packets: ipv4 + ipv6 + non_ip, and in + out + unknown.
                total: Derived(packets, exact) => ("pktvisor_period_packets");
                /// IP packets with protocol 17.
                udp: Kernel(packets) => ("pktvisor_period_transport_packets", protocol = "udp");
                /// IP packets with protocol 6; for IPv6 the last next header reached through 0, 43, 44, 60. A fragment after
                /// the first counts by the number that it carries.
                tcp: Kernel(packets) => ("pktvisor_period_transport_packets", protocol = "tcp");
                /// IP packets with any other protocol, or with a cut or invalid IP header.
                other_l4: Kernel(packets) => ("pktvisor_period_transport_packets", protocol = "other");
                /// Outermost IP header is IPv4, by EtherType or link type; cut and invalid headers included.
                ipv4: Kernel(packets) => ("pktvisor_period_network_packets", protocol = "ipv4");
                /// Outermost IP header is IPv6, by EtherType or link type; cut and invalid headers included.
                ipv6: Kernel(packets) => ("pktvisor_period_network_packets", protocol = "ipv6");
                /// Packets to HOST.
                received as "in": Kernel(packets) => ("pktvisor_period_direction_packets", direction = "in");
                /// Packets from HOST, and not to it.
                sent as "out": Kernel(packets) => ("pktvisor_period_direction_packets", direction = "out");
                /// Packets neither to nor from HOST.
                unknown: Kernel(packets) => ("pktvisor_period_direction_packets", direction = "unknown");
                /// Packets that deep analysis covered: total less the DNS packets not sampled or lost. Equals total at 100 %.
                deep_samples: Derived(packets, exact);
                /// Wire bytes of the packets to HOST, link-layer header included.
                bytes_in: Kernel(bytes);
                /// Wire bytes of the packets from HOST.
                bytes_out: Kernel(bytes);
                /// Wire bytes of all packets.
                bytes_total: Derived(bytes, exact) => ("pktvisor_period_bytes");
                /// Frames without an IP header: ARP, LLDP, spanning tree, unknown link types and EtherTypes.
                non_ip: Kernel(packets) => ("pktvisor_period_network_packets", protocol = "other");
                /// IP fragments, first ones included; IPv6 atomic fragments (RFC 6946) not. An IPv4 header that is longer
                /// than its frame counts if it has the fields of a fragment.
                fragments: Kernel(packets);
                /// Frames with at least one VLAN tag.
                vlan: Kernel(packets);
                /// IP headers that are cut or invalid, or with more than 8 extension headers.
                malformed: Kernel(packets);
                /// Packets recognised as carrying a tunnel (IP-in-IP, GRE, VXLAN, Geneve, GTP-U, Teredo); counted by the
                /// outer header.
                tunnelled: Kernel(packets);
                /// TCP segments that open a connection (SYN without ACK).
                tcp_syn: Kernel(packets);
                /// TCP segments that accept a connection (SYN and ACK).
                tcp_syn_ack: Kernel(packets);
                /// TCP segments that reset a connection.
                tcp_rst: Kernel(packets);
                /// Packets older than the newest one seen before them; counted in the live period.
                out_of_order: Counter(packets, exact);
                /// Jumps of the packet clock by more than an hour.
                time_jumps: Counter(jumps, exact);
                /// Packets by wire length in bytes: below 64, 128, 256, 512, 1024, 1519, and above.
                sizes: Sizes(packets, 7);
                /// Numbers of distinct addresses.
                cardinality: Group(IpCardinality, IpCardinalityRecord);
                /// Quantiles of the packets per second.
                rates: Group(PacketRates, PacketRatesRecord);
                /// Remote IPv4 addresses by packets, of packets with known direction.
                top_ipv4: List(packets, exact, Address);
                /// Remote IPv6 addresses by packets, of packets with known direction.
                top_ipv6: List(packets, exact, Address);
                /// Places of the remote addresses by packets: continent/country/subdivision/city, missing parts left out;
                /// `Unknown` without an entry, `Undecodable` where the entry cannot be read. Empty without `--geo-city`.
                top_geo_loc as "top_geoLoc": List(packets, exact, Text);
                /// Networks of the remote addresses by packets: number/organisation; `Unknown` and `Undecodable`
                /// as above. Empty without `--geo-asn`.
                top_asn as "top_ASN": List(packets, exact, Text);
            }
        }
    };
}

/// `packets.cardinality`.
#[macro_export]
macro_rules! ip_cardinality {
    ($emit:ident) => { $emit! {
        /// Estimated numbers of distinct addresses.
        #[derive(Copy, Eq)]
        "packets.cardinality": IpCardinality / IpCardinalityRecord {
            /// Sources of packets to HOST.
            src_ips_in: Distinct(addresses, Addresses) => ("pktvisor_period_addresses", role = "source_in");
            /// Destinations of packets from HOST.
            dst_ips_out: Distinct(addresses, Addresses) => ("pktvisor_period_addresses", role = "destination_out");
        }
    } };
}

/// `packets.rates`.
#[macro_export]
macro_rules! packet_rates {
    ($emit:ident) => {
        $emit! {
            /// Quantiles of per-second packet counts, of whole seconds between first and last packet, the live second
            /// excluded; absent where no packet had a direction.
            #[derive(Copy, Eq)]
            "packets.rates": PacketRates / PacketRatesRecord {
                /// Packets per second to HOST.
                pps_in: Quantiles("packets/s");
                /// Packets per second from HOST.
                pps_out: Quantiles("packets/s");
            }
        }
    };
}
