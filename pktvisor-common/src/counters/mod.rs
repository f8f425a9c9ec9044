//! The exact counters: one `#[repr(C)]` struct of `u64`, the value of the kernel's per-CPU map and
//! the head of every period in userspace.

#[cfg(test)]
mod tests;

use crate::address::IpVersion;
use crate::classify::{Captured, Class, flags, protocol, tcp_flags};
use crate::direction::Direction;
use crate::wire::Wire;

/// Everything that is counted for every packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counters {
    /// Packets by what they are.
    pub packets: PacketCounters,
    /// DNS messages by their header. The kernel counts those in unfragmented UDP, userspace the
    /// others.
    pub dns: DnsCounters,
}

/// Makes the struct of a group's `Kernel` and `Sizes` rows, in their order, and of what is counted
/// besides.
macro_rules! kernel_counters {
    ({ $($besides:tt)* } $(#[$about:meta])* $path:literal: $report:ident / $record:ident, kernel $name:ident {
        $($rows:tt)*
    }) => {
        kernel_counters! { @rows $name { $($besides)* } $($rows)* }
    };
    (@rows $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident $(as $json:literal)?: Kernel($($of:tt)*)
        $(=> $family:tt)?; $($rest:tt)*) => {
        kernel_counters! { @rows $name { $($done)* $(#[$help])+ pub $field: u64, } $($rest)* }
    };
    (@rows $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident: Sizes($unit:ident, $n:literal);
        $($rest:tt)*) => {
        kernel_counters! { @rows $name { $($done)* $(#[$help])+ pub $field: [u64; $n], } $($rest)* }
    };
    (@rows $name:ident { $($done:tt)* } $(#[$help:meta])+ $field:ident $(as $json:literal)?: $kind:ident($($of:tt)*)
        $(=> $family:tt)?; $($rest:tt)*) => {
        kernel_counters! { @rows $name { $($done)* } $($rest)* }
    };
    (@rows $name:ident { $($fields:tt)* }) => {
        /// Made of the rows in [`pktvisor_definitions`] that are counted for every packet or
        /// message.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[repr(C)]
        pub struct $name { $($fields)* }
    };
}

macro_rules! packet_counters {
    ($($rows:tt)*) => {
        kernel_counters! { {
            /// Wire bytes of the packets in `unknown`.
            pub bytes_unknown: u64,
            /// Packets handed to deep analysis or counted as not sampled: DNS in UDP, TCP segments
            /// of DNS streams, fragments that may hold DNS.
            pub dns_packets: u64,
            /// Of `dns_packets`: those whose flow was not sampled for deep analysis.
            pub dns_not_sampled: u64,
        } $($rows)* }
    };
}

macro_rules! dns_counters {
    ($($rows:tt)*) => {
        kernel_counters! { {
            /// Replies by the 4 rcode bits of the header (RFC 1035 section 4.1.1).
            pub rcodes: [u64; 16],
        } $($rows)* }
    };
}

pktvisor_definitions::packets!(packet_counters);
pktvisor_definitions::dns_messages!(dns_counters);

/// The transport that carries a DNS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
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
    /// It does not count `dns_not_sampled`; the caller does, because it samples.
    #[inline(always)]
    pub fn count(&mut self, class: &Class, direction: Direction, wire_len: u32) {
        self.count_all(class, direction, &Wire::single(wire_len));
    }

    /// Counts all packets that offload merged into one buffer; `class` holds the findings that they
    /// share.
    #[inline(always)]
    pub fn count_all(&mut self, class: &Class, direction: Direction, wire: &Wire) {
        self.packets.count_all(class, direction, wire);
        if class.has(flags::DNS_UDP) {
            self.dns.count(class.dns_flags, Transport::Udp, class.known_ip_version(), class.captured());
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

impl AsRef<PacketCounters> for Counters {
    fn as_ref(&self) -> &PacketCounters {
        &self.packets
    }
}

impl AsRef<DnsCounters> for Counters {
    fn as_ref(&self) -> &DnsCounters {
        &self.dns
    }
}

impl PacketCounters {
    /// All packets.
    pub fn total(&self) -> u64 {
        self.received.saturating_add(self.sent).saturating_add(self.unknown)
    }

    /// Wire bytes of all packets.
    pub fn total_bytes(&self) -> u64 {
        self.bytes_in.saturating_add(self.bytes_out).saturating_add(self.bytes_unknown)
    }

    /// Counts all packets that offload merged into one buffer. Only one of them carries a SYN or
    /// RST.
    #[inline(always)]
    pub fn count_all(&mut self, class: &Class, direction: Direction, wire: &Wire) {
        let count = u64::from(wire.packets);
        let (packets, bytes) = match direction {
            Direction::Received => (&mut self.received, &mut self.bytes_in),
            Direction::Sent => (&mut self.sent, &mut self.bytes_out),
            Direction::Unknown => (&mut self.unknown, &mut self.bytes_unknown),
        };
        *packets += count;
        *bytes += u64::from(wire.bytes);
        if wire.packets > 1 {
            *self.size_class(wire.segment_len) += count - 1;
        }
        *self.size_class(wire.last_len()) += 1;

        match class.ip_version {
            Some(IpVersion::V4) => self.ipv4 += count,
            Some(IpVersion::V6) => self.ipv6 += count,
            None => self.non_ip += count,
        }
        if class.ip_version.is_some() {
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
        if set & (tcp_flags::SYN | tcp_flags::RST) == 0 {
            return;
        }
        match set & (tcp_flags::SYN | tcp_flags::ACK) {
            tcp_flags::SYN => self.tcp_syn += 1,
            both if both & tcp_flags::SYN != 0 => self.tcp_syn_ack += 1,
            _ => {}
        }
        self.tcp_rst += u64::from(set & tcp_flags::RST != 0);
    }

    #[inline(always)]
    fn size_class(&mut self, wire_len: u32) -> &mut u64 {
        if cfg!(not(target_arch = "bpf")) {
            // Lengths are hard to predict, and a computer can count leading zeros; BPF has to
            // branch for them too.
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

    /// Counts one message by the second 16 bits of its header ([`Class::dns_flags`]).
    #[inline(always)]
    pub fn count(&mut self, dns_flags: u16, transport: Transport, ip_version: IpVersion, captured: Captured) {
        if dns_flags & 0x8000 == 0 {
            self.queries += 1;
        } else {
            self.replies += 1;
            self.rcodes[usize::from(dns_flags & 0x0f)] += 1;
        }
        match transport {
            Transport::Udp => self.udp += 1,
            Transport::Tcp => self.tcp += 1,
        }
        match ip_version {
            IpVersion::V4 => self.ipv4 += 1,
            IpVersion::V6 => self.ipv6 += 1,
        }
        self.truncated_capture += u64::from(captured == Captured::Part);
    }
}
