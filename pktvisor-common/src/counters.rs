//! The exact counters: one `#[repr(C)]` struct of `u64`, the value of the kernel's per-CPU map and the head of
//! every period in userspace.

/// Everything that is counted for every packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Packets by what they are.
    pub packets: PacketCounters,
    /// DNS messages by their header. The kernel counts those in unfragmented UDP, userspace the others.
    pub dns: DnsCounters,
}

/// Packets of all kinds. `in + out + unknown` and `ipv4 + ipv6 + non_ip` are both the total; `udp + tcp + other_l4`
/// is `ipv4 + ipv6`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct PacketCounters {
    /// Packets whose destination is HOST.
    pub received: u64,
    /// Packets whose source is HOST (and whose destination is not).
    pub sent: u64,
    /// Packets of unknown direction.
    pub unknown: u64,
    /// Wire bytes of the packets in `received`.
    pub received_bytes: u64,
    /// Wire bytes of the packets in `sent`.
    pub sent_bytes: u64,
    /// Wire bytes of the packets in `unknown`.
    pub unknown_bytes: u64,
    /// Outermost IP header is IPv4.
    pub ipv4: u64,
    /// Outermost IP header is IPv6.
    pub ipv6: u64,
    /// Frames that carry no IP.
    pub non_ip: u64,
    /// IP protocol 17.
    pub udp: u64,
    /// IP protocol 6.
    pub tcp: u64,
    /// Any other IP protocol, and malformed IP headers.
    pub other_l4: u64,
    /// Fragments of IP datagrams.
    pub fragments: u64,
    /// Frames with at least one VLAN tag.
    pub vlan: u64,
    /// IP headers that are cut or invalid.
    pub malformed: u64,
    /// Packets that carry a tunnel.
    pub tunnelled: u64,
    /// TCP segments with SYN and without ACK.
    pub tcp_syn: u64,
    /// TCP segments with SYN and ACK.
    pub tcp_syn_ack: u64,
    /// TCP segments with FIN.
    pub tcp_fin: u64,
    /// TCP segments with RST.
    pub tcp_rst: u64,
    /// Packets by wire length: below 64, 128, 256, 512, 1024, 1519 bytes, and above.
    pub sizes: [u64; 7],
    /// Packets handed to deep analysis or counted as not chosen: DNS in UDP, TCP segments of DNS streams, fragments
    /// that may hold DNS.
    pub dns_packets: u64,
    /// Of `dns_packets`: those whose flow was not chosen for deep analysis.
    pub dns_not_chosen: u64,
}

/// DNS messages by the fixed header. `queries + replies`, `udp + tcp` and `ipv4 + ipv6` are each the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DnsCounters {
    /// QR bit clear.
    pub queries: u64,
    /// QR bit set.
    pub replies: u64,
    /// Messages in UDP datagrams.
    pub udp: u64,
    /// Messages in TCP streams.
    pub tcp: u64,
    /// Messages over IPv4.
    pub ipv4: u64,
    /// Messages over IPv6.
    pub ipv6: u64,
    /// Replies by the 4 rcode bits of the header (RFC 1035 section 4.1.1).
    pub rcodes: [u64; 16],
    /// Messages of which the capture holds only a part.
    pub truncated_capture: u64,
}
