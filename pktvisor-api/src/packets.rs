//! `packets`: what was counted for every packet.

use serde::{Deserialize, Serialize};

use super::{Quantiles, TopEntry};

/// Packets of one period or window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Packets {
    /// All packets: ipv4 + ipv6 + non_ip, and in + out + unknown.
    pub total: u64,
    /// IP packets with protocol 17.
    pub udp: u64,
    /// IP packets with protocol 6.
    pub tcp: u64,
    /// IP packets with any other protocol, or with a cut or invalid IP header.
    pub other_l4: u64,
    /// Outermost IP header is IPv4.
    pub ipv4: u64,
    /// Outermost IP header is IPv6.
    pub ipv6: u64,
    /// Packets to HOST.
    #[serde(rename = "in")]
    pub received: u64,
    /// Packets from HOST.
    #[serde(rename = "out")]
    pub sent: u64,
    /// Packets neither to nor from HOST.
    pub unknown: u64,
    /// Packets that deep analysis covered: total less the DNS packets not chosen or lost.
    pub deep_samples: u64,
    /// Wire bytes of the packets to HOST.
    pub bytes_in: u64,
    /// Wire bytes of the packets from HOST.
    pub bytes_out: u64,
    /// Wire bytes of all packets.
    pub bytes_total: u64,
    /// Frames without an IP header.
    pub non_ip: u64,
    /// IP fragments, first ones included.
    pub fragments: u64,
    /// Frames with a VLAN tag.
    pub vlan: u64,
    /// Cut or invalid IP headers.
    pub malformed: u64,
    /// Packets recognised as carrying a tunnel.
    pub tunnelled: u64,
    /// TCP segments that open a connection (SYN without ACK).
    pub tcp_syn: u64,
    /// TCP segments that accept a connection (SYN and ACK).
    pub tcp_syn_ack: u64,
    /// TCP segments that reset a connection.
    pub tcp_rst: u64,
    /// Packets older than the newest one seen before them.
    pub out_of_order: u64,
    /// Jumps of the packet clock by more than an hour.
    pub time_jumps: u64,
    /// Packets by wire length in bytes: below 64, 128, 256, 512, 1024, 1519, and above.
    pub sizes: [u64; 7],
    /// How many addresses talked.
    pub cardinality: IpCardinality,
    /// Quantiles of the packets per second.
    #[serde(skip_serializing_if = "PacketRates::is_empty")]
    pub rates: PacketRates,
    /// Remote IPv4 addresses by packets.
    pub top_ipv4: Vec<TopEntry>,
    /// Remote IPv6 addresses by packets.
    pub top_ipv6: Vec<TopEntry>,
    /// Places of the remote addresses by packets.
    #[serde(rename = "top_geoLoc")]
    pub top_geo_loc: Vec<TopEntry>,
    /// Networks of the remote addresses by packets.
    #[serde(rename = "top_ASN")]
    pub top_asn: Vec<TopEntry>,
}

/// Estimated numbers of distinct addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct IpCardinality {
    /// Sources of packets to HOST.
    pub src_ips_in: u64,
    /// Destinations of packets from HOST.
    pub dst_ips_out: u64,
}

/// Quantiles of per-second packet counts; absent where no packet had a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct PacketRates {
    /// Packets per second to HOST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pps_in: Option<Quantiles>,
    /// Packets per second from HOST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pps_out: Option<Quantiles>,
}

impl PacketRates {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.pps_in.is_none() && self.pps_out.is_none()
    }
}
