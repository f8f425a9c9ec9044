//! The exact counters: one `#[repr(C)]` struct of `u64`, the value of the kernel's per-CPU map and the head of
//! every period in userspace.

#[cfg(test)]
mod tests;

use crate::classify::{Class, flags, protocol, tcp_flags};
use crate::direction::Direction;
use crate::wire::Wire;

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

/// What carries a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsTransport {
    /// RFC 1035 section 4.2.1.
    Udp,
    /// RFC 1035 section 4.2.2, RFC 7766.
    Tcp,
}

/// Size of [`Counters`] in 64-bit words.
const WORDS: usize = size_of::<Counters>() / size_of::<u64>();
const _: () = assert!(size_of::<Counters>() == WORDS * size_of::<u64>());

impl Counters {
    /// Counts one packet of `wire_len` bytes, and its DNS message if it is [`flags::DNS_UDP`].
    ///
    /// Not `dns_not_chosen`: who chooses counts that.
    #[inline(always)]
    pub fn count(&mut self, class: &Class, direction: Direction, wire_len: u32) {
        self.count_all(class, direction, &Wire::single(wire_len));
    }

    /// Counts all packets that one buffer stands for: `class` is what the headers say that they share.
    #[inline(always)]
    pub fn count_all(&mut self, class: &Class, direction: Direction, wire: &Wire) {
        self.packets.count_all(class, direction, wire);
        if class.has(flags::DNS_UDP) {
            self.dns.count(
                class.dns_flags,
                DnsTransport::Udp,
                class.ip_version,
                class.has(flags::TRUNCATED_CAPTURE),
            );
        }
    }

    /// Adds what `other` counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.words_mut().iter_mut().zip(other.words()) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// Takes away what was counted up to `earlier`, an older copy of the same counters.
    pub fn subtract(&mut self, earlier: &Self) {
        for (mine, theirs) in self.words_mut().iter_mut().zip(earlier.words()) {
            *mine = mine.saturating_sub(*theirs);
        }
    }

    fn words(&self) -> &[u64; WORDS] {
        // SAFETY: `Counters` is `repr(C)` and made of nothing but u64; the size is asserted above.
        unsafe { &*core::ptr::from_ref(self).cast() }
    }

    fn words_mut(&mut self) -> &mut [u64; WORDS] {
        // SAFETY: as above, and every bit pattern is a valid u64.
        unsafe { &mut *core::ptr::from_mut(self).cast() }
    }
}

impl PacketCounters {
    /// All packets.
    pub fn total(&self) -> u64 {
        self.received.saturating_add(self.sent).saturating_add(self.unknown)
    }

    /// Wire bytes of all packets.
    pub fn total_bytes(&self) -> u64 {
        self.received_bytes.saturating_add(self.sent_bytes).saturating_add(self.unknown_bytes)
    }

    /// Counts all packets that one buffer stands for. A SYN, FIN or RST is that of a single one of them.
    #[inline(always)]
    pub fn count_all(&mut self, class: &Class, direction: Direction, wire: &Wire) {
        let count = u64::from(wire.packets);
        let (packets, bytes) = match direction {
            Direction::Received => (&mut self.received, &mut self.received_bytes),
            Direction::Sent => (&mut self.sent, &mut self.sent_bytes),
            Direction::Unknown => (&mut self.unknown, &mut self.unknown_bytes),
        };
        *packets += count;
        *bytes += u64::from(wire.bytes);
        if wire.packets > 1 {
            *self.size_class(wire.segment_len) += count - 1;
        }
        *self.size_class(wire.last_len()) += 1;

        match class.ip_version {
            4 => self.ipv4 += count,
            6 => self.ipv6 += count,
            _ => self.non_ip += count,
        }
        if class.ip_version != 0 {
            match class.protocol {
                _ if class.has(flags::MALFORMED) => self.other_l4 += count,
                protocol::UDP => self.udp += count,
                protocol::TCP => self.tcp += count,
                _ => self.other_l4 += count,
            }
        }
        if class.has(flags::ANY_DNS) {
            self.dns_packets += count;
        }
        if class.has(flags::FRAGMENT | flags::VLAN | flags::MALFORMED | flags::TUNNELLED) {
            self.fragments += count * u64::from(class.has(flags::FRAGMENT));
            self.vlan += count * u64::from(class.has(flags::VLAN));
            self.malformed += count * u64::from(class.has(flags::MALFORMED));
            self.tunnelled += count * u64::from(class.has(flags::TUNNELLED));
        }
        self.count_tcp_flags(class.tcp_flags);
    }

    #[inline(always)]
    fn count_tcp_flags(&mut self, set: u8) {
        if set & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) == 0 {
            return;
        }
        match set & (tcp_flags::SYN | tcp_flags::ACK) {
            tcp_flags::SYN => self.tcp_syn += 1,
            both if both & tcp_flags::SYN != 0 => self.tcp_syn_ack += 1,
            _ => {}
        }
        self.tcp_fin += u64::from(set & tcp_flags::FIN != 0);
        self.tcp_rst += u64::from(set & tcp_flags::RST != 0);
    }

    #[inline(always)]
    fn size_class(&mut self, wire_len: u32) -> &mut u64 {
        if cfg!(not(target_arch = "bpf")) {
            // Lengths are hard to predict, and a computer can count leading zeros; BPF has to branch for them too.
            let doublings = (u32::BITS - (wire_len / 64).leading_zeros()).min(5);
            return &mut self.sizes[doublings as usize + usize::from(wire_len >= 1519)];
        }
        let [below_64, below_128, below_256, below_512, below_1024, below_1519, above] = &mut self.sizes;
        match wire_len {
            0..64 => below_64,
            64..128 => below_128,
            128..256 => below_256,
            256..512 => below_512,
            512..1024 => below_1024,
            1024..1519 => below_1519,
            1519.. => above,
        }
    }
}

impl DnsCounters {
    /// All messages.
    pub fn total(&self) -> u64 {
        self.queries.saturating_add(self.replies)
    }

    /// Counts one message by the second 16 bits of its header ([`Class::dns_flags`]). `truncated`: the capture
    /// holds only a part of it.
    #[inline(always)]
    pub fn count(&mut self, dns_flags: u16, transport: DnsTransport, ip_version: u8, truncated: bool) {
        if dns_flags & 0x8000 == 0 {
            self.queries += 1;
        } else {
            self.replies += 1;
            self.rcodes[usize::from(dns_flags & 0x0f)] += 1;
        }
        match transport {
            DnsTransport::Udp => self.udp += 1,
            DnsTransport::Tcp => self.tcp += 1,
        }
        match ip_version {
            4 => self.ipv4 += 1,
            _ => self.ipv6 += 1,
        }
        self.truncated_capture += u64::from(truncated);
    }
}
